import { Injectable } from '@nestjs/common';
import { CoverageService, type FailureCount, type KindCoverage } from '../images/index.js';
import { conflict } from '../platform/errors/app-error.js';
import { isFinished, type Json, TASK_STATUSES, TaskService } from '../tasks/index.js';

/** One phase of a rebuild as it would be now. */
export interface PlannedPhase {
  readonly type: string;
  /** Images it would work on; the analysis also looks for files that are not known yet. */
  readonly items: number;
  readonly dependsOn: readonly string[];
  /** Phases of one group can run at the same time. */
  readonly group: number;
  /** At the rate of the last runs; undefined before the first. */
  readonly estimateSeconds: number | undefined;
}

export interface RebuildPlan {
  readonly phases: readonly PlannedPhase[];
  readonly criticalPath: readonly string[];
  readonly estimateSeconds: number | undefined;
}

/** In the order of a rebuild: which kinds of metadata a phase makes, and what it needs. */
const PHASES = [
  { type: 'analyze', kind: 'metadata', dependsOn: [] },
  { type: 'thumbnails', kind: 'thumbnails', dependsOn: ['analyze'] },
] as const;

/** The types of task that work on a whole catalogue. */
export const JOB_TYPES = ['analyze', 'thumbnails', 'rebuild'] as const;
const UNFINISHED = TASK_STATUSES.filter((status) => !isFinished(status));
/** A catalogue has at most one unfinished job of a type. */
const UNFINISHED_LOOKED_AT = 1_000;

/** What a rebuild would do, and what it has come to. */
@Injectable()
export class RebuildService {
  constructor(
    private readonly coverageOf: CoverageService,
    private readonly tasks: TaskService,
  ) {}

  coverage(catalogId: string): Promise<KindCoverage[]> {
    return this.coverageOf.coverage(catalogId);
  }

  failures(catalogId: string): Promise<FailureCount[]> {
    return this.coverageOf.failures(catalogId);
  }

  async plan(catalogId: string): Promise<RebuildPlan> {
    const coverage = new Map((await this.coverage(catalogId)).map((kind) => [kind.kind, kind]));
    const phases = await Promise.all(
      PHASES.map(async ({ type, kind, dependsOn }, group): Promise<PlannedPhase> => {
        const items = coverage.get(kind)?.gap ?? 0;
        const perSecond = await this.tasks.itemsPerSecond(type);
        const estimateSeconds = items === 0 ? 0 : perSecond && Math.ceil(items / perSecond);
        return { type, items, dependsOn, group, estimateSeconds };
      }),
    );
    const estimates = phases.map((phase) => phase.estimateSeconds);
    const known = estimates.filter((estimate) => estimate !== undefined);
    return {
      phases,
      criticalPath: phases.map((phase) => phase.type),
      estimateSeconds: known.length === estimates.length ? known.reduce((sum, one) => sum + one, 0) : undefined,
    };
  }

  /** @throws conflict `catalog_busy` while a job works on the catalogue: its results would have nowhere to go. */
  async assertIdle(catalogId: string): Promise<void> {
    const unfinished = await this.tasks.list(
      { types: JOB_TYPES, statuses: UNFINISHED, topLevel: true },
      { limit: UNFINISHED_LOOKED_AT },
    );
    const busy = unfinished.find(({ params }) => (params as { catalog_id?: unknown }).catalog_id === catalogId);
    if (busy !== undefined) {
      throw conflict(
        'catalog_busy',
        `${busy.name} (${busy.id}) works on this catalogue: cancel it, or wait for its end`,
      );
    }
  }

  /** What a rebuild's result says beside the results of its phases. */
  async outcome(catalogId: string, phases: readonly Json[]): Promise<Record<string, Json>> {
    const upToDate = phases.every((phase) => (phase as { up_to_date?: boolean } | null)?.up_to_date === true);
    return {
      coverage: (await this.coverage(catalogId)).map((kind) => ({ ...kind })),
      up_to_date: upToDate,
      message: upToDate ? 'Everything was up to date: nothing was done.' : 'Rebuilt what was missing.',
    };
  }
}
