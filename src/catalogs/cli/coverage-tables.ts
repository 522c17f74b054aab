import { table } from '../../platform/cli/output.js';
import type { FailureCount, KindCoverage } from '../../images/index.js';
import type { RebuildPlan } from '../rebuild.service.js';

export const coverageTable = (kinds: readonly KindCoverage[]): Promise<string> =>
  table(
    ['metadata', 'eligible', 'done', 'absent', 'failed', 'gap', 'dealt with'],
    kinds.map((kind) => [
      kind.kind,
      kind.eligible,
      kind.done,
      kind.absent,
      kind.failed,
      kind.gap,
      `${kind.percentage.toFixed(2)} %`,
    ]),
  );

export async function failuresTable(failures: readonly FailureCount[]): Promise<string> {
  if (failures.length === 0) return 'No file has an error.';
  return table(
    ['phase', 'error', 'files'],
    failures.map(({ phase, code, count }) => [phase, code, count]),
  );
}

export const planTable = ({ phases }: RebuildPlan): Promise<string> =>
  table(
    ['phase', 'items', 'needs', 'estimate'],
    phases.map((phase) => [
      phase.type,
      phase.items,
      phase.dependsOn.join(', '),
      phase.estimateSeconds === undefined ? 'not known yet' : `${String(phase.estimateSeconds)} s`,
    ]),
  );
