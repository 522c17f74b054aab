import { describeWithRedis, RedisServer } from '../../../support/redis-server.js';
import { itDispatchesTasks } from './conformance.js';

describe('PostgreSQL as dispatcher', () => {
  itDispatchesTasks(() => ({}));
});

describeWithRedis('BullMQ on Redis as dispatcher', () => {
  let redis: RedisServer;

  beforeAll(async () => {
    redis = await RedisServer.start();
  });

  beforeEach(() => redis.ask((client) => client.flushall()));

  afterAll(() => redis.remove());

  itDispatchesTasks(() => ({ PHOTOSAFE_DISPATCH: 'redis', REDIS_URL: redis.url }));
});
