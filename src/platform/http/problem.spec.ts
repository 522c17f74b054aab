import { BadRequestException, NotFoundException } from '@nestjs/common';
import { conflict, type ErrorKind, AppError, invalid } from '../errors/app-error.js';
import { bugProblem, problemOf } from './problem.js';

describe('problemOf', () => {
  it.each<[ErrorKind, number]>([
    ['invalid', 422],
    ['unauthorized', 401],
    ['forbidden', 403],
    ['not-found', 404],
    ['conflict', 409],
    ['unavailable', 503],
  ])('gives an AppError of kind %s the status %i', (kind, status) => {
    expect(problemOf(new AppError(kind, 'some_code', 'why'))).toMatchObject({
      status,
      code: 'some_code',
      detail: 'why',
    });
  });

  it('renders RFC 9457 members and ours', () => {
    expect(problemOf(conflict('name_taken', 'There is one already.'))).toEqual({
      type: 'urn:photosafe:problem:name_taken',
      title: 'Conflict',
      status: 409,
      detail: 'There is one already.',
      code: 'name_taken',
    });
  });

  it('names every field with what was sent and what would do', () => {
    const fields = [
      { path: 'roots.0', message: 'must be text', value: 7, allowed: 'text' },
      { path: 'name', message: 'is missing' },
    ];
    expect(problemOf(invalid('validation_failed', 'No.', { fields }))?.errors).toEqual([
      { field: 'roots.0', message: 'must be text', value: 7, allowed: 'text' },
      { field: 'name', message: 'is missing' },
    ]);
  });

  it('shortens what was sent', () => {
    const fields = [
      { path: 'text', message: 'is too long', value: 'x'.repeat(10_000) },
      { path: 'tree', message: 'is too deep', value: { list: Array.from({ length: 1_000 }, () => 1) } },
    ];
    const shown = problemOf(invalid('validation_failed', 'No.', { fields }))?.errors?.map(
      ({ value }) => String(value).length,
    );
    expect(shown).toEqual([201, 201]);
  });

  it('tells malformed JSON from other bad requests', () => {
    const malformed = Object.assign(new Error('Unexpected end'), { status: 400, type: 'entity.parse.failed' });
    expect(problemOf(malformed)).toMatchObject({ status: 400, code: 'malformed_json' });
    expect(problemOf(new BadRequestException('no'))).toMatchObject({ status: 400, code: 'malformed_request' });
  });

  it('takes the statuses of Nest and of body-parser', () => {
    expect(problemOf(new NotFoundException())).toMatchObject({ status: 404, code: 'route_not_found' });
    expect(problemOf(Object.assign(new Error('too large'), { status: 413 }))).toMatchObject({
      code: 'payload_too_large',
    });
  });

  it('knows a bug by not knowing it', () => {
    expect(problemOf(new TypeError('x is undefined'))).toBeUndefined();
    expect(problemOf(Object.assign(new Error('from somewhere'), { status: 500 }))).toBeUndefined();
    expect(problemOf('thrown text')).toBeUndefined();
  });
});

describe('bugProblem', () => {
  it('says where to look and nothing of what went wrong', () => {
    expect(bugProblem('abc')).toMatchObject({ status: 500, code: 'internal_error', error_id: 'abc' });
  });
});
