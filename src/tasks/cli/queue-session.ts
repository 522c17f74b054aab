import type { ApplicationEntry } from '../../platform/cli/application-entry.js';
import { withApplication } from '../../platform/cli/with-application.js';
import type { LimitsService } from '../limits/limits.service.js';
import type { QueueOverview } from '../limits/queue-overview.js';
import type { TypeLimits } from '../limits/type-limits.js';

/** What commands about queues and limits use. */
export interface QueueSession {
  readonly queues: QueueOverview;
  readonly limits: LimitsService;
  readonly types: TypeLimits;
  /** The person at the command line, for the audit trail. */
  readonly actor: string;
}

/** With all modules: which queues and types there are is known to those that define them. */
export async function withQueues(
  entry: ApplicationEntry,
  work: (session: QueueSession) => Promise<void>,
): Promise<void> {
  const [modules, { cliActor }, overview, service, types] = await Promise.all([
    entry.modules(),
    import('../../access/index.js'),
    import('../limits/queue-overview.js'),
    import('../limits/limits.service.js'),
    import('../limits/type-limits.js'),
  ]);
  await withApplication(modules, async (app) => {
    const get: typeof app.get = (token: never) => app.get(token, { strict: false });
    await work({
      queues: get(overview.QueueOverview),
      limits: get(service.LimitsService),
      types: get(types.TypeLimits),
      actor: cliActor().label,
    });
  });
}
