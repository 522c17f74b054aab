import fc from 'fast-check';
import { bytesOfText, extensionOf, isPlainText, shownText, textOfName } from './stored-path.js';

describe('the text that stands for a file name', () => {
  it('is the name itself where the name is valid UTF-8', () => {
    expect(textOfName(Buffer.from('Žluťoučký kůň 🐎.jpg'))).toBe('Žluťoučký kůň 🐎.jpg');
  });

  it('gives back exactly the bytes of any name', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        const name = Buffer.from(bytes);
        expect(bytesOfText(textOfName(name))).toEqual(name);
      }),
    );
  });

  it('is well-formed Unicode whatever the bytes, and differs where the names differ', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 12 }),
        fc.uint8Array({ minLength: 1, maxLength: 12 }),
        (a, b) => {
          const [one, other] = [textOfName(Buffer.from(a)), textOfName(Buffer.from(b))];
          expect(Buffer.from(one).toString()).toBe(one);
          expect(one === other).toBe(Buffer.from(a).equals(Buffer.from(b)));
        },
      ),
    );
  });

  it('does not confuse a real private-use character with an escaped byte', () => {
    const real = Buffer.from('\uf7e9');
    expect(textOfName(real)).not.toBe(textOfName(Buffer.of(0xe9)));
    expect(bytesOfText(textOfName(real))).toEqual(real);
  });

  it('tells names that text cannot express, and shows them all the same', () => {
    const text = textOfName(Buffer.from('caf\xe9.jpg', 'latin1'));
    expect({ plain: isPlainText(text), shown: shownText(text) }).toEqual({ plain: false, shown: 'caf\ufffd.jpg' });
  });
});

describe('an extension', () => {
  it.each([
    ['IMG_1.JPG', 'jpg'],
    ['a.tar.gz', 'gz'],
    ['.hidden', ''],
    ['none', ''],
    ['dot.', ''],
  ])('of %s is "%s"', (name, extension) => {
    expect(extensionOf(name)).toBe(extension);
  });
});
