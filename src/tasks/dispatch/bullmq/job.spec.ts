import { bullPriority, jobId, taskIdOf } from './job.js';

const id = '01a22a43-58b5-71ab-8176-90aa002f65ea';

describe('a job', () => {
  it('names its task, and its round', () => {
    const jobs = [0, 1, 2_147_483_647].map((fence) => jobId({ id, fence, priority: 0 }));
    expect(jobs.map(taskIdOf)).toEqual([id, id, id]);
    expect(new Set(jobs).size).toBe(3);
    expect(jobs.filter((job) => job.includes(':'))).toEqual([]); // which BullMQ does not take
  });

  it.each([
    '',
    '1',
    id,
    `${id}_`,
    `${id}_1x`,
    ` ${id}_1`,
    `${id}_1\n`,
    `${id}_-1`,
    `{${id}}_1`,
    id.toUpperCase() + '_1',
  ])('that is called %p is none of ours', (job) => {
    expect(taskIdOf(job)).toBeUndefined();
  });
});

it('priorities keep their order, within what BullMQ takes', () => {
  const ours = [2_147_483_647, 1_000_000, 100, 1, 0, -1, -100, -1_000_000, -2_147_483_648];
  const theirs = ours.map(bullPriority);
  expect(theirs).toEqual(theirs.toSorted((a, b) => a - b));
  expect(new Set(theirs.slice(1, -1)).size).toBe(ours.length - 2);
  expect([Math.min(...theirs), Math.max(...theirs)]).toEqual([1, 2 ** 21]);
});
