import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { isUUID } from 'class-validator';
import type { Response } from 'express';
import { type Actor, CurrentActor, Roles } from '../access/index.js';
import { sweepBlobs } from '../images/index.js';
import { cursorAfter, decodeCursor } from '../platform/http/cursor.js';
import { PageQueryDto } from '../platform/http/dto/page.dto.js';
import { UuidPipe } from '../platform/http/uuid.pipe.js';
import { TaskService } from '../tasks/index.js';
import { toCatalogDto, toPlanDto } from './catalog-json.js';
import { CatalogsService } from './catalogs.service.js';
import {
  CatalogDto,
  CatalogPageDto,
  CoverageDto,
  CreateCatalogDto,
  PlanDto,
  UpdateCatalogDto,
} from './dto/catalog.dto.js';
import { RebuildService } from './rebuild.service.js';

@ApiTags('catalogs')
@Controller('catalogs')
export class CatalogsController {
  constructor(
    private readonly catalogs: CatalogsService,
    private readonly rebuilds: RebuildService,
    private readonly tasks: TaskService,
  ) {}

  /** Makes a catalogue of folders. Nothing is read yet: `POST /jobs/rebuild` does that. */
  @Post()
  @Roles('operator')
  async createCatalog(
    @Body() body: CreateCatalogDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CatalogDto> {
    const catalog = await this.catalogs.create(body);
    response.setHeader('Location', `/api/catalogs/${catalog.id}`);
    return toCatalogDto(catalog);
  }

  /** Catalogues, oldest first. */
  @Get()
  @Roles('viewer')
  async listCatalogs(@Query() { limit, cursor }: PageQueryDto): Promise<CatalogPageDto> {
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1, ([id]) => isUUID(id));
    const items = await this.catalogs.list({ limit, after });
    return { items: items.map(toCatalogDto), next_cursor: cursorAfter(items, limit) };
  }

  /** One catalogue. */
  @Get(':id')
  @Roles('viewer')
  async getCatalog(@Param('id', UuidPipe) id: string): Promise<CatalogDto> {
    return toCatalogDto(await this.catalogs.get(id));
  }

  /** Renames a catalogue, or gives it other folders. */
  @Patch(':id')
  @Roles('operator')
  async updateCatalog(
    @Param('id', UuidPipe) id: string,
    @Body() { name, roots }: UpdateCatalogDto,
  ): Promise<CatalogDto> {
    const changes = { name: name ?? undefined, roots: roots ?? undefined };
    return toCatalogDto(await this.catalogs.update(id, changes));
  }

  /** Forgets a catalogue and all that is known of its images. Originals stay as they are. 409 while jobs work on it. */
  @Delete(':id')
  @Roles('admin')
  @HttpCode(204)
  async deleteCatalog(@Param('id', UuidPipe) id: string, @CurrentActor() actor: Actor): Promise<void> {
    await this.rebuilds.assertIdle(id);
    await this.catalogs.remove(id);
    await this.tasks.enqueue(sweepBlobs, {}, { actor: actor.label });
  }

  /** For each kind of metadata, how many images have it and how many lack it. */
  @Get(':id/coverage')
  @Roles('viewer')
  async getCatalogCoverage(@Param('id', UuidPipe) id: string): Promise<CoverageDto> {
    await this.catalogs.get(id);
    const [kinds, failures] = await Promise.all([this.rebuilds.coverage(id), this.rebuilds.failures(id)]);
    return { catalog_id: id, kinds, failures };
  }

  /** What a rebuild would do now. */
  @Get(':id/plan')
  @Roles('viewer')
  async getCatalogPlan(@Param('id', UuidPipe) id: string): Promise<PlanDto> {
    await this.catalogs.get(id);
    return toPlanDto(id, await this.rebuilds.plan(id));
  }
}
