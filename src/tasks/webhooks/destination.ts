import { lookup as resolveName, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { Settings } from '../../platform/config/settings.js';
import { invalid } from '../../platform/errors/app-error.js';
import { PermanentError } from '../retry-policy.js';

/** What no receiver has, and what answers there tells secrets: the metadata services of clouds, above all. */
const NEVER = blockList(
  [
    '0.0.0.0/8',
    '169.254.0.0/16',
    '192.0.0.192/32',
    '224.0.0.0/4',
    '240.0.0.0/4',
    '100.100.100.200/32',
    '168.63.129.16/32',
  ],
  ['::/128', 'fe80::/10', 'ff00::/8', 'fd00:ec2::/32'],
);

/** Networks of one's own: this machine, and what is behind the same router. */
const PRIVATE = blockList(
  ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '192.0.0.0/24', '198.18.0.0/15'],
  ['::1/128', 'fc00::/7'],
);

export type Networks = Settings['webhookNetworks'];

/** Whether webhooks may be sent to an address. IPv4 in the clothes of IPv6 counts as what it is. */
export function isAllowedAddress(address: string, networks: Networks): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const isInside = (list: BlockList): boolean => list.check(address, family);
  return isIP(address) !== 0 && !isInside(NEVER) && (networks === 'private' || !isInside(PRIVATE));
}

/** @throws invalid `invalid_webhook_url` for what could never be sent to. */
export function parseDestination(text: string, networks: Networks): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const refuse = (message: string): Error =>
    invalid('invalid_webhook_url', `Webhooks cannot be sent there: the address ${message}.`, {
      fields: [{ path: 'url', message, value: text, allowed: 'an http:// or https:// address' }],
    });
  if (!url || !['http:', 'https:'].includes(url.protocol)) throw refuse('is not one of http:// or https://');
  if (url.username !== '' || url.password !== '')
    throw refuse('holds a password, which would be shown to all who list it');
  if (url.hash !== '') throw refuse('has a #fragment, which is never sent');
  const literal = literalOf(url);
  if (literal !== undefined && !isAllowedAddress(literal, networks))
    throw refuse('is in a network that is not allowed');
  return url;
}

/** The address that a URL names without asking anybody. */
export function literalOf(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? undefined : host;
}

/**
 * Resolves a name for a connection, and refuses the addresses that are not allowed: at the moment of connecting, so that a
 * name that points elsewhere by then gains nothing.
 */
export const guardedLookup =
  (networks: Networks): LookupFunction =>
  (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const allowed = error ? [] : addresses.filter(({ address }) => isAllowedAddress(address, networks));
      const [first] = allowed;
      if (error) callback(error, '', 4);
      else if (!first) callback(forbiddenAddress(hostname), '', 4);
      else if (options.all) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };

export const forbiddenAddress = (host: string): Error =>
  new PermanentError('address_not_allowed', `${host} is in a network that webhooks are not sent to`);

function blockList(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList();
  for (const [family, ranges] of [
    ['ipv4', ipv4],
    ['ipv6', ipv6],
  ] as const) {
    for (const range of ranges) {
      const [address = '', bits] = range.split('/');
      list.addSubnet(address, Number(bits), family);
    }
  }
  return list;
}
