import { Injectable } from '@nestjs/common';

/** What this process does without just now, and goes on regardless: shown beside "ready", which it stays. */
@Injectable()
export class Degradations {
  private readonly current = new Map<string, string>();

  begin(what: string, reason: string): void {
    this.current.set(what, reason);
  }

  end(what: string): void {
    this.current.delete(what);
  }

  /** In the order in which they began: `redis: …`. */
  list(): string[] {
    return [...this.current].map(([what, reason]) => `${what}: ${reason}`);
  }
}
