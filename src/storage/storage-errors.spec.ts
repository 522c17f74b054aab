import { AppError } from '../platform/errors/app-error.js';
import { isMissing, toStorageError } from './storage-errors.js';

const systemError = (code: string): Error => Object.assign(new Error(code), { code });

describe('toStorageError', () => {
  it.each(['ENOSPC', 'EDQUOT', 'EFBIG'])(
    'tells the caller of %s that there is no room and when to try again',
    (code) => {
      const cause = systemError(code);

      expect(toStorageError(cause)).toMatchObject({
        constructor: AppError,
        kind: 'unavailable',
        code: 'storage_full',
        cause,
      });
    },
  );

  it('leaves other errors as they are', () => {
    const errors = [systemError('EIO'), new Error('the client went away'), 'text', undefined];

    expect(errors.map(toStorageError)).toEqual(errors);
  });
});

describe('isMissing', () => {
  it('means a path that leads nowhere, and nothing else', () => {
    expect(['ENOENT', 'ENOTDIR', 'EACCES'].map(systemError).map(isMissing)).toEqual([true, true, false]);
    expect(isMissing(undefined)).toBe(false);
  });
});
