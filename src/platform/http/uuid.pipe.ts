import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { isUUID } from 'class-validator';
import { invalid } from '../errors/app-error.js';

/** `@Param('id', UuidPipe) id: string`: anything else is refused before it reaches the database. */
@Injectable()
export class UuidPipe implements PipeTransform<unknown, string> {
  transform(value: unknown, { data = 'id' }: ArgumentMetadata): string {
    if (typeof value === 'string' && isUUID(value)) return value.toLowerCase();
    throw invalid('validation_failed', `One field of the path is not acceptable: ${data}.`, {
      fields: [{ path: data, message: 'must be a UUID', value, allowed: 'a UUID' }],
    });
  }
}
