import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Received } from './http.js';

interface Response {
  content?: Record<string, { schema?: object }>;
  /** What is answered to who accepts it. */
  'x-content-by-accept'?: Record<string, { schema?: object }>;
}

export interface Operation {
  operationId: string;
  summary: string;
  description?: string;
  responses: Record<string, Response>;
  /** Empty: it answers anybody. */
  security: object[];
}

interface Document {
  info: { contact?: { name: string } };
  paths: Record<string, Record<string, Operation>>;
  servers: { url: string }[];
}

/** A checked-in OpenAPI document, as the promise that answers must keep. */
export class Contract {
  private ajv: Ajv2020 | undefined;
  private readonly validators = new Map<string, ValidateFunction>();
  private readonly calls: { method: string; pattern: RegExp; operationId: string }[];

  private constructor(
    readonly name: string,
    readonly document: Document,
  ) {
    const calls = [...this.operations()].map(([call, { operationId }]) => {
      const [method = '', path = ''] = call.split(' ');
      return { method, path, pattern: patternOf(path), operationId };
    });
    // What has a path of its own is no parameter of another, as in the router.
    this.calls = calls.sort((one, other) => parametersIn(one.path) - parametersIn(other.path));
  }

  /** Every document that is checked in. */
  static all(): Contract[] {
    return readdirSync('openapi').map((file) => Contract.of(basename(file, '.json')));
  }

  static of(dialect: string): Contract {
    return new Contract(dialect, JSON.parse(readFileSync(`openapi/${dialect}.json`, 'utf8')) as Document);
  }

  /** `METHOD /path/{parameter}` of every operation. */
  operations(): Map<string, Operation> {
    const entries = Object.entries(this.document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(
        ([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const,
      ),
    );
    return new Map(entries);
  }

  /**
   * Whether an answer is one that the document promises for its operation.
   *
   * @returns what is wrong with it, in words; an empty list if nothing is.
   */
  problemsOf(operationId: string, answer: Received): string[] {
    const operation = [...this.operations().values()].find((known) => known.operationId === operationId);
    if (!operation) return [`${this.name} has no operation ${operationId}`];
    const { status, headers, text } = answer;
    const where = `${this.name} ${operationId} ${status}`;
    const response =
      operation.responses[status] ?? (status >= 400 ? operation.responses['default'] : undefined);
    if (!response) return [`${where} is not documented`];
    const media = Object.entries({ ...response.content, ...response['x-content-by-accept'] });
    if (media.length === 0) return text === '' ? [] : [`${where} has a body: ${text}`];
    const sent = headers['content-type']?.split(';')[0];
    const promised = media.find(([mediaType]) => mediaType === sent);
    if (!promised) return [`${where} is ${sent}, not ${media.map(([mediaType]) => mediaType).join(' or ')}`];
    const [mediaType, { schema }] = promised;
    if (!/\bjson$/.test(mediaType)) return [];
    if (!schema) return [`${where} has no schema`];
    const validate = this.validator(schema);
    validate(answer.json);
    return (validate.errors ?? []).map(
      ({ instancePath, message }) => `${where} ${instancePath} ${message}: ${text}`,
    );
  }

  /** As {@link problemsOf}, for whatever operation a call is to; of a call to none nothing is promised. */
  problemsOfCall(method: string, path: string, answer: Received): string[] {
    const clean =
      path
        .split('?', 1)[0]
        ?.replace(/\/+/g, '/')
        .replace(/(.)\/$/, '$1') ?? '';
    const call = this.calls.find((known) => known.method === method && known.pattern.test(clean));
    return call ? this.problemsOf(call.operationId, answer) : [];
  }

  private validator(schema: object): ValidateFunction {
    const key = JSON.stringify(schema);
    const absolute = key.replaceAll('"#/components', '"document#/components');
    const known = this.validators.get(key) ?? this.schemas().compile(JSON.parse(absolute) as object);
    this.validators.set(key, known);
    return known;
  }

  /** Read when the first answer is checked: most tests ask one API. */
  private schemas(): Ajv2020 {
    if (this.ajv) return this.ajv;
    this.ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(this.ajv);
    return this.ajv.addSchema(this.document, 'document');
  }
}

function parametersIn(template: string): number {
  return template.split('{').length - 1;
}

/** The paths of a template; `{path}` is the rest of one, of any depth. */
function patternOf(template: string): RegExp {
  const source = template
    .replaceAll('.', '\\.')
    .replace('{path}', '.+')
    .replace(/\{\w+\}/g, '[^/]+');
  return new RegExp(`^${source}$`);
}
