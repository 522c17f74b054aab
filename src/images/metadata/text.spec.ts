import { cleanName, cleanText, decodeText, decodeTerminated, decodeUtf16 } from './text.js';

describe('texts of photos', () => {
  it('are UTF-8, or one byte a character where they are not', () => {
    expect(decodeText(Buffer.from('Größe'))).toBe('Größe');
    expect(decodeText(Buffer.from('Gr\xf6\xdfe \x93x\x94', 'latin1'))).toBe('Größe “x”');
    expect(decodeText(Buffer.from([0xff, 0xfe, 0x41]))).toBe('ÿþA');
  });

  it('end at the first NUL', () => {
    expect(decodeTerminated(Buffer.from('ION230\0F\0'))).toBe('ION230');
    expect(decodeTerminated(Buffer.from('\0ION'))).toBe('');
    expect(decodeTerminated(Buffer.from('open'))).toBe('open');
  });

  it('in UTF-16 are read in either order, a half character left out', () => {
    expect(decodeUtf16(Buffer.from('Tür', 'utf16le'), true)).toBe('Tür');
    expect(decodeUtf16(Buffer.from('Tür', 'utf16le').swap16(), false)).toBe('Tür');
    expect(decodeUtf16(Buffer.from([0x41, 0, 0x42]), true)).toBe('A');
  });

  it('are cleaned of what neither PostgreSQL nor a terminal should get', () => {
    expect(cleanText('  a\0b\u0007\u009bc\r\nd\te\ufeff ')).toBe('abc\nd\te');
    expect(cleanText('half \ud83d pair')).toBe('half  pair');
    expect(cleanText('whole 😀 pair')).toBe('whole 😀 pair');
    expect(cleanText('\0\0 \n')).toBeUndefined();
    expect(cleanText(undefined)).toBeUndefined();
  });

  it('are cut without leaving half a character', () => {
    expect(cleanText('a'.repeat(5000))).toHaveLength(4000);
    expect(cleanText(`${'a'.repeat(9)}😀`, 10)).toBe('a'.repeat(9));
  });

  it('as names are one line and say something', () => {
    expect(cleanName(' NIKON\n  D70\0')).toBe('NIKON D70');
    expect(cleanName('----')).toBeUndefined();
    expect(cleanName('      ')).toBeUndefined();
  });
});
