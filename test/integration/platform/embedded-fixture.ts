import { chmod, chown, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readPostmaster, stopPostmaster, type Postmaster } from '../../../src/platform/database/embedded/postmaster.js';
import { processFacts } from '../../../src/platform/database/embedded/process-facts.js';
import { runTypeScript, type Child } from '../../support/child.js';
import { waitFor } from '../../support/wait-for.js';

/** Programs start slowly when the machine is busy with other tests. */
export const SLOW = { timeoutMs: 150_000 };

/** A data folder with an embedded server of its own, and programs that use it. */
export class EmbeddedFixture {
  private readonly programs: Child[] = [];

  private constructor(readonly dataDir: string) {}

  static async create(parent = tmpdir()): Promise<EmbeddedFixture> {
    const dataDir = await mkdtemp(join(parent, 'photosafe-embedded-'));
    await chmod(dataDir, 0o755);
    return new EmbeddedFixture(dataDir);
  }

  get home(): string {
    return join(this.dataDir, 'postgres');
  }

  get cluster(): string {
    return join(this.home, 'data');
  }

  /** Starts a program that uses the server; it goes on until {@link leave} or a kill. */
  program(identity: { uid?: number; gid?: number } = {}): Child {
    const child = runTypeScript('test/integration/platform/programs/use-embedded.ts', [this.dataDir], {
      ...identity,
      env: { ...process.env, LOG_LEVEL: 'error', HOME: tmpdir() },
    });
    this.programs.push(child);
    return child;
  }

  /** Starts a program and waits until it is attached. */
  async attached(identity: { uid?: number; gid?: number } = {}): Promise<Child & { url: string }> {
    const child = this.program(identity);
    return Object.assign(child, { url: await attachedUrl(child) });
  }

  async postmaster(): Promise<Postmaster | undefined> {
    return readPostmaster(this.cluster);
  }

  /** Kills the server and waits until the system has forgotten it. */
  async killPostmaster(): Promise<void> {
    const pid = (await this.postmaster())?.pid;
    if (!pid) throw new Error('There is no server to kill');
    process.kill(pid, 'SIGKILL');
    await waitFor('the server is dead', async () => (await processFacts(pid)).state !== 'running');
  }

  async clusterOwner(): Promise<{ uid: number; gid: number }> {
    const { uid, gid } = await stat(this.cluster);
    return { uid, gid };
  }

  /** Hands the (still empty) data folder to another user. */
  giveTo(uid: number, gid: number): Promise<void> {
    return chown(this.dataDir, uid, gid);
  }

  async cleanUp(): Promise<void> {
    await Promise.all(this.programs.map((program) => program.kill()));
    await stopPostmaster(this.cluster, 'immediate');
    // A killed program's initdb may go on for a moment.
    await rm(this.dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

export async function attachedUrl(child: Child): Promise<string> {
  return (JSON.parse(await child.line(/"attached"/, SLOW)) as { url: string }).url;
}

/** Lets a program leave in order. */
export async function leave(child: Child): Promise<void> {
  child.process.stdin?.end();
  await child.line(/"released"/, SLOW);
  await child.ended;
}

/** Has a program ask its server for the time of its start, which it does until it gets an answer. */
export async function ask(child: Child): Promise<string> {
  const from = child.lines.length;
  child.say('ask');
  return (JSON.parse(await child.line(/"answer"/, { ...SLOW, from })) as { started: string }).started;
}
