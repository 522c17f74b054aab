import { DEATHS_ALONE, guiltOf, LOSSES_ALONE, type Orphan } from './verdict.js';

const anOrphan = (facts: Partial<Orphan>): Orphan => ({
  id: 'one',
  workflowId: null,
  crashCount: 1,
  deathsAlone: 0,
  cancelRequested: false,
  lost: true,
  witnessed: false,
  how: 'its connection is gone',
  ...facts,
});

describe('a task whose worker is no more', () => {
  it('may run again after the first loss, which was in company, and after one death alone', () => {
    expect(guiltOf(anOrphan({ crashCount: 0 }))).toBeUndefined();
    expect(guiltOf(anOrphan({ witnessed: true }))).toBeUndefined();
  });

  it('is guilty of the second death that was seen while it ran alone', () => {
    const how = 'its process ended by SIGKILL';
    expect(guiltOf(anOrphan({ crashCount: 2, deathsAlone: DEATHS_ALONE - 1, witnessed: true, how }))).toMatch(
      /^2 processes died .*SIGKILL.*retry/,
    );
  });

  it('is not guilty of what nobody saw, until that has happened again and again while it ran alone', () => {
    expect(guiltOf(anOrphan({ crashCount: LOSSES_ALONE - 1, deathsAlone: DEATHS_ALONE - 1 }))).toBeUndefined();
    expect(guiltOf(anOrphan({ crashCount: LOSSES_ALONE }))).toMatch(/^5 workers were lost .*connection is gone/);
  });

  it('is not guilty of a worker that ended as it should, nor when it shall be cancelled', () => {
    const bad = { crashCount: 10, deathsAlone: 10 };
    expect(guiltOf(anOrphan({ ...bad, lost: false, how: null }))).toBeUndefined();
    expect(guiltOf(anOrphan({ ...bad, cancelRequested: true, witnessed: true }))).toBeUndefined();
  });
});
