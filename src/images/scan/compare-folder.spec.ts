import { compareFolder, type KnownImage } from './compare-folder.js';
import type { ListedPhoto } from './sidecars.js';

const aPhoto = (over: Partial<ListedPhoto> = {}): ListedPhoto => ({
  name: 'a.jpg',
  sizeBytes: 10,
  modifiedUs: 5n,
  sidecars: [],
  sidecarStamp: '',
  ...over,
});

const anImage = (over: Partial<KnownImage> = {}): KnownImage => ({
  id: 'image',
  name: 'a.jpg',
  state: 'active',
  due: false,
  unread: false,
  sizeBytes: 10,
  modifiedUs: 5n,
  sidecarStamp: '',
  ...over,
});

const nothing = { added: [], changed: [], restored: [], departed: [], unchanged: 0 };

describe('a folder compared with what is known of it', () => {
  it('says nothing of a file that is as it was', () => {
    expect(compareFolder([aPhoto()], [anImage()])).toEqual({ ...nothing, unchanged: 1 });
  });

  it('tells a new file', () => {
    expect(compareFolder([aPhoto()], [])).toEqual({ ...nothing, added: [aPhoto()] });
  });

  it.each([
    ['another size', { sizeBytes: 11 }],
    ['another time', { modifiedUs: 6n }],
    ['another sidecar', { sidecarStamp: 'a.xmp:1:1' }],
  ])('tells a file of %s', (_what, over) => {
    const photo = aPhoto(over);
    expect(compareFolder([photo], [anImage()])).toEqual({ ...nothing, changed: [{ id: 'image', photo }] });
  });

  it('tells a file that has gone, once', () => {
    expect(compareFolder([], [anImage()])).toEqual({ ...nothing, departed: [anImage()] });
    expect(compareFolder([], [anImage({ state: 'missing' })])).toEqual(nothing);
  });

  it('tells a file that is back as it was, without reading it again', () => {
    expect(compareFolder([aPhoto()], [anImage({ state: 'missing' })])).toEqual({ ...nothing, restored: ['image'] });
  });

  it('has a file read that is back but was never read', () => {
    const image = anImage({ state: 'missing', unread: true });
    expect(compareFolder([aPhoto()], [image])).toEqual({ ...nothing, changed: [{ id: 'image', photo: aPhoto() }] });
  });
});
