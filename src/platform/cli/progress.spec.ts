import { LineProgress } from './progress.js';

describe('LineProgress', () => {
  let lines: string[];
  let progress: LineProgress;

  beforeEach(() => {
    jest.useFakeTimers({ now: 0 });
    lines = [];
    progress = new LineProgress('Thumbnails', 'photos', (line) => lines.push(line));
  });
  afterEach(() => jest.useRealTimers());

  it('writes the first state, then at most a line in five seconds, and the last state at the end', () => {
    for (let photo = 0; photo <= 100; photo += 1) {
      progress.update(photo, 100);
      jest.advanceTimersByTime(100);
    }
    progress.end();
    expect(lines).toEqual([
      'Thumbnails: 0/100 photos (0%), just begun',
      'Thumbnails: 50/100 photos (50%), 10/s, 5s left',
      'Thumbnails: 100/100 photos (100%), 10/s, 0s left',
    ]);
  });

  it('says the last state once', () => {
    progress.update(3, 3);
    progress.end();
    progress.end();
    expect(lines).toHaveLength(1);
  });

  it('does without a total', () => {
    progress.update(7);
    expect(lines).toEqual(['Thumbnails: 7/? photos, just begun']);
  });
});
