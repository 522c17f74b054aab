import type { Exposure } from '../photo-facts.js';
import { fraction } from './position.js';
import { cleanName, cleanText } from './text.js';
import type { ExifTags } from './tiff/exif-tags.js';
import { APPLE_TAG } from './tiff/apple-maker-note.js';
import { TAG } from './tiff/tag-names.js';
import { xmpText, type XmpProperties } from './xmp/xmp-packet.js';

export interface Camera {
  readonly make: string | undefined;
  readonly model: string | undefined;
  readonly serial: string | undefined;
  readonly lens: string | undefined;
}

/** EXIF before XMP (editors copy it there), and the header fields of formats that have neither. */
export function cameraOf(exif: ExifTags | undefined, xmp: XmpProperties, texts: ReadonlyMap<string, string>): Camera {
  const name = (tag: number, property: string, header: string): string | undefined =>
    cleanName(exif?.text(tag)) ?? cleanName(xmpText(xmp, property)) ?? cleanName(texts.get(header));
  return {
    make: name(TAG.Make, 'tiff:Make', 'Make'),
    model: name(TAG.Model, 'tiff:Model', 'Model') ?? cleanName(exif?.text(TAG.UniqueCameraModel)),
    serial: serial([
      exif?.text(TAG.BodySerialNumber),
      exif?.text(TAG.CameraSerialNumber),
      xmpText(xmp, 'exifEX:BodySerialNumber'),
      xmpText(xmp, 'aux:SerialNumber'),
      texts.get('SerialNumber'),
    ]),
    lens: lensOf(exif, xmp),
  };
}

/** A number of only zeros is a field that the camera left empty. */
function serial(candidates: readonly (string | undefined)[]): string | undefined {
  return candidates
    .map((candidate) => cleanName(candidate, 64))
    .find((text) => text !== undefined && !/^0*$/.test(text));
}

/** What cameras write for a lens that they do not know. */
const NO_LENS = /^(unknown|none|n\/?a|0(\.0+)? ?mm.*|manual lens|no lens.*)$/i;

function lensOf(exif: ExifTags | undefined, xmp: XmpProperties): string | undefined {
  const names = [exif?.text(TAG.LensModel), xmpText(xmp, 'exifEX:LensModel'), xmpText(xmp, 'aux:Lens')];
  const name = names.map((candidate) => cleanName(candidate)).find((text) => text !== undefined && !NO_LENS.test(text));
  return name ?? lensBySpecification(exif?.find(TAG.LensSpecification)?.numbers());
}

/** `24-70mm f/2.8` of least and greatest focal length and the apertures there. */
function lensBySpecification(numbers: readonly number[] | undefined): string | undefined {
  const [least = NaN, greatest = NaN, wideOpen = NaN] = numbers ?? [];
  if (!(least > 0) || !(greatest >= least)) return undefined;
  const short = (value: number): string => String(Math.round(value * 10) / 10);
  const focal = least === greatest ? short(least) : `${short(least)}-${short(greatest)}`;
  return wideOpen > 0 ? `${focal}mm f/${short(wideOpen)}` : `${focal}mm`;
}

/** ISO fields of 16 bits that ran over say so with this; the true value then stands in another. */
const ISO_OVERFLOW = 65_535;

export function exposureOf(exif: ExifTags | undefined, xmp: XmpProperties): Exposure {
  const number = (tag: number): number | undefined => positive(exif?.number(tag));
  const property = (name: string): number | undefined => positive(fraction(xmpText(xmp, name)));
  const shutter = exif?.number(TAG.ShutterSpeedValue);
  const aperture = exif?.number(TAG.ApertureValue);
  const plainIso = number(TAG.ISOSpeedRatings);
  const iso = plainIso === ISO_OVERFLOW ? undefined : plainIso;
  const flash = exif?.number(TAG.Flash);
  return {
    timeSeconds:
      number(TAG.ExposureTime) ??
      positive(shutter === undefined ? undefined : 2 ** -shutter) ??
      property('exif:ExposureTime'),
    fNumber:
      number(TAG.FNumber) ??
      positive(aperture === undefined ? undefined : 2 ** (aperture / 2)) ??
      property('exif:FNumber'),
    iso:
      iso ??
      number(TAG.RecommendedExposureIndex) ??
      number(TAG.ISOSpeed) ??
      plainIso ??
      property('exif:ISOSpeedRatings'),
    focalLengthMm: number(TAG.FocalLength) ?? property('exif:FocalLength'),
    focalLength35Mm: number(TAG.FocalLengthIn35mmFilm) ?? property('exif:FocalLengthIn35mmFilm'),
    flashFired: flash === undefined ? flashOfXmp(xmp) : (flash & 1) === 1,
  };
}

/** Unset fields hold zero; damaged ones hold figures that no camera has. */
function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 && value < 1e7 ? value : undefined;
}

function flashOfXmp(xmp: XmpProperties): boolean | undefined {
  const flash = xmp.get('exif:Flash');
  if (flash === undefined || typeof flash === 'string' || !('exif:Fired' in flash)) return undefined;
  return flash['exif:Fired'] === 'True' || flash['exif:Fired'] === 'true';
}

/** The id that the frames of one burst share: Apple's, or Google's in XMP. */
export function burstIdOf(exif: ExifTags | undefined, xmp: XmpProperties): string | undefined {
  const apple = exif?.apple.fields.get(APPLE_TAG.BurstUUID)?.text();
  const candidates = [apple, xmpText(xmp, 'GCamera:BurstID'), xmpText(xmp, 'GCamera:CameraBurstID')];
  return candidates.map((id) => cleanText(id, 100)).find((id) => id !== undefined);
}
