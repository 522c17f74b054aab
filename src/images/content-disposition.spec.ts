import { contentDisposition } from './content-disposition.js';

describe('the content disposition of a file', () => {
  it('shows harmless pictures under their name', () => {
    expect(contentDisposition('Kůň.jpg', 'image/jpeg')).toBe(
      `inline; filename="K__.jpg"; filename*=UTF-8''K%C5%AF%C5%88.jpg`,
    );
  });

  it('has everything else saved: what could run, what is unknown, what is asked for', () => {
    const types = [
      contentDisposition('a.svg', 'image/svg+xml'),
      contentDisposition('a.bin', undefined),
      contentDisposition('a.jpg', 'image/jpeg', true),
    ].map((value) => value.split(';')[0]);
    expect(types).toEqual(['attachment', 'attachment', 'attachment']);
  });

  it('lets no name break out of the header', () => {
    const value = contentDisposition('a"; evil="\r\nSet-Cookie: x.jpg', 'image/jpeg');
    expect(value).toBe(
      `inline; filename="a__ evil=___Set-Cookie: x.jpg"; filename*=UTF-8''a%22%3B%20evil%3D%22%0D%0ASet-Cookie%3A%20x.jpg`,
    );
  });
});
