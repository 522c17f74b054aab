import { validateSync } from 'class-validator';
import { IsPointInTime } from './is-point-in-time.js';

class Input {
  @IsPointInTime()
  at: unknown;
}

const accepts = (at: unknown): boolean => validateSync(Object.assign(new Input(), { at })).length === 0;

describe('a point in time', () => {
  it.each(['2026-01-31', '2026-01-31T08:00:00Z', '2026-01-31T08:00:00.123+02:00', '2026-01'])('may be %s', (text) => {
    expect(accepts(text)).toBe(true);
  });

  it.each(['2026-W10', '2026-W10-1', '2026-200', '20260131', '2026-01-31T10', '2026-02-30', 'soon', '', 7, null])(
    'is not %p',
    (value) => {
      expect(accepts(value)).toBe(false);
    },
  );
});
