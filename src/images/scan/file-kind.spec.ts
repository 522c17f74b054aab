import { fileKind, isSkippedFolder } from './file-kind.js';

describe('a file, by its name', () => {
  it.each([
    ['IMG_1.JPG', 'photo'],
    ['a.b.heic', 'photo'],
    ['scan.CR2', 'photo'],
    ['IMG_1.jpg.xmp', 'sidecar'],
    ['IMG_1.AAE', 'sidecar'],
    ['notes.txt', 'other'],
    ['film.mp4', 'other'],
    ['._IMG_1.jpg', 'other'],
    ['.hidden.jpg', 'other'],
    ['Thumbs.db', 'other'],
    ['IMG_1', 'unknown'],
    ['IMG_1.jpg_original', 'unknown'],
  ])('%s is %s', (name, kind) => {
    expect(fileKind(name)).toBe(kind);
  });
});

describe('a folder', () => {
  it.each(['.git', '.thumbnails', '@eaDir', '#recycle', '$RECYCLE.BIN', 'System Volume Information', 'lost+found'])(
    'named %s is skipped',
    (name) => {
      expect(isSkippedFolder(name)).toBe(true);
    },
  );

  it('of the user is not', () => {
    expect(['2024', 'Müller', '@home', 'system'].some(isSkippedFolder)).toBe(false);
  });
});
