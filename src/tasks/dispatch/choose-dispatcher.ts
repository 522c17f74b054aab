import type { FactoryProvider } from '@nestjs/common';
import { Settings } from '../../platform/config/settings.js';
import { Degradations } from '../../platform/health/degradations.js';
import { EnginePool } from '../queue/engine-pool.js';
import { Wakeup } from '../queue/wakeup.js';
import { BullmqDispatcher } from './bullmq/bullmq-dispatcher.js';
import { DispatchMetrics } from './dispatch-metrics.js';
import { Dispatcher } from './dispatcher.js';
import { PostgresDispatcher } from './postgres-dispatcher.js';

/** The dispatcher that the settings name. BullMQ itself is loaded with the first connection to Redis. */
export const DISPATCHER: FactoryProvider<Dispatcher> = {
  provide: Dispatcher,
  inject: [Settings, EnginePool, Wakeup, DispatchMetrics, Degradations],
  useFactory: (...injected: [Settings, EnginePool, Wakeup, DispatchMetrics, Degradations]) => {
    const [{ dispatch, redisUrl: url, redisPrefix: prefix }, pool, wakeup, metrics, degradations] = injected;
    if (dispatch !== 'redis' || url === undefined) return new PostgresDispatcher();
    return new BullmqDispatcher({ pool, wakeup, metrics, degradations }, { url, prefix });
  },
};
