import { Global, Module } from '@nestjs/common';
import { Degradations } from '../health/degradations.js';
import { Metrics } from './metrics.js';
import { MetricsServer } from './metrics-server.js';

const OBSERVED = [Metrics, MetricsServer, Degradations];

@Global()
@Module({ providers: OBSERVED, exports: OBSERVED })
export class MetricsModule {}
