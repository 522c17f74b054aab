import { Module } from '@nestjs/common';
import { TasksModule } from '../tasks/index.js';
import { CatalogsController } from './catalogs.controller.js';
import { CatalogsModule } from './catalogs.module.js';
import { JobsController } from './jobs.controller.js';

/** Catalogues and their jobs over HTTP. */
@Module({ imports: [CatalogsModule, TasksModule], controllers: [CatalogsController, JobsController] })
export class CatalogsHttpModule {}
