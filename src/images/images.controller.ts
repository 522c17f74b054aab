import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiProduces, ApiResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Roles } from '../access/index.js';
import { ProblemDto } from '../platform/http/dto/problem.dto.js';
import { UuidPipe } from '../platform/http/uuid.pipe.js';
import { LineageService } from '../tasks/index.js';
import { SubjectLineageDto, toSubjectLineageDto } from '../tasks/tasks-http.module.js';
import { ImageDetailsDto, ImagePageDto, toImageDetailsDto, toImageDto } from './dto/image.dto.js';
import { filterOf, ListImagesDto, orderOf } from './dto/list-images.dto.js';
import { ThumbnailParamsDto } from './dto/thumbnail-params.dto.js';
import { decodeImageCursor, encodeImageCursor } from './image-query.js';
import { ImagesService } from './images.service.js';
import { OriginalsService } from './originals.service.js';
import { sendFile, sendThumbnail } from './send-file.js';

const BYTES = { type: 'string', format: 'binary' } as const;
const NOT_MODIFIED = { status: 304, description: 'What If-None-Match names is still what there is.' } as const;

@ApiTags('images')
@Controller('images')
@Roles('viewer')
export class ImagesController {
  constructor(
    private readonly images: ImagesService,
    private readonly originals: OriginalsService,
    private readonly lineage: LineageService,
  ) {}

  /** Images of a catalogue, filtered and sorted. */
  @Get()
  async listImages(@Query() query: ListImagesDto): Promise<ImagePageDto> {
    const [filter, order] = [filterOf(query), orderOf(query)];
    const after = query.cursor === undefined ? undefined : decodeImageCursor(order, query.cursor);
    const { items, next } = await this.images.list(filter, { ...order, limit: query.limit, after });
    return {
      items: items.map(toImageDto),
      ...(query.with_total && { total: await this.images.count(filter) }),
      next_cursor: next === undefined ? null : encodeImageCursor(order, next),
    };
  }

  /** One image: all facts, what is wrong with it, its thumbnails, and which tasks made what. */
  @Get(':id')
  async getImage(@Param('id', UuidPipe) id: string): Promise<ImageDetailsDto> {
    return toImageDetailsDto(await this.images.get(id));
  }

  /** Which task, of which type and version, made each part of what is known of an image, and from which content. */
  @Get(':id/lineage')
  async getImageLineage(@Param('id', UuidPipe) id: string): Promise<SubjectLineageDto> {
    const image = await this.images.get(id);
    return toSubjectLineageDto(await this.lineage.ofSubject('image', image.id));
  }

  /**
   * A thumbnail of what the image holds now. The code of a 404 says whether it will come (`thumbnail_pending`) or not
   * (`thumbnail_failed`).
   */
  @Get(':id/thumbnail/:size')
  @ApiProduces('image/jpeg')
  @ApiOkResponse({ description: 'The picture.', schema: BYTES })
  @ApiResponse(NOT_MODIFIED)
  async getThumbnail(
    @Param() { id, size }: ThumbnailParamsDto,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await sendThumbnail(await this.images.thumbnail(id, size), request, response);
  }

  /** The photo file itself. Ranges are answered; 503 while its folder is offline. */
  @Get(':id/original')
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ description: 'The file.', schema: BYTES })
  @ApiResponse({ status: 206, description: 'The part of it that Range names.', schema: BYTES })
  @ApiResponse(NOT_MODIFIED)
  @ApiResponse({
    status: 416,
    description: 'The file has no such part; Content-Range says how long it is.',
    content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDto) } } },
  })
  async getOriginal(
    @Param('id', UuidPipe) id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await sendFile(await this.originals.open(id), request, response);
  }
}
