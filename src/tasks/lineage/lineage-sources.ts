import { Injectable, type Provider } from '@nestjs/common';
import type { LineageSource } from './lineage-source.js';

/** The artefacts that there are in this application; features add theirs at boot. */
@Injectable()
export class LineageSources {
  private readonly byKind = new Map<string, LineageSource>();

  /** Two sources of a kind stop the boot. */
  add(source: LineageSource): void {
    if (this.byKind.has(source.kind)) throw new Error(`two lineage sources are of the kind ${source.kind}`);
    this.byKind.set(source.kind, source);
  }

  /** In the order of their kinds. */
  all(): readonly LineageSource[] {
    return [...this.byKind.values()].sort((a, b) => (a.kind < b.kind ? -1 : 1));
  }
}

/** The one line in a feature's module: `providers: [...lineageSources(thumbnailLineage)]`. The engine knows no feature. */
export const lineageSources = (...sources: readonly LineageSource[]): Provider[] => [
  {
    provide: Symbol('lineage sources'),
    inject: [LineageSources],
    useFactory: (known: LineageSources): readonly LineageSource[] => {
      for (const source of sources) known.add(source);
      return sources;
    },
  },
];
