import { basename, dirname } from 'node:path';
import type { PhotoFacts, PhotoProblem, Position } from '../photo-facts.js';
import { burstIdOf, cameraOf, exposureOf } from './camera.js';
import { CONFIDENCE, judgeDates, type DateOffer, type JudgedDates } from './dates/capture-time.js';
import { statedDates } from './dates/embedded-dates.js';
import { dateInFileName, dateInFolders } from './dates/file-name-date.js';
import { descriptionOf, keywordsOf, ratingOf } from './descriptions.js';
import { badMetadata, type EmbeddedMetadata, type MetadataSources } from './embedded-metadata.js';
import { parseIptc } from './iptc.js';
import { getPhotoFormat } from './photo-formats.js';
import { exifPosition, gpsTimeOf, xmpPosition } from './position.js';
import { appleTagMap, exifTagMap, gpsTagMap, tagsForStorage } from './tags-for-storage.js';
import { validOrientation } from './tiff/exif-tags.js';
import { XmlError } from './xmp/parse-xml.js';
import { parseXmp, xmpText, type XmpProperties, type XmpValue } from './xmp/xmp-packet.js';

/** What is known of a photo besides its content. */
export interface PhotoContext {
  /** Absolute; its names are a source of dates. */
  readonly path: string;
  readonly modifiedAt: Date;
  readonly now: Date;
  readonly sidecar: XmpProperties;
}

interface FactsContext extends PhotoContext {
  /** What is found to be wrong is added here. */
  readonly problems: PhotoProblem[];
}

/** What all the sources together say, each field by its own order of precedence. */
export function factsOfPhoto(format: string, found: EmbeddedMetadata, context: FactsContext): PhotoFacts {
  const { sidecar, problems } = context;
  const inFile: MetadataSources = {
    exif: found.exif,
    xmp: embeddedXmp(found.xmpPackets, problems),
    iptc: found.iptc === undefined ? new Map() : parseIptc(found.iptc),
    texts: found.texts,
  };
  const { exif, xmp, iptc, texts } = inFile;
  const beside: MetadataSources = { exif: undefined, xmp: sidecar, iptc: new Map(), texts: new Map() };
  // The camera is what the file says; a sidecar fills in what it lacks.
  const completed: XmpProperties = new Map([...sidecar, ...xmp]);
  const position =
    xmpPosition(sidecar, problems) ?? (exif && exifPosition(exif, problems)) ?? xmpPosition(xmp, problems);
  const dates = datesOf(inFile, position, context);
  const camera = cameraOf(exif, completed, texts);
  const keywords = keywordsOf(beside);
  return {
    format,
    mimeType: getPhotoFormat(format).mimeType,
    width: found.width,
    height: found.height,
    orientation: found.containerOrientation ?? exif?.orientation ?? xmpOrientation(xmp),
    captured: dates.captured,
    dateCandidates: dates.candidates,
    cameraMake: camera.make,
    cameraModel: camera.model,
    cameraSerial: camera.serial,
    lens: camera.lens,
    exposure: exposureOf(exif, completed),
    position,
    burstId: burstIdOf(exif, xmp),
    // What a person changes, a sidecar says last.
    description: descriptionOf(beside) ?? descriptionOf(inFile),
    keywords: keywords.length > 0 ? keywords : keywordsOf(inFile),
    rating: ratingOf(beside) ?? ratingOf(inFile),
    tags: tagsForStorage({
      exif: exif && exifTagMap(exif),
      gps: exif && gpsTagMap(exif),
      apple: exif && appleTagMap(exif),
      iptc,
      sidecar,
      xmp,
      texts,
    }),
  };
}

function datesOf(inFile: MetadataSources, position: Position | undefined, context: PhotoContext): JudgedDates {
  const gpsTimeMs = gpsTimeOf(inFile.exif, inFile.xmp) ?? gpsTimeOf(undefined, context.sidecar);
  const offers = [
    ...statedDates(inFile, context.sidecar),
    ...(gpsTimeMs === undefined ? [] : [gpsOffer(gpsTimeMs)]),
    ...outerDates(context),
  ];
  return judgeDates(offers, { position, gpsTimeMs, nowMs: context.now.getTime() });
}

const xmpOrientation = (xmp: XmpProperties): number | undefined =>
  validOrientation(Number(xmpText(xmp, 'tiff:Orientation') ?? NaN));

/** The properties of all packets together, the first one winning. */
function embeddedXmp(packets: readonly Buffer[], problems: PhotoProblem[]): XmpProperties {
  const properties = new Map<string, XmpValue>();
  for (const packet of packets) {
    try {
      for (const [name, value] of parseXmp(packet)) if (!properties.has(name)) properties.set(name, value);
    } catch (error) {
      if (!(error instanceof XmlError)) throw error;
      problems.push(badMetadata(`XMP is left out: ${error.message}.`));
    }
  }
  return properties;
}

const gpsOffer = (gpsTimeMs: number): DateOffer => ({
  source: 'gps.DateTime',
  confidence: CONFIDENCE.embedded,
  time: { wallMs: gpsTimeMs, hasTime: true, hasFraction: gpsTimeMs % 1000 !== 0 },
  isUtc: true,
});

/** Dates that do not stand in the file: its name, its folders, and when it was last written. */
function outerDates({ path, modifiedAt }: PhotoContext): DateOffer[] {
  const offers: DateOffer[] = [];
  const inName = dateInFileName(basename(path));
  if (inName !== undefined) {
    const own = inName.hasTime ? CONFIDENCE.fileName : CONFIDENCE.fileNameDay;
    const confidence = inName.isOfTransfer ? CONFIDENCE.transfer : own;
    offers.push({ source: 'file-name', confidence, time: inName, isUtc: inName.isUtc });
  }
  const inFolders = dateInFolders(dirname(path));
  if (inFolders !== undefined) offers.push({ source: 'directory', confidence: CONFIDENCE.directory, time: inFolders });
  offers.push({
    source: 'filesystem.modified',
    confidence: CONFIDENCE.filesystem,
    // Its fractions order no shots.
    time: { wallMs: Math.floor(modifiedAt.getTime()), hasTime: true, hasFraction: false },
    isUtc: true,
  });
  return offers;
}
