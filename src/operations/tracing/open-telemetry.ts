import {
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  type Span as ApiSpan,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import type { MaybePromise } from '../../maybe-promise.js';
import { withoutSecrets } from '../../secrets.js';
import type { RequestSpan, Span, Step, StepAttributes, TraceIds, Tracing } from '../../tracing.js';

/** How long a shutdown waits for the receiver of traces. */
const MAX_FLUSH_MS = 2_000;
/** Of one trace: a request that asks about a thousand tokens has no thousand spans. */
const MAX_STEPS = 200;

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL };

/** Logs a text. */
type Tell = (level: 'warn' | 'log', text: string) => void;

/** What is under way: its trace, and the step in it that further ones are parts of. */
interface UnderWay {
  context: Context;
  trace: { isOver: boolean; steps: number };
}

/**
 * Traces by OpenTelemetry, sent by OTLP over HTTP. Everything here is the application's own: nothing of the process is
 * patched or registered. What is sampled, sent along and waited for is OpenTelemetry's to read from the environment
 * (`OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_BSP_…`, …).
 */
export class OpenTelemetryTracing implements Tracing {
  readonly isOn = true;
  private readonly propagator = new W3CTraceContextPropagator();
  private readonly underWay = new AsyncLocalStorage<UnderWay>();
  private readonly tracer: Tracer;

  private constructor(private readonly provider: BasicTracerProvider) {
    this.tracer = provider.getTracer('patois');
  }

  /**
   * @param endpoint of the receiver, without `/v1/traces`.
   * @param tell logs that it fails, or answers again.
   */
  static to(endpoint: string, tell: Tell): OpenTelemetryTracing {
    const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces` });
    const resource = defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'patois' }))
      .merge(detectResources({ detectors: [envDetector] }));
    const spanProcessors = [new BatchSpanProcessor(harmless(exporter, tell))];
    return new OpenTelemetryTracing(new BasicTracerProvider({ resource, spanProcessors }));
  }

  request(step: Step, headers: Readonly<Record<string, string | string[] | undefined>>): RequestSpan {
    const parent = this.propagator.extract(ROOT_CONTEXT, headers, {
      get: (carrier, name) => readable(carrier[name]),
      keys: Object.keys,
    });
    const { span, underWay } = this.begin(step, parent, { isOver: false, steps: 0 });
    return {
      set: (attributes) => void span.setAttributes(attributes),
      within: (work) => this.underWay.run(underWay, work),
      end: (isFailed) => {
        if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR });
        finish(span, underWay);
      },
    };
  }

  step<Result>(step: Step, work: (span: Span) => Promise<Result>): Promise<Result>;
  step<Result>(step: Step, work: (span: Span) => MaybePromise<Result>): MaybePromise<Result> {
    const around = this.nextStep();
    if (!around) return work(NOTHING);
    const { span, underWay } = this.begin(step, around.context, around.trace);
    return this.run(span, underWay, work, () => span.end());
  }

  note({ name, kind, attributes = {} }: Step, durationMs: number, error?: unknown): void {
    const around = this.nextStep();
    if (!around) return;
    const startTime = Date.now() - durationMs;
    const options = { kind: KINDS[kind], attributes: { ...attributes }, startTime };
    const span = this.tracer.startSpan(name, options, around.context);
    if (error !== undefined) markFailed(span, error);
    span.end();
  }

  root<Result>(step: Step, work: (span: Span) => Promise<Result>): Promise<Result> {
    const { span, underWay } = this.begin(step, ROOT_CONTEXT, { isOver: false, steps: 0 });
    return this.run(span, underWay, work, () => finish(span, underWay)) as Promise<Result>;
  }

  /** What came before is none of the other system's business: `tracestate` stays here. */
  outgoing(): Record<string, string> {
    const { traceId, spanId, traceFlags } = this.currentSpan()?.spanContext() ?? {};
    if (traceId === undefined) return {};
    const flags = ((traceFlags ?? 0) & TraceFlags.SAMPLED).toString(16).padStart(2, '0');
    return { traceparent: `00-${traceId}-${spanId}-${flags}` };
  }

  current(): TraceIds | undefined {
    const span = this.currentSpan();
    if (!span) return undefined;
    const { traceId, spanId } = span.spanContext();
    return { traceId, spanId };
  }

  async close(): Promise<void> {
    const patience = new AbortController();
    const tooLong = pause(MAX_FLUSH_MS, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([this.provider.shutdown().catch(() => undefined), tooLong]);
    patience.abort();
  }

  /** What another step is a part of; undefined where there is nothing, or enough of it. */
  private nextStep(): UnderWay | undefined {
    const around = this.underWay.getStore();
    // What goes on after the answer of a request, such as the note of a use, is no part of it.
    if (!around || around.trace.isOver) return undefined;
    around.trace.steps += 1;
    return around.trace.steps > MAX_STEPS ? undefined : around;
  }

  private currentSpan(): ApiSpan | undefined {
    const around = this.underWay.getStore();
    return around && !around.trace.isOver ? trace.getSpan(around.context) : undefined;
  }

  private begin(
    { name, kind, attributes = {} }: Step,
    parent: Context,
    of: UnderWay['trace'],
  ): { span: ApiSpan; underWay: UnderWay } {
    const span = this.tracer.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes } }, parent);
    return { span, underWay: { context: trace.setSpan(parent, span), trace: of } };
  }

  private run<Result>(
    span: ApiSpan,
    underWay: UnderWay,
    work: (span: Span) => MaybePromise<Result>,
    end: () => void,
  ): MaybePromise<Result> {
    const fail = (error: unknown): never => {
      markFailed(span, error);
      end();
      throw error;
    };
    const done = (result: Result): Result => {
      end();
      return result;
    };
    const shown: Span = { set: (attributes: StepAttributes) => void span.setAttributes(attributes) };
    let result: MaybePromise<Result>;
    try {
      result = this.underWay.run(underWay, () => work(shown));
    } catch (error) {
      return fail(error);
    }
    return result instanceof Promise ? result.then(done, fail) : done(result);
  }
}

const NOTHING: Span = { set: () => {} };

function markFailed(span: ApiSpan, error: unknown): void {
  span.setAttribute('error.type', typeOf(error)).setStatus({ code: SpanStatusCode.ERROR });
}

function finish(span: ApiSpan, { trace: of }: UnderWay): void {
  of.isOver = true;
  span.end();
}

/** One value, and none that holds a token: `tracestate` is a client's to write, and is sent on. */
function readable(value: string | string[] | undefined): string | undefined {
  const text = Array.isArray(value) ? value.join(',') : value;
  return text === undefined || withoutSecrets(text) !== text ? undefined : text;
}

/** The code of an error, or what it is: messages may hold what was sent. */
function typeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code, name } = error as Error & { code?: unknown };
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : name;
}

/** A receiver that fails is told of once, until it answers again; spans that it did not take are gone. */
function harmless(exporter: SpanExporter, tell: Tell): SpanExporter {
  let isFailing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, ({ code, error }) => {
        const hasFailed = code !== ExportResultCode.SUCCESS;
        if (hasFailed && !isFailing) tell('warn', `Traces cannot be sent: ${error?.message ?? 'refused'}`);
        if (!hasFailed && isFailing) tell('log', 'Traces are sent again');
        isFailing = hasFailed;
        done({ code: ExportResultCode.SUCCESS });
      }),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}
