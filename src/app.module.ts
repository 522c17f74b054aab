import { type DynamicModule, Module } from '@nestjs/common';
import { AccessHttpModule } from './access/access-http.module.js';
import { AccessModule } from './access/index.js';
import type { Settings } from './platform/config/settings.js';
import { CatalogsHttpModule } from './catalogs/catalogs-http.module.js';
import { CatalogsModule } from './catalogs/index.js';
import { ImagesHttpModule } from './images/images-http.module.js';
import { ImagesModule } from './images/index.js';
import { MaintenanceModule } from './maintenance/index.js';
import { HealthModule } from './platform/health/health.module.js';
import { Entrance } from './platform/http/entrance.js';
import { HttpModule } from './platform/http/http.module.js';
import { PlatformModule } from './platform/platform.module.js';
import { StorageModule } from './storage/index.js';
import { TrailMarkerModule } from './tasks/events/trail-marker.module.js';
import { TasksModule } from './tasks/index.js';
import { TasksHttpModule } from './tasks/tasks-http.module.js';
import { SchedulerModule } from './tasks/schedules/scheduler.module.js';
import { WebhookDispatchModule } from './tasks/webhooks/webhook-dispatch.module.js';

/** The table of contents, from the ground up: each line may use those above it, and none below. */
export const MODULES = [AccessModule, TasksModule, StorageModule, ImagesModule, CatalogsModule, MaintenanceModule];

/** The same for HTTP. Apart, because commands and workers start quicker without controllers and their documentation. */
const HTTP_MODULES = [HealthModule, AccessHttpModule, TasksHttpModule, ImagesHttpModule, CatalogsHttpModule];

/** What a process does by itself for as long as it runs, unlike a command. */
const AT_WORK = [SchedulerModule, TrailMarkerModule, WebhookDispatchModule];

@Module({})
export class AppModule {
  /** A process that answers HTTP. Whether it also works on tasks is in `settings.role`. */
  static forServer(settings: Settings, entrance: Entrance): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.forRoot(settings),
        HttpModule.forRoot(entrance),
        ...MODULES,
        ...AT_WORK,
        ...HTTP_MODULES,
      ],
    };
  }

  /** A process that only works on tasks. */
  static forWorker(settings: Settings): DynamicModule {
    return { module: AppModule, imports: [PlatformModule.forRoot(settings), ...MODULES, ...AT_WORK] };
  }
}
