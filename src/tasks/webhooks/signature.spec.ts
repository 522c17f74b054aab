import { Webhook } from 'standardwebhooks';
import { newWebhookSecret, signatureHeaders } from './signature.js';

describe('the signature of a webhook', () => {
  const secret = newWebhookSecret();
  const body = JSON.stringify({ type: 'events', data: { text: 'ü\u{1f600}' } });
  const headers = signatureHeaders(secret, { id: 'a-delivery', at: new Date(), body });

  it('is what the library of Standard Webhooks accepts', () => {
    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
  });

  it('is that of this body, this id, this time and this secret', () => {
    const verify = (by: string, text: string, changes: object) => () =>
      new Webhook(by).verify(text, { ...headers, ...changes });
    expect(verify(secret, `${body} `, {})).toThrow();
    expect(verify(secret, body, { 'webhook-id': 'another' })).toThrow();
    expect(verify(secret, body, { 'webhook-timestamp': String(Math.floor(Date.now() / 1_000) - 60) })).toThrow();
    expect(verify(newWebhookSecret(), body, {})).toThrow();
  });

  it('is the one that the specification gives as its example', () => {
    const example = signatureHeaders('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      at: new Date(1_614_265_330_000),
      body: '{"test": 2432232314}',
    });
    expect(example['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });
});
