import { BoundedLabel } from './bounded-label.js';

describe('a bounded label', () => {
  it('shows the first values as they are, again and again, and all further ones as one', () => {
    const label = new BoundedLabel(2);
    expect(['a', 'b', 'c', 'a', 'd', 'b'].map((value) => label.of(value))).toEqual([
      'a',
      'b',
      'other',
      'a',
      'other',
      'b',
    ]);
  });
});
