import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { isUUID } from 'class-validator';
import type { Response } from 'express';
import { type Actor, CurrentActor, Roles } from '../../access/index.js';
import { cursorAfter, decodeCursor } from '../../platform/http/cursor.js';
import { PageQueryDto } from '../../platform/http/dto/page.dto.js';
import { UuidPipe } from '../../platform/http/uuid.pipe.js';
import { WebhookService } from '../webhooks/webhook.service.js';
import {
  changesOf,
  CreatedWebhookDto,
  CreateWebhookDto,
  termsOf,
  toDeliveryDto,
  toWebhookDto,
  UpdateWebhookDto,
  WebhookDeliveryDto,
  WebhookDeliveryListDto,
  WebhookDto,
  WebhookPageDto,
} from './dto/webhook.dto.js';

@ApiTags('events')
@Controller('webhooks')
@Roles('admin')
export class WebhooksController {
  constructor(private readonly webhooks: WebhookService) {}

  /** Has events sent to an address, from now on, signed as Standard Webhooks says. The secret is in this answer and nowhere else. */
  @Post()
  async createWebhook(
    @Body() body: CreateWebhookDto,
    @CurrentActor() actor: Actor,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CreatedWebhookDto> {
    const { webhook, secret } = await this.webhooks.create(termsOf(body), actor.label);
    response.setHeader('Location', `/api/webhooks/${webhook.id}`).setHeader('Cache-Control', 'no-store');
    return Object.assign(toWebhookDto(webhook), { secret });
  }

  /** Webhooks, oldest first. */
  @Get()
  async listWebhooks(@Query() { limit, cursor }: PageQueryDto): Promise<WebhookPageDto> {
    const [after] = cursor === undefined ? [] : decodeCursor(cursor, 1, ([id]) => isUUID(id));
    const items = await this.webhooks.list({ limit, after });
    return { items: items.map(toWebhookDto), next_cursor: cursorAfter(items, limit) };
  }

  /** One webhook. */
  @Get(':id')
  async getWebhook(@Param('id', UuidPipe) id: string): Promise<WebhookDto> {
    return toWebhookDto(await this.webhooks.get(id));
  }

  /** Changes what is given. What had not been taken by then is sent by the new terms. */
  @Patch(':id')
  async updateWebhook(
    @Param('id', UuidPipe) id: string,
    @Body() body: UpdateWebhookDto,
    @CurrentActor() actor: Actor,
  ): Promise<WebhookDto> {
    return toWebhookDto(await this.webhooks.update(id, changesOf(body), actor.label));
  }

  /** Nothing more is sent. */
  @Delete(':id')
  @HttpCode(204)
  async deleteWebhook(@Param('id', UuidPipe) id: string): Promise<void> {
    await this.webhooks.remove(id);
  }

  /** Sends a signed message without events now, and answers with what the receiver made of it. */
  @Post(':id/ping')
  @HttpCode(200)
  async pingWebhook(@Param('id', UuidPipe) id: string): Promise<WebhookDeliveryDto> {
    return toDeliveryDto(await this.webhooks.ping(id));
  }

  /** The last hundred attempts to deliver, newest first. */
  @Get(':id/deliveries')
  async listWebhookDeliveries(@Param('id', UuidPipe) id: string): Promise<WebhookDeliveryListDto> {
    return { items: (await this.webhooks.deliveries(id)).map(toDeliveryDto) };
  }

  /** Sends a delivery of that list again, under the same id, and answers with what the receiver made of it. */
  @Post(':id/deliveries/:delivery_id/redeliver')
  @HttpCode(200)
  async redeliverWebhookDelivery(
    @Param('id', UuidPipe) id: string,
    @Param('delivery_id', UuidPipe) deliveryId: string,
  ): Promise<WebhookDeliveryDto> {
    return toDeliveryDto(await this.webhooks.redeliver(id, deliveryId));
  }
}
