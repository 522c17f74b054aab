import { type DynamicModule, Module } from '@nestjs/common';
import { ClockModule } from './clock/clock.module.js';
import type { Settings } from './config/settings.js';
import { SettingsModule } from './config/settings.module.js';
import type { Patience } from './database/connect-with-retry.js';
import { DatabaseModule } from './database/database.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { TracingModule } from './tracing/tracing.module.js';

/** What every process has, server or command: settings, the time, metrics, traces, the database. All of it is global. */
@Module({})
export class PlatformModule {
  /** `patience`: how long to wait for the database; for ever when left out. */
  static forRoot(settings: Settings, patience: Patience = {}): DynamicModule {
    return {
      module: PlatformModule,
      imports: [
        SettingsModule.forRoot(settings),
        ClockModule,
        MetricsModule,
        TracingModule,
        DatabaseModule.forRoot(patience),
      ],
    };
  }
}
