import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ImagesModule } from '../images/index.js';
import { taskHandlers, TasksModule } from '../tasks/index.js';
import { CatalogEntity } from './catalog.entity.js';
import { CatalogsRepository } from './catalogs.repository.js';
import { CatalogsService } from './catalogs.service.js';
import { RebuildService } from './rebuild.service.js';
import { RebuildHandler } from './tasks/rebuild.task.js';

/** Catalogues, and the work on a whole one: what is missing, in which order it is made, and making it. */
@Module({
  imports: [TypeOrmModule.forFeature([CatalogEntity]), ImagesModule, TasksModule],
  providers: [CatalogsRepository, CatalogsService, RebuildService, ...taskHandlers(RebuildHandler)],
  exports: [CatalogsService, RebuildService],
})
export class CatalogsModule {}
