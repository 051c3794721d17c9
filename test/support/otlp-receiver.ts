import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from './until.js';

/** A span as it came over the wire; ids in hexadecimal digits, as in `traceparent`. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** Empty: it has none. */
  parentSpanId: string;
  traceState: string;
  name: string;
  kind: 'internal' | 'server' | 'client' | undefined;
  startNs: bigint;
  endNs: bigint;
  attributes: Record<string, string | number | boolean>;
  isFailed: boolean;
  resource: Record<string, string | number | boolean>;
}

const KINDS = [undefined, 'internal', 'server', 'client'] as const;

/** A receiver of traces (OTLP over HTTP, protobuf) on a port of its own, which reads what it is sent by the wire format alone. */
export class OtlpReceiver {
  readonly spans: ReceivedSpan[] = [];
  readonly requests: { path: string; headers: IncomingHttpHeaders; body: Buffer }[] = [];
  /** What it answers; undefined: nothing, ever. */
  status: number | undefined = 200;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<OtlpReceiver> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const receiver = new OtlpReceiver(server, `http://127.0.0.1:${port}`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('error', () => {});
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        receiver.requests.push({ path: request.url ?? '', headers: request.headers, body });
        if (receiver.status === undefined) return;
        if (receiver.status === 200) receiver.spans.push(...spansOf(body));
        response.writeHead(receiver.status, { 'content-type': 'application/x-protobuf' }).end();
      });
    });
    return receiver;
  }

  /** Everything that was sent here. */
  get bytes(): Buffer {
    return Buffer.concat(this.requests.map(({ body }) => body));
  }

  of(traceId: string): ReceivedSpan[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /** The first span that fits, as soon as it has come. */
  async span(fits: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan> {
    let found: ReceivedSpan | undefined;
    await until(() => (found = this.spans.find(fits)) !== undefined);
    return found as unknown as ReceivedSpan;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** https://github.com/open-telemetry/opentelemetry-proto, trace/v1/trace.proto: the numbers are those of its fields. */
function spansOf(body: Buffer): ReceivedSpan[] {
  return fieldsOf(body, 1).flatMap((resourceSpans) => {
    const resource = attributesOf(fieldsOf(one(resourceSpans, 1), 1));
    return fieldsOf(resourceSpans, 2).flatMap((scopeSpans) =>
      fieldsOf(scopeSpans, 2).map((span) => spanOf(span, resource)),
    );
  });
}

function spanOf(span: Buffer, resource: ReceivedSpan['resource']): ReceivedSpan {
  return {
    traceId: one(span, 1).toString('hex'),
    spanId: one(span, 2).toString('hex'),
    traceState: one(span, 3).toString(),
    parentSpanId: one(span, 4).toString('hex'),
    name: one(span, 5).toString(),
    kind: KINDS[Number(number(span, 6))],
    startNs: number(span, 7),
    endNs: number(span, 8),
    attributes: attributesOf(fieldsOf(span, 9)),
    isFailed: number(one(span, 15), 3) === 2n,
    resource,
  };
}

function attributesOf(keyValues: Buffer[]): ReceivedSpan['attributes'] {
  return Object.fromEntries(
    keyValues.map((keyValue) => [one(keyValue, 1).toString(), valueOf(one(keyValue, 2))]),
  );
}

function valueOf(anyValue: Buffer): string | number | boolean {
  const [[field, value] = [0, 0n]] = wireFields(anyValue);
  if (field === 1 && Buffer.isBuffer(value)) return value.toString();
  if (field === 2) return value === 1n;
  if (field === 3 && typeof value === 'bigint') return Number(value);
  throw new Error(`No test reads values of the kind ${field}`);
}

function one(message: Buffer, field: number): Buffer {
  return fieldsOf(message, field)[0] ?? Buffer.alloc(0);
}

function number(message: Buffer, field: number): bigint {
  const [, value] = wireFields(message).find(([found]) => found === field) ?? [];
  return typeof value === 'bigint' ? value : 0n;
}

function fieldsOf(message: Buffer, field: number): Buffer[] {
  return wireFields(message).flatMap(([found, value]) =>
    found === field && Buffer.isBuffer(value) ? [value] : [],
  );
}

/** https://protobuf.dev/programming-guides/encoding: numbers of fields, and what they hold, in order. */
function wireFields(message: Buffer): [field: number, value: Buffer | bigint][] {
  const fields: [number, Buffer | bigint][] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => message.subarray(at, (at += length));
  while (at < message.length) {
    const tag = Number(varint());
    const field = tag >> 3;
    switch (tag & 7) {
      case 0:
        fields.push([field, varint()]);
        break;
      case 1:
        fields.push([field, take(8).readBigUInt64LE()]);
        break;
      case 2:
        fields.push([field, take(Number(varint()))]);
        break;
      case 5:
        fields.push([field, BigInt(take(4).readUInt32LE())]);
        break;
      default:
        throw new Error(`There is no wire type ${tag & 7}`);
    }
  }
  return fields;
}
