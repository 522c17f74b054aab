import { ArrayNotEmpty, IsInt, Max, Min } from 'class-validator';
import { availableParallelism } from 'node:os';
import { wholeNumber, wholeNumberList } from './parse.js';
import { TaskSettings } from './task-settings.js';
import { FromVariable } from './variable.js';

/** What is made of pictures, and at what cost. */
export class ImageSettings extends TaskSettings {
  @FromVariable({
    name: 'PHOTOSAFE_THUMBNAIL_SIZES',
    default: '256,512',
    allowed: 'up to 8 whole numbers from 16 to 4096, comma-separated',
    meaning: 'Longest side of each thumbnail, in pixels.',
    parse: wholeNumberList,
  })
  @ArrayNotEmpty()
  @IsInt({ each: true })
  @Min(16, { each: true })
  @Max(4_096, { each: true })
  readonly thumbnailSizes: readonly number[];

  @FromVariable({
    name: 'PHOTOSAFE_THUMBNAIL_QUALITY',
    default: '85',
    allowed: 'a whole number from 1 to 100',
    meaning: 'Quality of the thumbnails.',
    parse: wholeNumber,
  })
  @IsInt()
  @Min(1)
  @Max(100)
  readonly thumbnailQuality: number;

  @FromVariable({
    name: 'PHOTOSAFE_MAX_PIXELS',
    default: '268402689',
    allowed: 'a whole number from 1 to 4294967296',
    meaning:
      'Pictures of more pixels (width × height) are refused instead of decoded. It bounds the memory of a decoder.',
    parse: wholeNumber,
  })
  @IsInt()
  @Min(1)
  @Max(4_294_967_296)
  readonly maxPixels: number;

  @FromVariable({
    name: 'PHOTOSAFE_DECODER_PROCESSES',
    default: String(availableParallelism()),
    defaultShown: 'the number of processors',
    allowed: 'a whole number from 1 to 256',
    meaning: 'How many pictures are decoded at once, each in a process of its own.',
    parse: wholeNumber,
  })
  @IsInt()
  @Min(1)
  @Max(256)
  readonly decoderProcesses: number;
}
