import { cleanText } from '../text.js';
import { TAG } from './tag-names.js';
import type { TiffField } from './tiff-field.js';
import { EMPTY_IFD, type Ifd } from './tiff-reader.js';

/** The directories of one EXIF block: the image's (IFD0), the Exif, the GPS, and Apple's maker note. */
export class ExifTags {
  constructor(
    readonly image: Ifd,
    readonly photo: Ifd = EMPTY_IFD,
    readonly gps: Ifd = EMPTY_IFD,
    readonly apple: Ifd = EMPTY_IFD,
  ) {}

  /** Writers put tags into the wrong one of the two directories; the value that says something wins. */
  find(tag: number): TiffField | undefined {
    const own = this.image.fields.get(tag);
    const other = this.photo.fields.get(tag);
    if (own === undefined || other === undefined) return own ?? other;
    return own.isText && cleanText(own.text()) === undefined ? other : own;
  }

  text(tag: number): string | undefined {
    return this.find(tag)?.text();
  }

  number(tag: number): number | undefined {
    return this.find(tag)?.number();
  }

  /** 1–8; 0, 36865 and other values that no specification knows say nothing. */
  get orientation(): number | undefined {
    return validOrientation(this.image.fields.get(TAG.Orientation)?.number());
  }

  get isEmpty(): boolean {
    return this.image.fields.size === 0 && this.photo.fields.size === 0 && this.gps.fields.size === 0;
  }
}

export function validOrientation(value: number | undefined): number | undefined {
  return value !== undefined && Number.isInteger(value) && value >= 1 && value <= 8 ? value : undefined;
}
