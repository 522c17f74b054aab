import { anXmp } from '../../../../test/support/build-photo.js';
import { cpuMsOf } from '../../../../test/support/cpu-time.js';
import { XmlError } from './parse-xml.js';
import { parseXmp, xmpList, xmpText } from './xmp-packet.js';

const parse = (text: string): ReturnType<typeof parseXmp> => parseXmp(Buffer.from(text));

describe('XMP packets', () => {
  it('state properties as attributes and as elements alike', () => {
    const xmp = parse(anXmp({ 'xmp:Rating': '4' }, '<tiff:Make>Canon &amp; Co</tiff:Make>'));
    expect(Object.fromEntries(xmp)).toEqual({ 'xmp:Rating': '4', 'tiff:Make': 'Canon & Co' });
  });

  it('hold arrays, language alternatives with the default first, and structures', () => {
    const xmp = parse(
      anXmp(
        {},
        `<dc:subject><rdf:Bag><rdf:li>sea</rdf:li><rdf:li>sand</rdf:li></rdf:Bag></dc:subject>
         <dc:description><rdf:Alt><rdf:li xml:lang="de">Strand</rdf:li><rdf:li xml:lang="x-default">Beach</rdf:li></rdf:Alt></dc:description>
         <exif:Flash rdf:parseType="Resource"><exif:Fired>True</exif:Fired></exif:Flash>
         <exif:Device><rdf:Description exif:Name="A"/></exif:Device>
         <xmp:Label><rdf:Description><rdf:value>Red</rdf:value><xmp:By>me</xmp:By></rdf:Description></xmp:Label>`,
      ),
    );
    expect(xmpList(xmp, 'dc:subject')).toEqual(['sea', 'sand']);
    expect(xmpText(xmp, 'dc:description')).toBe('Beach');
    expect(xmp.get('exif:Flash')).toEqual({ 'exif:Fired': 'True' });
    expect(xmp.get('exif:Device')).toEqual({ 'exif:Name': 'A' });
    expect(xmpText(xmp, 'xmp:Label')).toBe('Red');
  });

  it('are read whatever prefixes they choose', () => {
    const xmp = parse(
      `<m:xmpmeta xmlns:m="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
       <r:Description xmlns:a="http://ns.adobe.com/xap/1.0/" a:Rating='5'>
       <b:subject xmlns:b="http://purl.org/dc/elements/1.1/"><r:Seq><r:li>x</r:li></r:Seq></b:subject>
       </r:Description></r:RDF></m:xmpmeta>`,
    );
    expect(xmpText(xmp, 'xmp:Rating')).toBe('5');
    expect(xmpList(xmp, 'dc:subject')).toEqual(['x']);
  });

  it('are UTF-8, UTF-16, or one byte a character', () => {
    const text = anXmp({ 'tiff:Make': 'Größe' });
    expect(xmpText(parseXmp(Buffer.from(text, 'utf16le')), 'tiff:Make')).toBe('Größe');
    expect(xmpText(parseXmp(Buffer.from(text, 'utf16le').swap16()), 'tiff:Make')).toBe('Größe');
    expect(xmpText(parseXmp(Buffer.from(text.replace('\ufeff', ''), 'latin1')), 'tiff:Make')).toBe('Größe');
  });

  it('that are cut give what they have', () => {
    const whole = anXmp({}, '<tiff:Make>Canon</tiff:Make><tiff:Model>EOS 6D</tiff:Model>');
    expect(xmpText(parse(whole.slice(0, whole.indexOf('EOS') + 3)), 'tiff:Make')).toBe('Canon');
    expect(parse(whole.slice(0, 100)).size).toBe(0);
    expect(parse('').size).toBe(0);
  });

  it('leave out editing settings and histories', () => {
    const xmp = parse(
      `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description
        xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
        crs:Exposure="1" xmp:Rating="3"/></rdf:RDF>`,
    );
    expect([...xmp.keys()]).toEqual(['xmp:Rating']);
  });

  it('with a document type are refused, so that no entity expands', () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>${anXmp({ 'tiff:Make': '&b;' })}`;
    expect(() => parse(bomb)).toThrow(XmlError);
  });

  it('that are too deep or too large are refused', () => {
    expect(() => parse(anXmp({}, '<dc:a>'.repeat(5000)))).toThrow(XmlError);
    expect(() => parse(anXmp({}, '<dc:a/>'.repeat(50_000)))).toThrow(XmlError);
  });

  it.each([
    ['open tags', '<a "'.repeat(250_000)],
    ['open comments', '<!--'.repeat(250_000)],
    ['names without value', `<a ${'b'.repeat(1_000_000)}>`],
    ['blanks', `<a ${' '.repeat(1_000_000)}>`],
    ['ampersands', `<a>${'&'.repeat(1_000_000)}</a>`],
    ['namespaces', `<a ${'xmlns:b="c" '.repeat(1000)}>${'<b xmlns:c="d"/>'.repeat(15_000)}</a>`],
    ['end tags', '</a>'.repeat(250_000)],
  ])('made of nothing but %s end at once', async (_, text) => {
    const ms = await cpuMsOf(() => {
      expect(parse(text).size).toBe(0);
    });
    expect(ms).toBeLessThan(2000);
  });

  it('keep names that objects use for themselves as plain names', () => {
    const xmp = parse(anXmp({}, '<exif:Flash rdf:parseType="Resource"><__proto__>1</__proto__></exif:Flash>'));
    expect(JSON.stringify(xmp.get('exif:Flash'))).toBe('{"__proto__":"1"}');
  });
});
