import { Global, Module } from '@nestjs/common';
import { Settings } from '../config/settings.js';
import { Tracing } from './tracing.js';

@Global()
@Module({
  providers: [{ provide: Tracing, useFactory: (settings: Settings) => tracingFor(settings), inject: [Settings] }],
  exports: [Tracing],
})
export class TracingModule {}

/** OpenTelemetry is some 60 modules: a process without traces, and a command that only lists, never load them. */
async function tracingFor(settings: Settings): Promise<Tracing> {
  const url = tracesUrl(settings);
  if (url === undefined) return new Tracing(undefined);
  const { OpenTelemetrySpans } = await import('./open-telemetry.js');
  return new Tracing(await OpenTelemetrySpans.sendingTo(url, settings));
}

function tracesUrl({ otlpEndpoint, otlpTracesEndpoint, otelSdkDisabled }: Settings): string | undefined {
  if (otelSdkDisabled) return undefined;
  return (
    otlpTracesEndpoint ?? (otlpEndpoint === undefined ? undefined : `${otlpEndpoint.replace(/\/+$/, '')}/v1/traces`)
  );
}
