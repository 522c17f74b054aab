import type { MetadataSources } from './embedded-metadata.js';
import { cleanName, cleanText, decodeTerminated, decodeUtf16 } from './text.js';
import type { ExifTags } from './tiff/exif-tags.js';
import { TAG } from './tiff/tag-names.js';
import { xmpList, xmpText } from './xmp/xmp-packet.js';

/** What cameras fill in by themselves where a person would describe the picture. */
const CAMERA_PHRASES =
  /^((olympus|minolta|konica minolta|samsung|kodak|sony|ricoh|casio|fujifilm)?\s*(digital camera|digital still ?camera|dsc)|sony dsc|dcim\\.*|exif[_ ]jpeg[_ ]picture.*|<digimax.*|<kenox.*|jpeg|(digital )?image|picture|photo|untitled|default|charset=\S*|[\d.]+|\S+\.jpe?g)$/i;

/** The description that a person or a program gave, not the camera's filler. */
export function descriptionOf({ exif, xmp, iptc, texts }: MetadataSources): string | undefined {
  const candidates = [
    xmpText(xmp, 'dc:description'),
    iptc.get('Caption-Abstract')?.[0],
    exif?.text(TAG.ImageDescription),
    exif && windowsText(exif, TAG.XPComment),
    exif && userComment(exif),
    texts.get('Description'),
  ];
  return candidates.map((text) => cleanText(text)).find((text) => text !== undefined && !CAMERA_PHRASES.test(text));
}

/** Eight bytes that name the character set, then the text; some writers leave the name out. */
export function userComment(exif: ExifTags): string | undefined {
  const field = exif.find(TAG.UserComment);
  if (field?.bytes === undefined) return undefined;
  const charset = field.bytes.toString('latin1', 0, 8);
  const body = field.bytes.subarray(8);
  if (charset.startsWith('UNICODE')) {
    // The byte order is the file's by the letter and often the other one: text of most languages shows which.
    const isLittle = body.length > 1 && body[1] === 0 ? true : body[0] === 0 ? false : field.littleEndian;
    return decodeUtf16(body, isLittle).replace(/\0.*$/s, '');
  }
  if (charset.startsWith('ASCII') || /^\0{8}$/.test(charset)) return decodeTerminated(body);
  const plain = decodeTerminated(field.bytes);
  // Binary notes of cameras stand here as well.
  return /^[\p{L}\p{N}\p{P}\p{Zs}\p{S}\n\r\t]*$/u.test(plain) ? plain : undefined;
}

/** Windows Explorer's fields: UTF-16 bytes. */
function windowsText(exif: ExifTags, tag: number): string | undefined {
  const bytes = exif.image.fields.get(tag)?.bytes;
  return bytes && decodeUtf16(bytes, true).replace(/\0.*$/s, '');
}

const MAX_KEYWORDS = 200;

/** Flat keywords, then hierarchical ones as `Animals/Birds`; each once. */
export function keywordsOf({ exif, xmp, iptc }: MetadataSources): string[] {
  const flat = [
    ...xmpList(xmp, 'dc:subject'),
    ...(iptc.get('Keywords') ?? []),
    ...((exif && windowsText(exif, TAG.XPKeywords)?.split(';')) ?? []),
  ];
  const paths = [
    ...xmpList(xmp, 'digiKam:TagsList'),
    ...xmpList(xmp, 'MicrosoftPhoto:LastKeywordXMP'),
    ...xmpList(xmp, 'lr:hierarchicalSubject').map((path) => path.replaceAll('|', '/')),
  ];
  const seen = new Set<string>();
  return [...flat, ...paths.filter((path) => path.includes('/')), ...paths.filter((path) => !path.includes('/'))]
    .map((keyword) => cleanName(keyword))
    .filter((keyword) => keyword !== undefined)
    .filter((keyword) => {
      const key = keyword.toLocaleLowerCase('en');
      return !seen.has(key) && seen.add(key);
    })
    .slice(0, MAX_KEYWORDS);
}

/** Stars 0–5, or −1 for rejected, as XMP counts. */
export function ratingOf({ exif, xmp }: MetadataSources): number | undefined {
  return (
    stars(Number(xmpText(xmp, 'xmp:Rating') ?? NaN)) ??
    stars(exif?.number(TAG.Rating)) ??
    starsOfPercent(Number(xmpText(xmp, 'MicrosoftPhoto:Rating') ?? NaN)) ??
    starsOfPercent(exif?.number(TAG.RatingPercent))
  );
}

function stars(value: number | undefined): number | undefined {
  if (value === undefined || Number.isNaN(value)) return undefined;
  const whole = Math.round(value);
  return whole >= -1 && whole <= 5 ? whole : undefined;
}

/** Windows counts 1, 25, 50, 75, 99. */
function starsOfPercent(value: number | undefined): number | undefined {
  if (value === undefined || !(value >= 0 && value <= 100)) return undefined;
  return value === 0 ? 0 : value >= 99 ? 5 : Math.floor(value / 25) + 1;
}
