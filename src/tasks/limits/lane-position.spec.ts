import type { ClaimedRow } from '../worker/attempt.js';
import { FROM_THE_START, type LanePlace, LanePosition } from './lane-position.js';

/** A lane of tasks numbered 1, 2, 3, …, two of each rank, and the places from which it was asked for. */
class Lane {
  readonly asked: (number | 'start')[] = [];
  private readonly numbers: number[];

  constructor(length: number) {
    this.numbers = Array.from({ length }, (_, place) => place + 1);
  }

  readonly claimFrom = ([rank, id]: LanePlace, limit: number): Promise<ClaimedRow[]> => {
    const before = rank === FROM_THE_START[0] ? -Infinity : numberOf({ id });
    this.asked.push(before === -Infinity ? 'start' : before);
    const taken = this.numbers.filter((each) => each > before).slice(0, limit);
    for (const each of taken) this.numbers.splice(this.numbers.indexOf(each), 1);
    // In no order, as RETURNING gives them.
    return Promise.resolve(taken.reverse().map((each) => ({ rank: each >> 1, id: `id-${each}` }) as ClaimedRow));
  };

  add(number: number): void {
    this.numbers.unshift(number);
  }
}

const numberOf = ({ id }: { readonly id: string }): number => Number(id.replace('id-', ''));

describe('LanePosition', () => {
  let lane: Lane;
  let position: LanePosition;
  const claim = async (wanted = 2, revision = '1'): Promise<number[]> =>
    (await position.claim(wanted, revision, lane.claimFrom)).rows.map(numberOf).sort((a, b) => a - b);

  beforeEach(() => {
    lane = new Lane(6);
    position = new LanePosition();
    jest.useFakeTimers();
  });

  afterEach(() => {
    jest.useRealTimers();
  });

  it('goes on where the last full claim ended', async () => {
    expect([await claim(), await claim(), await claim()]).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(lane.asked).toEqual(['start', 2, 4]);
  });

  it('finds out at the start that there is nothing left, and begins there the next time', async () => {
    await claim(4);
    lane.add(0);
    expect(await claim(4)).toEqual([0, 5, 6]);
    expect(await position.claim(4, '1', lane.claimFrom)).toEqual({ rows: [] });
    expect(lane.asked).toEqual(['start', 4, 'start', 'start']);
  });

  it('begins at the start when there is news', async () => {
    await claim();
    lane.add(0);
    position.startAgain();
    expect(await claim()).toEqual([0, 3]);
    expect(await claim()).toEqual([4, 5]);
    expect(lane.asked).toEqual(['start', 'start', 3]);
  });

  it('begins at the start when news came while it was claiming', async () => {
    const first = position.claim(2, '1', (place, limit) => {
      const rows = lane.claimFrom(place, limit);
      position.startAgain();
      lane.add(0);
      return rows;
    });
    expect((await first).rows.length).toBe(2);
    expect(await claim()).toEqual([0, 3]);
  });

  it('begins at the start under other limits', async () => {
    await claim(2, '1');
    await claim(2, '2');
    expect(lane.asked).toEqual(['start', 'start']);
  });

  it('begins at the start every half second, however long it goes on', async () => {
    lane = new Lane(100);
    for (let claimed = 0; claimed < 10; claimed++) {
      await claim();
      jest.advanceTimersByTime(200);
    }
    expect(lane.asked).toEqual(['start', 2, 4, 'start', 8, 10, 'start', 14, 16, 'start']);
  });

  it('goes on from there also when the way to the start took long', async () => {
    await position.claim(2, '1', (place, limit) => {
      jest.advanceTimersByTime(10_000);
      return lane.claimFrom(place, limit);
    });
    await claim();
    expect(lane.asked).toEqual(['start', 2]);
  });

  it('keeps what it has claimed when the database does not answer again, and says that there may be more', async () => {
    await claim(4);
    const answer = await position.claim(4, '1', (place, limit) =>
      place === FROM_THE_START ? Promise.reject(new Error('gone')) : lane.claimFrom(place, limit),
    );
    expect(answer).toMatchObject({ rows: [{}, {}], retryInMs: 500 });
    await claim(2);
    const nothing = position.claim(2, '1', () => Promise.reject(new Error('gone')));
    await expect(nothing).rejects.toThrow('gone');
  });
});
