import { Logger, Module, type OnModuleInit } from '@nestjs/common';
import { join } from 'node:path';
import { Clock } from '../platform/clock/clock.js';
import { Settings } from '../platform/config/settings.js';
import { BlobStore } from './blob-store.js';
import { FolderBlobStore } from './folder-blob-store.js';

/**
 * A temporary file that has not been written to for so long has lost its writer. Shorter: a stalled upload loses its
 * file under its feet; longer: the leftovers of a crash take up room until a later start.
 */
const STALE_MS = 3_600_000;

/** Gives a {@link BlobStore}: files below the data folder. */
@Module({
  providers: [
    {
      provide: FolderBlobStore,
      useFactory: (settings: Settings) => new FolderBlobStore(join(settings.dataDir, 'blobs')),
      inject: [Settings],
    },
    { provide: BlobStore, useExisting: FolderBlobStore },
  ],
  exports: [BlobStore],
})
export class StorageModule implements OnModuleInit {
  private readonly logger = new Logger(StorageModule.name);

  constructor(
    private readonly store: FolderBlobStore,
    private readonly clock: Clock,
  ) {}

  async onModuleInit(): Promise<void> {
    const swept = await this.store.sweep(STALE_MS, this.clock.now());
    if (swept > 0) this.logger.log({ message: 'removed unfinished files of writers that died', files: swept });
  }
}
