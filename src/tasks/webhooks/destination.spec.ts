import { isAllowedAddress, parseDestination } from './destination.js';

describe('where webhooks may be sent', () => {
  it.each([
    ['93.184.216.34', true, true],
    ['2606:2800:220:1::1', true, true],
    ['127.0.0.1', true, false],
    ['10.1.2.3', true, false],
    ['192.168.178.20', true, false],
    ['::1', true, false],
    ['fd12::1', true, false],
    ['::ffff:10.1.2.3', true, false],
    ['169.254.169.254', false, false],
    ['::ffff:169.254.169.254', false, false],
    ['::ffff:a9fe:a9fe', false, false],
    ['fe80::1', false, false],
    ['fd00:ec2::254', false, false],
    ['0.0.0.0', false, false],
    ['::', false, false],
    ['224.0.0.1', false, false],
    ['255.255.255.255', false, false],
    ['not an address', false, false],
  ])('%s: private networks allowed %p, public ones only %p', (address, inPrivate, inPublic) => {
    expect([isAllowedAddress(address, 'private'), isAllowedAddress(address, 'public')]).toEqual([inPrivate, inPublic]);
  });

  it.each([
    'ftp://example.com/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'example.com/hook',
    'http://me:secret@example.com/',
    'http://169.254.169.254/latest/meta-data',
    'http://[fe80::1]/',
    'http://2852039166/', // 169.254.169.254
    'http://0xa9.0xfe.0xa9.0xfe/',
    'http://example.com/#part',
    '',
  ])('refuses %s', (text) => {
    expect(() => parseDestination(text, 'private')).toThrow(expect.objectContaining({ code: 'invalid_webhook_url' }));
  });

  it.each(['https://example.com/hook?x=1', 'http://localhost:8080/', 'http://10.0.0.5/'])('takes %s', (text) => {
    expect(parseDestination(text, 'private').href).toBe(text);
  });
});
