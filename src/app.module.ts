import { type DynamicModule, Module } from '@nestjs/common';
import { AccessHttpModule } from './access/access-http.module.js';
import { AccessModule } from './access/index.js';
import type { Settings } from './platform/config/settings.js';
import { CatalogsHttpModule, CatalogsModule } from './catalogs/index.js';
import { ImagesHttpModule, ImagesModule } from './images/index.js';
import { HealthModule } from './platform/health/health.module.js';
import { Entrance } from './platform/http/entrance.js';
import { HttpModule } from './platform/http/http.module.js';
import { PlatformModule } from './platform/platform.module.js';
import { StorageModule } from './storage/index.js';
import { TasksHttpModule, TasksModule } from './tasks/index.js';

/** The table of contents, from the ground up: each line may use those above it, and none below. */
const MODULES = [AccessModule, TasksModule, StorageModule, ImagesModule, CatalogsModule];

/** The same for HTTP. Apart, because commands and workers start quicker without controllers and their documentation. */
const HTTP_MODULES = [HealthModule, AccessHttpModule, TasksHttpModule, ImagesHttpModule, CatalogsHttpModule];

@Module({})
export class AppModule {
  /** A process that answers HTTP. Whether it also works on tasks is in `settings.role`. */
  static forServer(settings: Settings, entrance: Entrance): DynamicModule {
    return {
      module: AppModule,
      imports: [PlatformModule.forRoot(settings), HttpModule.forRoot(entrance), ...MODULES, ...HTTP_MODULES],
    };
  }

  /** A process that only works on tasks. */
  static forWorker(settings: Settings): DynamicModule {
    return { module: AppModule, imports: [PlatformModule.forRoot(settings), ...MODULES] };
  }
}
