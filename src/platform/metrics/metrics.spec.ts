import { Metrics } from './metrics.js';

describe('the metrics', () => {
  it('show each watched pool, and two sets of them do not clash', async () => {
    const metrics = new Metrics();
    new Metrics();
    metrics.watchPool('requests', { totalCount: 4, idleCount: 3, waitingCount: 0 });
    metrics.watchPool('engine', { totalCount: 2, idleCount: 0, waitingCount: 7 });
    metrics.watchPool('gone', { totalCount: 1, idleCount: 0, waitingCount: 0, ended: true });
    const text = await metrics.registry.metrics();
    expect(text.split('\n').filter((line) => line.startsWith('photosafe_database_pool_'))).toEqual([
      'photosafe_database_pool_connections{pool="requests"} 4',
      'photosafe_database_pool_connections{pool="engine"} 2',
      'photosafe_database_pool_connections_idle{pool="requests"} 3',
      'photosafe_database_pool_connections_idle{pool="engine"} 0',
      'photosafe_database_pool_waiting{pool="requests"} 0',
      'photosafe_database_pool_waiting{pool="engine"} 7',
    ]);
    expect(text).toContain('nodejs_eventloop_lag_seconds');
  });
});
