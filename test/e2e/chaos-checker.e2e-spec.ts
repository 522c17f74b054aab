import { runNode } from '../support/child.js';

describe('the checker of the chaos', () => {
  it('finds each promise that is broken, and how long work stood still', async () => {
    const program = runNode('test/e2e/programs/planted-violations.mjs', []);
    const line = await program.line(/^\{/);
    await program.ended;
    expect(JSON.parse(line)).toEqual({
      found: {
        nothing: [],
        'a task that is gone': ['lost'],
        'a task that goes on for ever': ['lost'],
        'two ends': ['settledTwice', 'trail'],
        'an end that its trail lacks': ['settledTwice', 'effects'],
        'two effects': ['effects'],
        'no effect': ['effects'],
        'an effect of the attempt that was lost': ['effects'],
        'a fence given out twice': ['trail'],
        'a settlement under an old fence': ['effects', 'trail'],
        'a move that is missing': ['trail'],
        'an innocent in quarantine': ['outcome'],
        'a fan-out that does not add up': ['order'],
        'a node that did not wait': ['order'],
      },
      gaps: { kill: [1_500], other: [] },
    });
  });
});
