/** A pause that ends early when somebody says so. For one loop, which pauses at one place at a time. */
export class WakeablePause {
  private end: (() => void) | undefined;

  /** Until so many milliseconds have passed, or {@link wake}. */
  async for(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.end = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.end = undefined;
  }

  /** Does nothing while nobody pauses: what was to be noticed must be looked at before the next pause. */
  wake(): void {
    this.end?.();
  }
}
