import { Wakefulness } from './wakefulness.js';

describe('wakefulness', () => {
  let nowMs = 0;
  const after = (ms: number): void => void (nowMs += ms);
  const a = (): Wakefulness => new Wakefulness(200, () => nowMs);

  it('is there from the beginning, and while the beats come', () => {
    const wakefulness = a();
    expect(wakefulness.awakeFor(10_000)).toBe(true);
    for (let n = 0; n < 10; n += 1) {
      after(1_100);
      wakefulness.beat();
    }
    expect(wakefulness.awakeFor(10_000)).toBe(true);
  });

  it('is gone after a beat that came late, until the time asked for has passed', () => {
    const wakefulness = a();
    after(5_000);
    wakefulness.beat();
    expect(wakefulness.awakeFor(1_000)).toBe(false);
    after(600);
    wakefulness.beat();
    after(600);
    expect([wakefulness.awakeFor(1_000), wakefulness.awakeFor(2_000)]).toEqual([true, false]);
  });

  it('is gone when asked before the late beat came', () => {
    const wakefulness = a();
    after(5_000);
    expect(wakefulness.awakeFor(1_000)).toBe(false);
  });
});
