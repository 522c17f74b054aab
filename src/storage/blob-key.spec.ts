import { AppError } from '../platform/errors/app-error.js';
import { checkBlobKey, checkBlobPrefix } from './blob-key.js';

describe('checkBlobKey', () => {
  it.each(['thumbnails/0a/018f-3c/256-0123456789ab.jpg', 'a', 'documents/_tmp/x.y-z'])('accepts %s', (key) => {
    expect(() => {
      checkBlobKey(key);
    }).not.toThrow();
  });

  it.each([
    '',
    '/etc/passwd',
    '../up',
    'a/../../b',
    'a/..',
    'a/./b',
    'a//b',
    'a/',
    '.tmp/x',
    'a/.hidden',
    'C:\\x',
    'a\\b',
    'a\0b',
    'Ä',
    'Upper/case',
    'with space',
    'ends.with.',
    'x'.repeat(201),
    Array.from({ length: 30 }, () => 'twenty-characters-xx').join('/'),
  ])('refuses %j', (key) => {
    expect(() => {
      checkBlobKey(key);
    }).toThrow(expect.objectContaining({ constructor: AppError, kind: 'invalid', code: 'bad_blob_key' }) as Error);
  });
});

describe('checkBlobPrefix', () => {
  it('accepts folders and the whole store', () => {
    expect(() => {
      checkBlobPrefix('');
      checkBlobPrefix('thumbnails/0a/');
    }).not.toThrow();
  });

  it.each(['thumbnails', '/', '../', 'a/../'])('refuses %j', (prefix) => {
    expect(() => {
      checkBlobPrefix(prefix);
    }).toThrow(expect.objectContaining({ code: 'bad_blob_key' }) as Error);
  });
});
