import { setTimeout as sleep } from 'node:timers/promises';

export const drop = {
  name: 'drop',
  weight: 4,
  async strike({ member }) {
    const workers = member.all;
    const at = Date.now();
    member.proxy.drop();
    return { at, workers };
  },
};

/** The connections there are go silent for good; whoever asks anew is served. The server keeps its ends for a while. */
export const halfOpen = {
  name: 'half-open',
  weight: 4,
  async strike({ member, random }) {
    const workers = member.all;
    const at = Date.now();
    member.proxy.silence();
    await sleep(5_000 + random() * 15_000);
    member.proxy.mend();
    return { at, workers };
  },
};

/** Nothing passes in either direction, on new connections neither. */
export const cutOff = {
  name: 'partition',
  weight: 3,
  async strike({ member, random }) {
    const workers = member.all;
    const at = Date.now();
    member.proxy.cutOff();
    await sleep(1_000 + random() * 14_000);
    member.proxy.mend();
    return { at, workers };
  },
};
