import { PartialType } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsNotEmpty,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
} from 'class-validator';
import { given } from '../../../platform/values/given.js';
import type { TaskStatus } from '../../task-state.js';
import type { DeliveryAttempt, DisabledReason, Webhook, WebhookTerms } from '../../webhooks/webhook.js';
import { IsListOfStatuses, statusesOf } from '../status-words.js';

const MOST_TYPES = 100;
const MOST_STATUSES = 100;

export class CreateWebhookDto {
  /**
   * What it is called in lists; unique.
   * @example "chat"
   */
  @IsString()
  @Matches(/^[^\p{C}]{1,100}$/u, { message: 'must have 1 to 100 characters that can be seen' })
  name: string;

  /**
   * Where events are sent: http:// or https://. Redirects are not followed.
   * @example "https://example.com/hooks/photosafe"
   */
  @IsString()
  @IsNotEmpty()
  @MaxLength(2_000)
  url: string;

  /**
   * Only tasks that enter one of these; left out, or null: all. In any letter case; `pending` means created and queued,
   * `succeeded` completed.
   * @example ["completed", "failed"]
   */
  @IsOptional()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(MOST_STATUSES)
  @IsListOfStatuses()
  statuses?: string[] | null;

  /** Only tasks of these types, in any letter case; left out, or null: all. */
  @IsOptional()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(MOST_TYPES)
  @IsString({ each: true })
  @Matches(/^[A-Za-z][\w.-]{0,199}$/, { each: true, message: 'must be names of task types' })
  types?: string[] | null;

  /** Only tasks that are not batches of another. */
  @IsOptional()
  @IsBoolean()
  top_level?: boolean;
}

export class UpdateWebhookDto extends PartialType(CreateWebhookDto) {
  /** `true` delivers again, from where it had come if that is less than a day ago; `false` stops it. */
  @IsOptional()
  @IsBoolean()
  enabled?: boolean;
}

export class WebhookDto {
  id: string;
  name: string;
  url: string;
  statuses: TaskStatus[] | null;
  types: string[] | null;
  top_level: boolean;
  enabled: boolean;
  /** `by_hand`; `gone`: the receiver answered 410; `failing`: nothing was taken for a day. */
  disabled_reason: DisabledReason | null;
  disabled_at: Date | null;
  /** Since when nothing has been taken. */
  failing_since: Date | null;
  /** Failed attempts at what is being delivered. */
  failed_attempts: number;
  /** Only while failing. */
  next_attempt_at: Date | null;
  created_at: Date;
  created_by: string;
  updated_at: Date;
  updated_by: string;
}

export class CreatedWebhookDto extends WebhookDto {
  /** Verifies what is sent (Standard Webhooks). Shown this once. */
  secret: string;
}

export class WebhookPageDto {
  items: WebhookDto[];
  next_cursor: string | null;
}

export class WebhookDeliveryDto {
  /** The `webhook-id` of the message: the same for every attempt. */
  id: string;
  attempt: number;
  events: number;
  /** The status that the receiver answered with. */
  status: number | null;
  /** Why it was not taken. */
  error: string | null;
  duration_ms: number;
  at: Date;
}

export class WebhookDeliveryListDto {
  items: WebhookDeliveryDto[];
}

export const toWebhookDto = (webhook: Webhook): WebhookDto => ({
  id: webhook.id,
  name: webhook.name,
  url: webhook.url,
  statuses: webhook.statuses === null ? null : [...webhook.statuses],
  types: webhook.types === null ? null : [...webhook.types],
  top_level: webhook.topLevel,
  enabled: webhook.disabledAt === null,
  disabled_reason: webhook.disabledReason,
  disabled_at: webhook.disabledAt,
  failing_since: webhook.failingSince,
  failed_attempts: webhook.attempt,
  next_attempt_at: webhook.failingSince === null ? null : webhook.nextAttemptAt,
  created_at: webhook.createdAt,
  created_by: webhook.createdBy,
  updated_at: webhook.updatedAt,
  updated_by: webhook.updatedBy,
});

export const toDeliveryDto = (attempt: DeliveryAttempt): WebhookDeliveryDto => ({
  id: attempt.deliveryId,
  attempt: attempt.attempt,
  events: attempt.events,
  status: attempt.status,
  error: attempt.error,
  duration_ms: attempt.durationMs,
  at: attempt.at,
});

export const termsOf = (body: CreateWebhookDto): WebhookTerms => ({
  name: body.name,
  url: body.url,
  statuses: body.statuses ? statusesOf(body.statuses) : null,
  types: body.types?.map((type) => type.toLowerCase()) ?? null,
  topLevel: body.top_level ?? false,
});

/** Only what was sent; null is not, but for types and statuses, where it means all. */
export function changesOf({ name, url, enabled, top_level: topLevel, types, statuses }: UpdateWebhookDto) {
  return given({
    name: name ?? undefined,
    url: url ?? undefined,
    enabled: enabled ?? undefined,
    topLevel: topLevel ?? undefined,
    types: types?.map((type) => type.toLowerCase()) ?? types,
    statuses: statuses ? statusesOf(statuses) : statuses,
  });
}
