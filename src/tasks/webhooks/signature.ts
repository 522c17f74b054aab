import { createHmac, randomBytes } from 'node:crypto';

/** As Standard Webhooks recommends: 24 to 64 random bytes. https://github.com/standard-webhooks/standard-webhooks */
const SECRET_BYTES = 32;
const PREFIX = 'whsec_';

export const newWebhookSecret = (): string => PREFIX + randomBytes(SECRET_BYTES).toString('base64');

export interface Signed {
  readonly id: string;
  /** Receivers refuse what is minutes old, so each attempt has its own. */
  readonly at: Date;
  readonly body: string;
}

/** The three headers by which a receiver knows who sent this, and that it has not had it yet. */
export function signatureHeaders(secret: string, { id, at, body }: Signed): Record<string, string> {
  const timestamp = Math.floor(at.getTime() / 1_000).toString();
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`, 'utf8').digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
