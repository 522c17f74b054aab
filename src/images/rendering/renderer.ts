import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { totalmem } from 'node:os';
import { extname } from 'node:path';
import { Settings } from '../../platform/config/settings.js';
import { ProcessDiedError, ProcessTimeoutError } from '../../platform/processes/process-errors.js';
import { ProcessPool, type RunOptions } from '../../platform/processes/process-pool.js';
import { decoderMemoryLimit } from './memory-limit.js';
import { decodeTimeout, decoderCrashed, nothingRendered } from './problems.js';
import type { RenderMethods } from './render.process.js';
import type { RenderOutcome, RenderRequest } from './render-request.js';

const MEGABYTE = 1024 * 1024;

/** A fresh process takes a third of a second, so this costs a millisecond a photo. */
const JOBS_PER_PROCESS = 500;
/** Ordinary photos leave a process at 100–150 MB. WebAssembly (HEIC) never gives memory back: 320 MB for 12 MP. */
const RECYCLE_RSS_BYTES = 450 * MEGABYTE;
const IDLE_MS = 60_000;
/** Requests, the database and the task engine go before thumbnails. */
const NICENESS = 5;

/** Makes thumbnails in child processes: a photo that hangs, crashes or blows up its decoder harms none but itself. */
@Injectable()
export class Renderer implements OnApplicationShutdown {
  private readonly pool: ProcessPool<RenderMethods>;

  constructor(settings: Settings) {
    this.pool = new ProcessPool({
      module: new URL(`./render.process${extname(import.meta.filename)}`, import.meta.url),
      size: settings.decoderProcesses,
      jobsPerProcess: JOBS_PER_PROCESS,
      recycleRssBytes: RECYCLE_RSS_BYTES,
      maxRssBytes: decoderMemoryLimit(machineMemory(), settings.decoderProcesses),
      idleMs: IDLE_MS,
      niceness: NICENESS,
      // glibc gives every thread an arena of its own, which fragments under buffers of some megabytes.
      env: { MALLOC_ARENA_MAX: '2' },
    });
  }

  /**
   * Whatever is wrong with the picture is told in the outcome. Throws the signal's reason, and JobError with the
   * system's code (`ENOENT`, `EACCES`, `EIO`) when the file cannot be read. `timeoutMs` counts from when its turn comes.
   */
  async render(request: RenderRequest, options: RunOptions): Promise<RenderOutcome> {
    try {
      return await this.renderTwiceAtMost(request, options);
    } catch (error) {
      if (error instanceof ProcessTimeoutError) {
        return nothingRendered(decodeTimeout(`The picture was not decoded within ${options.timeoutMs / 1_000} s.`));
      }
      if (error instanceof ProcessDiedError) {
        const end = error.signal ?? `exit code ${String(error.exitCode)}`;
        return nothingRendered(decoderCrashed(`The decoder crashed over this picture (${end}).`));
      }
      throw error;
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pool.close();
  }

  /** The kernel's out-of-memory killer and administrators hit innocents, too; a picture that kills does so again. */
  private async renderTwiceAtMost(request: RenderRequest, options: RunOptions): Promise<RenderOutcome> {
    try {
      return await this.pool.run('render', [request], options);
    } catch (error) {
      if (!(error instanceof ProcessDiedError)) throw error;
      return this.pool.run('render', [request], options);
    }
  }
}

/** Of the container, where one sets a limit. */
function machineMemory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}
