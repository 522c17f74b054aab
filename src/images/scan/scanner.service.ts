import { Injectable, Logger } from '@nestjs/common';
import { Settings } from '../../platform/config/settings.js';
import { Database } from '../../platform/database/database.js';
import type { TaskContext } from '../../tasks/index.js';
import { isStillThere, probeRoot } from '../roots/probe-root.js';
import type { OfflineReason, Root } from '../roots/root.js';
import { RootsRepository } from '../roots/roots.repository.js';
import { compareFolder, type FolderChanges } from './compare-folder.js';
import { DepartedImages } from './departed-images.js';
import { ScanRepository } from './scan.repository.js';
import { type ScanReport, ScanTally } from './scan-report.js';
import type { ListedPhoto } from './sidecars.js';
import { type FolderListing, walkRoot } from './walk-root.js';

/** The attempt that scans: writes are fenced by it, and `jobId` is what the changes are put down to. */
export interface ScanContext extends Pick<TaskContext, 'signal' | 'transaction'> {
  readonly jobId: string;
}

/** Enough that a library of small folders is not read folder by folder; little enough to hold. */
const PHOTOS_A_COMPARISON = 500;
const FOLDERS_A_COMPARISON = 100;
/** The attempt's row is held while it writes, and its worker's progress waits for it: a fraction of a second. */
const ROWS_A_WRITE = 1_000;

/**
 * Brings the catalogue's list of files up to date with its folders, reading no file's content. New and changed files
 * become due; what is not there any more becomes missing, or offline with its root. Where nothing has changed nothing is
 * written. May be interrupted and repeated at any point, and run twice at once.
 */
@Injectable()
export class ScannerService {
  private readonly logger = new Logger(ScannerService.name);

  constructor(
    private readonly database: Database,
    private readonly settings: Settings,
    private readonly roots: RootsRepository,
    private readonly images: ScanRepository,
  ) {}

  /** @throws not-found `catalog_not_found`. */
  async scan(catalogId: string, context: ScanContext): Promise<ScanReport> {
    const roots = await this.roots.rootsOfCatalog(this.database, catalogId);
    const tally = new ScanTally();
    for (const root of roots) await this.scanRoot(root, context, tally);
    return tally.report();
  }

  /** Makes due what an older version of the analysis read, or everything. */
  async markOutdated(
    catalogId: string,
    context: ScanContext,
    options: { version: number; force: boolean },
  ): Promise<void> {
    let after: string | undefined;
    do {
      context.signal.throwIfAborted();
      after = await context.transaction((tx) => this.images.markOutdated(tx, catalogId, { ...options, after }));
    } while (after !== undefined);
  }

  /** Ids of the images whose files are to be read. */
  dueImages(catalogId: string): Promise<string[]> {
    return this.images.dueIds(this.database, catalogId);
  }

  private async scanRoot(root: Root, context: ScanContext, tally: ScanTally): Promise<void> {
    const finding = await probeRoot(root, this.roots.knownPaths(this.database, root.id));
    if (finding.state === 'offline') return this.leaveOffline(root, finding, { context, tally });
    const { fileSystemId } = finding;
    await this.setState(root, { state: 'online', fileSystemId }, context);
    const departed = new DepartedImages();
    for await (const listings of this.listings(root, context.signal)) {
      await this.compare(root, listings, { context, tally, departed });
    }
    // A disk that went away meanwhile looks like a disk whose files were deleted.
    if (!(await isStillThere(root.path, fileSystemId))) {
      const message = `${root.path} went away while it was being scanned`;
      return this.leaveOffline(root, { offlineReason: 'vanished', message }, { context, tally });
    }
    await this.addVanishedFolders(root, departed);
    await this.markMissing(root, departed, context);
  }

  /** A root's folders, several at a time. */
  private async *listings(root: Root, signal: AbortSignal): AsyncGenerator<FolderListing[]> {
    let batch: FolderListing[] = [];
    let photos = 0;
    for await (const listing of walkRoot(root.path, { leaveOut: [this.settings.dataDir], signal })) {
      batch.push(listing);
      photos += listing.photos.length;
      if (photos >= PHOTOS_A_COMPARISON || batch.length >= FOLDERS_A_COMPARISON) {
        yield batch;
        batch = [];
        photos = 0;
      }
    }
    if (batch.length > 0) yield batch;
  }

  private async compare(
    root: Root,
    listings: readonly FolderListing[],
    { context, tally, departed }: { context: ScanContext; tally: ScanTally; departed: DepartedImages },
  ): Promise<void> {
    const folders = listings.map(({ folder }) => folder);
    const known = await this.images.knownIn(this.database, root.id, folders);
    const added: (ListedPhoto & { folder: string })[] = [];
    const changed: FolderChanges['changed'][number][] = [];
    const restored: string[] = [];
    for (const listing of listings) {
      tally.listed(listing);
      departed.visited(listing);
      if (!listing.readable) continue;
      const changes = compareFolder(listing.photos, known.get(listing.folder) ?? []);
      for (const photo of changes.added) added.push({ ...photo, folder: listing.folder });
      changed.push(...changes.changed);
      restored.push(...changes.restored);
      for (const image of changes.departed) departed.add(listing.folder, image);
      tally.unchanged(changes.unchanged);
    }
    await inPieces(added, (piece) => context.transaction((tx) => this.images.add(tx, root, piece)));
    await inPieces(changed, (piece) => context.transaction((tx) => this.images.markChanged(tx, piece)));
    await inPieces(restored, (piece) =>
      context.transaction((tx) => this.images.markRestored(tx, piece, context.jobId)),
    );
  }

  /** Folders that were not come across at all are gone with all that was in them. */
  private async addVanishedFolders(root: Root, departed: DepartedImages): Promise<void> {
    const vanished: string[] = [];
    for await (const folder of this.images.knownFolders(this.database, root.id)) {
      if (departed.isGone(folder)) vanished.push(folder);
    }
    await inPieces(vanished, async (folders) => {
      for (const [folder, images] of await this.images.knownIn(this.database, root.id, folders)) {
        for (const image of compareFolder([], images).departed) departed.add(folder, image);
      }
    });
  }

  private async markMissing(root: Root, departed: DepartedImages, context: ScanContext): Promise<void> {
    await inPieces(await departed.confirmed(root.path), async (ids) => {
      await context.transaction((tx) => this.images.markMissing(tx, ids, context.jobId));
    });
  }

  private async leaveOffline(
    root: Root,
    { offlineReason, message }: { offlineReason: OfflineReason; message: string },
    { context, tally }: { context: ScanContext; tally: ScanTally },
  ): Promise<void> {
    this.logger.warn({ message: 'root is offline', rootPath: root.path, offlineReason, detail: message });
    tally.rootOffline(root.path, offlineReason, message);
    await this.setState(root, { state: 'offline', offlineReason }, context);
  }

  private async setState(
    root: Root,
    state: { state: Root['state']; offlineReason?: OfflineReason; fileSystemId?: string },
    context: ScanContext,
  ): Promise<void> {
    const move = { to: state.state, by: context.jobId, limit: ROWS_A_WRITE };
    // The images first: interrupted between the two, the next scan sees that the root has not been moved yet.
    for (let moved = root.state === state.state ? 0 : ROWS_A_WRITE; moved === ROWS_A_WRITE;) {
      moved = await context.transaction((tx) => this.roots.moveImages(tx, root.id, move));
    }
    const { offlineReason, fileSystemId = root.fileSystemId } = state;
    if (root.state !== state.state || root.offlineReason !== offlineReason || root.fileSystemId !== fileSystemId) {
      await context.transaction((tx) => this.roots.setState(tx, root.id, state));
    }
  }
}

async function inPieces<Item>(
  items: readonly Item[],
  work: (piece: readonly Item[]) => Promise<unknown>,
): Promise<void> {
  for (let start = 0; start < items.length; start += ROWS_A_WRITE) await work(items.slice(start, start + ROWS_A_WRITE));
}
