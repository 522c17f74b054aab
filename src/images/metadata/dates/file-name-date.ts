import { wallTime, type WallTime } from './date-text.js';

export interface NameDate extends WallTime {
  /** The name counts in UTC: `wallMs` is an instant. */
  readonly isUtc: boolean;
  /** The name says when the file was received or saved, not when it was taken. */
  readonly isOfTransfer: boolean;
}

const DAY = String.raw`(?<!\d)((?:18|19|20)\d\d)([-_.]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])`;
/** Between day and time: a sign or two, or a short word (`at`, `um`, `à`). */
const BETWEEN = String.raw`(?:[T_ .,-]{1,2}| [^\s\d]{1,3} )`;

/** `IMG_20200417_100342`, `2020-04-17 10.03.42`, `Screenshot 2019-05-21 at 10.45.52`, `PXL_20230102_120000123`. */
const DAY_AND_TIME = new RegExp(
  `${DAY}${BETWEEN}([01]\\d|2[0-3])([-_.:h]?)([0-5]\\d)\\6([0-5]\\d)(?:\\.?(\\d{3}))?(?!\\d)`,
);
/** `20200417100342` */
const RUN_TOGETHER =
  /(?<!\d)((?:19|20)\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])([0-5]\d)([0-5]\d)(?!\d)/;
/** `Screenshot 2024-01-02 at 3.45.52 PM` */
const DAY_AND_HALF_DAY = new RegExp(
  `${DAY} [^\\s\\d]{1,3} (1[0-2]|0?[1-9])[.:]([0-5]\\d)[.:]([0-5]\\d)\\s?([AP])M`,
  'i',
);
const DAY_ONLY = new RegExp(`${DAY}(?!\\d)`);
/** Milliseconds since 1970 by which messengers and social networks name what they save. */
const EPOCH = /^(?:FB_IMG_|mmexport|image-|wx_camera_|IMG_)?(1\d{12})$/;
const WHATSAPP = /-WA\d{4}/;

/** The date in a photo's name (without folder). Digits that might be anything else say nothing. */
export function dateInFileName(fileName: string): NameDate | undefined {
  const stem = fileName.replace(/\.[^.]+$/, '');
  const epoch = EPOCH.exec(stem)?.[1];
  if (epoch !== undefined) {
    return { wallMs: Number(epoch), hasTime: true, hasFraction: true, isUtc: true, isOfTransfer: true };
  }
  const wall = wallInName(stem);
  // Pixel phones name in UTC.
  return wall && { ...wall, isUtc: wall.hasTime && stem.startsWith('PXL_'), isOfTransfer: WHATSAPP.test(stem) };
}

function wallInName(stem: string): WallTime | undefined {
  const half = DAY_AND_HALF_DAY.exec(stem);
  if (half) {
    const [, year, , month, day, hour, minute, second, letter] = half;
    const hours = (Number(hour) % 12) + (letter?.toUpperCase() === 'P' ? 12 : 0);
    return wallTime([Number(year), Number(month), Number(day), hours, Number(minute), Number(second)], undefined, true);
  }
  const full = DAY_AND_TIME.exec(stem);
  if (full) {
    const [, year, , month, day, hour, , minute, second, fraction] = full;
    return wallTime([year, month, day, hour, minute, second].map(Number), fraction, true);
  }
  const together = RUN_TOGETHER.exec(stem);
  if (together) return wallTime(together.slice(1).map(Number), undefined, true);
  return dayIn(stem);
}

function dayIn(text: string): WallTime | undefined {
  const day = DAY_ONLY.exec(text);
  return day ? wallTime([Number(day[1]), Number(day[3]), Number(day[4])], undefined, false) : undefined;
}

const FOLDERS_LOOKED_AT = 3;

/** The day in the names of the nearest folders: `2015-04-17 Trip`, `20150417`, `2015/04/17`. */
export function dateInFolders(folderPath: string): WallTime | undefined {
  const folders = folderPath.split(/[/\\]/).slice(-FOLDERS_LOOKED_AT);
  for (const folder of folders.toReversed()) {
    const day = dayIn(folder);
    if (day !== undefined) return day;
  }
  const [year, month, day] = folders;
  if (!/^(19|20)\d\d$/.test(year ?? '') || !/^(0[1-9]|1[0-2])\b/.test(month ?? '') || !/^\d\d\b/.test(day ?? ''))
    return undefined;
  return wallTime([Number(year), parseInt(month ?? '', 10), parseInt(day ?? '', 10)], undefined, false);
}
