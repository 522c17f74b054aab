import { extensionsOfPhotos } from '../metadata/photo-formats.js';
import { extensionOf } from '../stored-path.js';

/**
 * What a file is taken for by its name alone: `unknown` is decided by its first bytes, everything else without opening
 * it. Whether a `photo` really is one, the analysis says.
 */
export type FileKind = 'photo' | 'sidecar' | 'other' | 'unknown';

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

const PHOTO_EXTENSIONS: ReadonlySet<string> = new Set(extensionsOfPhotos);

const SIDECAR_EXTENSIONS = words('xmp aae thm pp3 dop on1 cos cof');

/** Known not to be pictures: not worth opening. Films come later. */
const OTHER_EXTENSIONS = words(
  `mp4 m4v mov avi mkv webm mts m2ts 3gp 3g2 wmv flv mpg mpeg vob insv lrv mp3 m4a aac wav flac ogg opus wma aif aiff
  txt md csv tsv json xml yaml yml html htm css js ts pdf doc docx xls xlsx ppt pptx odt ods odp rtf epub log ini cfg
  zip tar gz tgz bz2 xz 7z rar iso dmg exe msi dll so dylib app bin db sqlite sqlite3 lrcat lrdata lrprev cocatalog
  gpx kml kmz nmea srt vtt icc icm ai eps ps indd sketch blend obj stl py rb php c h cpp java sh bat ps1 ttf otf woff
  woff2 tmp part crdownload bak lnk url torrent sha256 md5 sfv par2`,
);

/** Folders that systems and programs keep for themselves. */
const SKIPPED_FOLDERS = words(`@eadir @recycle #recycle #snapshot $recycle.bin recycler lost+found __macosx`);
const SKIPPED_FOLDERS_WITH_BLANKS: ReadonlySet<string> = new Set([
  'system volume information',
  'network trash folder',
  'temporary items',
]);

const SYSTEM_FILES = words('thumbs.db ehthumbs.db ehthumbs_vista.db desktop.ini icon\r zbthumbnail.info picasa.ini');

export function fileKind(name: string): FileKind {
  if (name.startsWith('.') || SYSTEM_FILES.has(name.toLowerCase())) return 'other';
  const extension = extensionOf(name);
  if (PHOTO_EXTENSIONS.has(extension)) return 'photo';
  if (SIDECAR_EXTENSIONS.has(extension)) return 'sidecar';
  return OTHER_EXTENSIONS.has(extension) ? 'other' : 'unknown';
}

/** Hidden folders and those of systems hold caches, waste and copies, never the user's originals. */
export function isSkippedFolder(name: string): boolean {
  const lower = name.toLowerCase();
  return name.startsWith('.') || SKIPPED_FOLDERS.has(lower) || SKIPPED_FOLDERS_WITH_BLANKS.has(lower);
}
