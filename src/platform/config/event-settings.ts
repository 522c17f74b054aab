import { IsBoolean, IsIn, IsInt, Max, Min } from 'class-validator';
import { lowerCase, trueOrFalse, wholeNumber } from './parse.js';
import { TracingSettings } from './tracing-settings.js';
import { FromVariable } from './variable.js';

const WEBHOOK_NETWORKS = ['private', 'public'] as const;

/** Whom events are told, where they are sent, and what they start. */
export class EventSettings extends TracingSettings {
  @FromVariable({
    name: 'PHOTOSAFE_EVENT_STREAMS',
    default: '1000',
    allowed: 'a whole number from 0 to 100000',
    meaning: 'How many clients may follow GET /api/events of this process at once.',
    parse: wholeNumber,
  })
  @IsInt()
  @Min(0)
  @Max(100_000)
  readonly eventStreams: number;

  @FromVariable({
    name: 'PHOTOSAFE_WEBHOOK_NETWORKS',
    default: 'private',
    allowed: WEBHOOK_NETWORKS.join(', '),
    meaning:
      'Where webhooks may be sent: to public addresses only, or to this machine and private networks as well. Never to ' +
      'link-local addresses, at which clouds keep secrets.',
    parse: lowerCase,
  })
  @IsIn(WEBHOOK_NETWORKS)
  readonly webhookNetworks: (typeof WEBHOOK_NETWORKS)[number];

  @FromVariable({
    name: 'PHOTOSAFE_THUMBNAILS_ON_IMPORT',
    default: 'false',
    allowed: 'true, false',
    meaning: 'Whether new photos get their thumbnails as soon as they have been analysed, without a rebuild.',
    parse: trueOrFalse,
  })
  @IsBoolean()
  readonly thumbnailsOnImport: boolean;
}
