import { Logger } from '@nestjs/common';
import type { Config } from '../../config.js';
import { NO_TRACING, type Tracing } from '../../tracing.js';

/** Tracing as the settings ask for it. OpenTelemetry is loaded only where they do, and knows nothing of Nest. */
export async function openTracing({ tracesEndpoint }: Pick<Config, 'tracesEndpoint'>): Promise<Tracing> {
  if (tracesEndpoint === undefined) return NO_TRACING;
  const { OpenTelemetryTracing } = await import('./open-telemetry.js');
  const logger = new Logger('Tracing');
  return OpenTelemetryTracing.to(tracesEndpoint, (level, text) => logger[level](text));
}
