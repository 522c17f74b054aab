import { WakeablePause } from './wakeable-pause.js';

describe('a pause', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  const pause = new WakeablePause();
  const over = jest.fn();

  beforeEach(() => void over.mockReset());

  it('takes its time', async () => {
    void pause.for(100).then(over);
    await jest.advanceTimersByTimeAsync(99);
    expect(over).not.toHaveBeenCalled();
    await jest.advanceTimersByTimeAsync(1);
    expect(over).toHaveBeenCalled();
  });

  it('ends when it is woken, and leaves no timer behind', async () => {
    void pause.for(100).then(over);
    pause.wake();
    await jest.advanceTimersByTimeAsync(0);
    expect(over).toHaveBeenCalled();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is not cut short by what came before it', async () => {
    pause.wake();
    void pause.for(100).then(over);
    await jest.advanceTimersByTimeAsync(50);
    expect(over).not.toHaveBeenCalled();
    pause.wake();
    await jest.advanceTimersByTimeAsync(0);
    expect(over).toHaveBeenCalled();
  });
});
