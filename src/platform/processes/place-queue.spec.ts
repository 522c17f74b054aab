import { PlaceQueue } from './place-queue.js';

const calm = new AbortController().signal;

describe('PlaceQueue', () => {
  it('lets in as many as there are places and the others in the order of their coming', async () => {
    const queue = new PlaceQueue(2);
    const admitted: number[] = [];
    const all = Promise.all([0, 1, 2, 3].map((who) => queue.take(calm).then(() => admitted.push(who))));
    await settled();
    const atFirst = [...admitted];

    queue.leave();
    await settled();
    const afterOneLeft = [...admitted];
    queue.leave();
    await all;

    expect([atFirst, afterOneLeft, admitted]).toEqual([
      [0, 1],
      [0, 1, 2],
      [0, 1, 2, 3],
    ]);
  });

  it('forgets who gives up, and nobody else', async () => {
    const queue = new PlaceQueue(1);
    await queue.take(calm);
    const impatient = new AbortController();
    const first = queue.take(impatient.signal);
    const second = queue.take(calm);
    impatient.abort(new Error('enough'));
    queue.leave();

    await expect(first).rejects.toThrow('enough');
    await expect(second).resolves.toBeUndefined();
  });

  it('refuses who waits and who comes once it is closed, and a late abort changes nothing', async () => {
    const queue = new PlaceQueue(1);
    await queue.take(calm);
    const late = new AbortController();
    const waiting = queue.take(late.signal);
    queue.close(new Error('closed'));
    late.abort();

    await expect(waiting).rejects.toThrow('closed');
    await expect(queue.take(calm)).rejects.toThrow('closed');
  });

  it('refuses a caller that has been aborted before', async () => {
    await expect(new PlaceQueue(1).take(AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  });
});

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
