import { ClaimLine, type Waiter } from './claim-line.js';

/** A waiter who takes from `stock`; `served` tells the order in which waits ended. */
function aWaiter(name: string, { stock, ended }: { stock: string[]; ended: string[] }): Waiter {
  let found: string | undefined;
  return {
    take: async () => {
      await Promise.resolve();
      found = stock.shift();
      return found !== undefined;
    },
    done: () => ended.push(`${name}:${found ?? 'nothing'}`),
  };
}

describe('a line of claims', () => {
  it('serves the first who came, as long as there is something', async () => {
    const [stock, ended] = [['a', 'b'], [] as string[]];
    const line = new ClaimLine(['queue']);
    for (const name of ['one', 'two', 'three']) line.join(aWaiter(name, { stock, ended }));
    await line.serve();
    expect([ended, line.length]).toEqual([['one:a', 'two:b'], 1]);
  });

  it('looks again when a notice comes during a look', async () => {
    const [stock, ended] = [[] as string[], [] as string[]];
    const line = new ClaimLine(['queue']);
    line.join(aWaiter('one', { stock, ended }));
    const pass = line.serve();
    await Promise.resolve().then(() => Promise.resolve());
    stock.push('late');
    await Promise.all([line.serve(), pass]);
    expect(ended).toEqual(['one:late']);
  });

  it('gives one who leaves during a look what it finds, and goes on to the next', async () => {
    const ended: string[] = [];
    const line = new ClaimLine(['queue']);
    const stock = ['a'];
    const leaver = aWaiter('leaver', { stock, ended });
    const other = aWaiter('other', { stock, ended });
    line.join(leaver);
    line.join(other);
    const pass = line.serve();
    line.leave(leaver);
    expect(ended).toEqual([]);
    await pass;
    stock.push('b');
    await line.serve();
    expect(ended).toEqual(['leaver:a', 'other:b']);
  });

  it('lets those go who leave in vain, and everybody when it closes', async () => {
    const [stock, ended] = [[] as string[], [] as string[]];
    const line = new ClaimLine(['queue']);
    const [first, second] = [aWaiter('first', { stock, ended }), aWaiter('second', { stock, ended })];
    line.join(first);
    line.join(second);
    const pass = line.serve();
    line.leave(first);
    line.leave(first);
    await pass;
    expect(ended).toEqual(['first:nothing']);
    line.close();
    line.leave(second);
    expect([ended, line.length]).toEqual([['first:nothing', 'second:nothing'], 0]);
  });
});
