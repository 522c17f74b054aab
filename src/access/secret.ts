import { createHash, randomBytes } from 'node:crypto';

/** 256 random bits: nothing to guess, so that an unsalted hash keeps them safe and can be looked up by index. */
const SECRET_BYTES = 32;
const OWN_SECRET = /^ps_[\w-]{43}$/;

export const newSecret = (): string => `ps_${randomBytes(SECRET_BYTES).toString('base64url')}`;

/**
 * What is stored and looked up. Looking up a digest takes no longer for a nearly right secret than for a wrong one: a
 * caller cannot steer the digest, so the time of the index comparison tells nothing about the secret.
 */
export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret, 'utf8').digest();

/**
 * The start of a secret, for people to recognise it by: 8 characters of ours (48 of 256 bits), and 4 of a secret that
 * somebody made up.
 */
export const displayPrefix = (secret: string): string => secret.slice(0, OWN_SECRET.test(secret) ? 11 : 4);
