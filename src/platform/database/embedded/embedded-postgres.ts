import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, unavailable } from '../../errors/app-error.js';
import { sqlState } from '../sql-state.js';
import { findBinaries } from './binaries.js';
import { Cluster, SUPERUSER } from './cluster.js';
import { withHomeLock } from './home-lock.js';
import { locateHome, type Home } from './location.js';
import { runningPostmaster, stopPostmaster, type Postmaster } from './postmaster.js';
import { UsageLock } from './usage-lock.js';

export interface EmbeddedPostgresOptions {
  /** The cluster lives in its folder `postgres`, or where the file `postgres-is-at` says. */
  readonly dataDir: string;
  readonly database: string;
  /** Server settings on top of our own, for whoever happens to start it; { fsync: 'off' } in tests. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called once when the server went away under us, after which {@link EmbeddedPostgres.ensure} may be called again. */
  readonly onLost?: () => void;
  /** Called when the home had to be made outside of the data folder. */
  readonly onMoved?: (home: string, becauseOf: string) => void;
  readonly timeoutMs?: number;
  /** For tests: where homes go whose data folder the server's user cannot reach. */
  readonly stateRoot?: string;
}

/**
 * A PostgreSQL server that any number of processes share, started by whoever comes first and stopped by whoever leaves
 * last. Nobody owns it: it runs in a session of its own, and every process says by a {@link UsageLock} that it uses it.
 */
export class EmbeddedPostgres {
  private home?: Home;
  private usage?: UsageLock;
  private ensuring?: Promise<string>;

  constructor(private readonly options: EmbeddedPostgresOptions) {}

  /** Starts the server or attaches to it, and gives the URL of the database. Cheap when it is attached already. */
  ensure(): Promise<string> {
    this.ensuring ??= this.attach().finally(() => {
      this.ensuring = undefined;
    });
    return this.ensuring;
  }

  /** This process needs the server no more; stops it when nobody else does either. */
  async release(): Promise<void> {
    await this.ensuring?.catch(() => undefined);
    const usage = this.usage;
    this.usage = undefined;
    // Errors mean that the server is gone or on its way: whoever comes next finds that out.
    await usage?.release(() => this.stop('fast')).catch(() => undefined);
  }

  /** Stops the server whoever else uses it. */
  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    const home = await this.locate();
    await withHomeLock(lockFile(home), this.timeoutMs, () => stopPostmaster(join(home.path, 'data'), mode));
  }

  async status(): Promise<{ home: string; postmaster: Postmaster | undefined }> {
    const home = await this.locate();
    return { home: home.path, postmaster: await runningPostmaster(join(home.path, 'data')) };
  }

  private async attach(): Promise<string> {
    const deadline = Date.now() + this.timeoutMs;
    const patience = Date.now() + START_RETRY_MS;
    const home = await this.locate();
    const cluster = new Cluster(home, this.options.settings);
    await cluster.password(); // a cluster of another user is refused here, with a message that says so
    for (;;) {
      const postmaster = await runningPostmaster(cluster.dir);
      const failure = postmaster?.ready ? await this.tryUse(postmaster, cluster) : undefined;
      if (postmaster?.ready && failure === undefined) return this.url(postmaster, cluster, this.options.database);
      if (Date.now() > deadline) throw notReady(home, failure);
      if (postmaster) await sleep(20 + Math.random() * 30);
      else await this.startUnlessRunning(home, cluster, patience);
    }
  }

  /** Undefined on success; an error when it makes sense to look again: the server was on its way up or down. */
  private async tryUse(postmaster: Postmaster, cluster: Cluster): Promise<Error | undefined> {
    if (this.usage) return undefined;
    try {
      const url = await this.url(postmaster, cluster, 'postgres');
      this.usage = await UsageLock.take(url, this.options.database, () => {
        this.usage = undefined;
        this.options.onLost?.();
      });
      return undefined;
    } catch (error) {
      const state = sqlState(error);
      if (error instanceof AppError || (state !== undefined && !COMING_OR_GOING.includes(state))) throw error;
      return error as Error;
    }
  }

  private async startUnlessRunning(home: Home, cluster: Cluster, patience: number): Promise<void> {
    try {
      await withHomeLock(lockFile(home), this.timeoutMs, async () => {
        if (await runningPostmaster(cluster.dir)) return;
        await cluster.requireRoom();
        const binaries = await findBinaries(home);
        await cluster.initialise(binaries);
        await cluster.start(binaries);
      });
    } catch (error) {
      if (!(error instanceof AppError) || error.kind !== 'unavailable' || Date.now() > patience) throw error;
      await sleep(200);
    }
  }

  private async locate(): Promise<Home> {
    if (this.home) return this.home;
    const home = await locateHome(this.options.dataDir, this.options.stateRoot);
    if (home.movedBecauseOf) this.options.onMoved?.(home.path, home.movedBecauseOf);
    return (this.home = home);
  }

  private async url(server: Postmaster, cluster: Cluster, database: string): Promise<string> {
    const query = new URLSearchParams({ host: server.socketDir });
    const password = await cluster.password();
    return `postgres://${SUPERUSER}:${password}@localhost:${String(server.port)}/${database}?${query.toString()}`;
  }

  private get timeoutMs(): number {
    return this.options.timeoutMs ?? 150_000;
  }
}

/**
 * A start may fail while processes of a killed server still hold its memory; they end within moments. Smaller gives up
 * on a busy machine, larger lets a start that cannot succeed look as if it hung.
 */
const START_RETRY_MS = 10_000;

/** admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections. */
const COMING_OR_GOING = ['57P01', '57P02', '57P03', '53300'];

const lockFile = (home: Home): string => join(home.path, 'start.lock');

function notReady(home: Home, cause: Error | undefined): AppError {
  const reason = cause ? ` (${cause.message})` : '';
  return unavailable(
    'embedded_postgres_failed',
    `The embedded PostgreSQL in ${home.path} did not become ready${reason}; see ${join(home.path, 'server.log')}`,
    { cause },
  );
}
