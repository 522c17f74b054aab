import { setTimeout as sleep } from 'node:timers/promises';

/** kill -9: the supervisor starts another. */
export const kill = {
  name: 'kill',
  weight: 6,
  async strike({ member }) {
    const workers = member.own;
    const at = Date.now();
    member.signal('SIGKILL');
    return { at, workers };
  },
};

/** SIGSTOP and SIGCONT: for less or more than a lease, and some time after. */
export const pause = {
  name: 'pause',
  weight: 4,
  async strike({ member, random }) {
    const workers = member.own;
    const at = Date.now();
    member.signal('SIGSTOP');
    await sleep(500 + random() * 14_500);
    member.signal('SIGCONT');
    return { at, workers };
  },
};
