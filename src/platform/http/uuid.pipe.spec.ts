import { UuidPipe } from './uuid.pipe.js';

describe('UuidPipe', () => {
  const pipe = new UuidPipe();
  const metadata = { type: 'param', data: 'image_id' } as const;

  it('lets a UUID of any version through, in lower case', () => {
    expect(pipe.transform('01A20A53-B875-76AC-905F-A3AE3C5B89B8', metadata)).toBe(
      '01a20a53-b875-76ac-905f-a3ae3c5b89b8',
    );
  });

  it.each(['', '123', '01a20a53-b875-76ac-905f-a3ae3c5b89b', "'; DROP TABLE tokens", undefined])(
    'refuses %p by the name of the parameter',
    (value) => {
      expect(() => pipe.transform(value, metadata)).toThrow(
        expect.objectContaining({
          kind: 'invalid',
          fields: [expect.objectContaining({ path: 'image_id', allowed: 'a UUID' })],
        }),
      );
    },
  );
});
