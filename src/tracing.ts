import type { MaybePromise } from './maybe-promise.js';

/**
 * What is said of a step, by names of OpenTelemetry's conventions. What leaves the process must not hold a secret, a token
 * id, a login or a path that a client chose.
 */
export type StepAttributes = Readonly<Record<string, string | number | boolean>>;

/** A step of a trace. */
export interface Step {
  /** One of few. */
  name: string;
  /** `server` answers a request, `client` asks another system, and `internal` is neither. */
  kind: 'server' | 'client' | 'internal';
  attributes?: StepAttributes;
}

/** A step that is under way. */
export interface Span {
  set(attributes: StepAttributes): void;
}

/** The step that a request is, which ends when its answer has left. */
export interface RequestSpan extends Span {
  /** Runs what belongs to it. */
  within<Result>(work: () => Result): Result;
  /** @param isFailed whether the server is at fault. */
  end(isFailed: boolean): void;
}

/** The ids of a trace and of its step that is under way (W3C Trace Context, 3.2.2), in lower-case hexadecimal digits. */
export interface TraceIds {
  traceId: string;
  spanId: string;
}

/** Makes traces of what is done, where they are asked for. */
export interface Tracing {
  readonly isOn: boolean;
  /** Takes part in the trace of a caller, if the headers `traceparent` and `tracestate` name one; else begins one. */
  request(step: Step, headers: Readonly<Record<string, string | string[] | undefined>>): RequestSpan;
  /** Runs a step of the trace that is under way; where there is none, just runs it. */
  step<Result>(step: Step, work: (span: Span) => Promise<Result>): Promise<Result>;
  step<Result>(step: Step, work: (span: Span) => MaybePromise<Result>): MaybePromise<Result>;
  /** Runs a step that is a trace of its own: what is done beside requests. */
  root<Result>(step: Step, work: (span: Span) => Promise<Result>): Promise<Result>;
  /** Notes a step of the trace that is under way which has just ended: how long it took (ms), and why it failed. */
  note(step: Step, durationMs: number, error?: unknown): void;
  /** What tells another system of the trace that is under way: `traceparent`, or nothing. */
  outgoing(): Record<string, string>;
  /** The trace that is under way. */
  current(): TraceIds | undefined;
  /** Sends what is not sent yet; to be called when all is done. Never throws, and takes two seconds at most. */
  close(): Promise<void>;
}

/** What modules inject it by. */
export const TRACING = Symbol('tracing');

const NO_SPAN: RequestSpan = { set: () => {}, within: (work) => work(), end: () => {} };

/** No traces: what is to be run is run. */
export const NO_TRACING: Tracing = {
  isOn: false,
  request: () => NO_SPAN,
  step: <Result>(_: Step, work: (span: Span) => Promise<Result>) => work(NO_SPAN),
  root: (_, work) => work(NO_SPAN),
  note: () => {},
  outgoing: () => ({}),
  current: () => undefined,
  close: async () => {},
};
