import { IsBoolean, IsIn, IsObject, IsOptional, IsUrl, Max, Min } from 'class-validator';
import { keyValuePairs, lowerCase, realNumber, trueOrFalse } from './parse.js';
import { FromVariable } from './variable.js';

const PROTOCOLS = ['http/protobuf', 'http/json'] as const;
const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

const URL_RULE = { protocols: ['http', 'https'], require_protocol: true, require_tld: false };

/** OpenTelemetry's own variables, as far as they say something about traces. */
export class TracingSettings {
  @FromVariable({
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    allowed: 'an http:// or https:// address',
    meaning: 'Where traces go, by OTLP over HTTP: the address of a collector, without /v1/traces. Unset: no traces.',
  })
  @IsOptional()
  @IsUrl(URL_RULE)
  readonly otlpEndpoint?: string;

  @FromVariable({
    name: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
    allowed: 'an http:// or https:// address',
    meaning: 'The same in full, as it is posted to. It wins over OTEL_EXPORTER_OTLP_ENDPOINT.',
  })
  @IsOptional()
  @IsUrl(URL_RULE)
  readonly otlpTracesEndpoint?: string;

  @FromVariable({
    name: 'OTEL_EXPORTER_OTLP_PROTOCOL',
    default: 'http/protobuf',
    allowed: PROTOCOLS.join(', '),
    meaning: 'How traces are encoded.',
    parse: lowerCase,
  })
  @IsIn(PROTOCOLS)
  readonly otlpProtocol: (typeof PROTOCOLS)[number];

  @FromVariable({
    name: 'OTEL_EXPORTER_OTLP_HEADERS',
    allowed: 'name=value pairs, comma-separated, values percent-encoded',
    meaning: 'Sent with every batch of traces, for example a key of the collector.',
    parse: keyValuePairs,
    secret: true,
  })
  @IsOptional()
  @IsObject()
  readonly otlpHeaders?: Readonly<Record<string, string>>;

  @FromVariable({
    name: 'OTEL_SERVICE_NAME',
    default: 'photosafe',
    allowed: 'any text',
    meaning: 'What this process is called in traces.',
  })
  readonly otelServiceName: string;

  @FromVariable({
    name: 'OTEL_RESOURCE_ATTRIBUTES',
    allowed: 'name=value pairs, comma-separated, values percent-encoded',
    meaning: 'What else traces say of this process, for example deployment.environment.name=production.',
    parse: keyValuePairs,
  })
  @IsOptional()
  @IsObject()
  readonly otelResourceAttributes?: Readonly<Record<string, string>>;

  @FromVariable({
    name: 'OTEL_TRACES_SAMPLER',
    default: 'parentbased_always_on',
    allowed: SAMPLERS.join(', '),
    meaning: 'Which traces are recorded. "parentbased": what the caller of a request decided holds.',
    parse: lowerCase,
  })
  @IsIn(SAMPLERS)
  readonly otelTracesSampler: (typeof SAMPLERS)[number];

  @FromVariable({
    name: 'OTEL_TRACES_SAMPLER_ARG',
    default: '1',
    allowed: 'a number from 0 to 1',
    meaning: 'The share of traces that a sampler with "traceidratio" records.',
    parse: realNumber,
  })
  @Min(0)
  @Max(1)
  readonly otelTracesSamplerArg: number;

  @FromVariable({
    name: 'OTEL_SDK_DISABLED',
    default: 'false',
    allowed: 'true, false',
    meaning: 'true: no traces, whatever else is set.',
    parse: trueOrFalse,
  })
  @IsBoolean()
  readonly otelSdkDisabled: boolean;
}
