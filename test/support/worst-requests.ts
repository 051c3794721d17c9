import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

/** As much of a body as a server reads, and of a URL and of headers as Node's parser takes. */
const BODY_BYTES = 512 * 1024;
const HEAD_BYTES = 14_000;

interface Schema {
  $ref?: string;
  type?: string;
  example?: unknown;
  enum?: unknown[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  maxItems?: number;
  anyOf?: Schema[];
}

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema?: Schema;
  example?: unknown;
}

interface Operation {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** One call of an API, with something in place of the parameters of its path. */
export interface Call {
  api: string;
  method: string;
  path: string;
  /** As the document writes it. */
  template?: string;
  queryNames?: string[];
  contentType?: string;
  schema?: Schema;
  schemas?: Record<string, Schema>;
}

/** What is sent with a call. */
export interface Worst {
  what: string;
  body?: string;
  contentType?: string;
  query?: string;
  headers?: Record<string, string | string[]>;
  /** In place of the call's own. */
  path?: string;
  /** It costs something, if anything, after the credentials have been checked. */
  isForCallers?: boolean;
}

/** Every call of every document that is checked in, but for those that would end what the others need. */
export function callsOf(): Call[] {
  return readdirSync('openapi').flatMap((file) => {
    const document = JSON.parse(readFileSync(`openapi/${file}`, 'utf8')) as Document;
    return Object.entries(document.paths).flatMap(([template, operations]) =>
      Object.entries(operations).map(([method, operation]) => {
        const { parameters = [], requestBody } = operation;
        const [contentType, media] = Object.entries(requestBody?.content ?? {})[0] ?? [];
        return {
          api: basename(file, '.json'),
          method: method.toUpperCase(),
          path: template.replace(/\{\w+\}/g, 'nobody'),
          template,
          queryNames: parameters.filter((one) => one.in === 'query').map(({ name }) => name),
          ...(contentType === undefined ? {} : { contentType }),
          ...(media ? { schema: media.schema } : {}),
          schemas: document.components.schemas,
        };
      }),
    );
  });
}

/** Texts that are dear to some rule: long words, runs of white space, what has to be escaped, half-made tokens. */
const ALPHABETS = ['a', '1', 'a_', 'a@b.', "'", '\u{1f511}', 'pt-000000000000_', '1/'];

function filled(alphabet: string, length: number): string {
  return `x${alphabet.repeat(Math.floor(length / alphabet.length))}x`;
}

/** White space in the middle: what trims by a regular expression begins anew at each of it. */
function spaced(length: number): string {
  return `x${' '.repeat(length)}x`;
}

/** The worst that can be sent with a call, as far as its document tells. */
export function worstOf(call: Call): Worst[] {
  const isForm = call.contentType?.includes('form') ?? false;
  const bodies = call.contentType === undefined ? [] : isForm ? formsOf(call) : jsonOf(call);
  return [...bodies, ...queriesOf(call), ...pathsOf(call), ...headersOf()];
}

function formsOf({ contentType, schema = {}, schemas = {} }: Call): Worst[] {
  const names = Object.keys(resolved(schema, schemas).properties ?? {});
  const part = (what: string, body: string): Worst => ({
    what,
    body: body.slice(0, BODY_BYTES),
    contentType,
  });
  return [
    part('one name 250,000 times', 'a&'.repeat(BODY_BYTES / 2)),
    part('empty pairs of one name', 'a=&'.repeat(BODY_BYTES / 3)),
    part('nothing but separators', '&'.repeat(BODY_BYTES)),
    part('distinct names', numbered(80_000, (index) => `${index.toString(36)}=`).join('&')),
    part('as many pairs as are read', numbered(1_000, () => 'a=b').join('&') + '='.repeat(BODY_BYTES)),
    ...names.flatMap((name) => [
      part(`${name} again and again`, `${name}=a&`.repeat(BODY_BYTES / (name.length + 3))),
      part(`${name} with many words`, `token=a&${name}=${'a+'.repeat(BODY_BYTES / 2 - 20)}`),
      part(`${name} of escapes`, `${name}=${'%41'.repeat(BODY_BYTES / 3 - 20)}`),
      part(`${name} of half escapes`, `${name}=${'%'.repeat(BODY_BYTES - 40)}`),
    ]),
  ];
}

function jsonOf(call: Call): Worst[] {
  const { schema = {}, schemas = {} } = call;
  const base = exampleOf(schema, schemas) as object;
  const whole = (what: string, body: unknown): Worst => ({ what, body: fitting(JSON.stringify(body)) });
  const unknown = (count: number): object =>
    Object.fromEntries(numbered(count, (index) => [`k${index.toString(36)}`, 0]));
  const deep = (open: string, close: string, levels: number): string =>
    open.repeat(levels) + close.repeat(levels);
  return [
    whole('40,000 unknown keys', { ...base, ...unknown(40_000) }),
    whole('as many unknown keys as are read', { ...base, ...unknown(100 - Object.keys(base).length) }),
    whole(
      '100 unknown keys of 5,000 characters',
      Object.fromEntries(Object.keys(unknown(99)).map((key) => [key.padEnd(5_000, 'y'), 0])),
    ),
    whole('one unknown key', { ...base, [filled('a', BODY_BYTES - 2_000)]: 0 }),
    { what: 'arrays to the limit', body: `[${numbered(3_900, () => deep('[', ']', 63)).join(',')}]` },
    {
      what: 'objects to the limit',
      body: `[${numbered(1_300, () => deep('{"a":', '}', 63).replace(':}', ':0}')).join(',')}]`,
    },
    { what: 'as many lists as are read', body: `[${numbered(1_900, () => '[[[[[[[0]]]]]]]').join(',')}]` },
    { what: 'brackets', body: '['.repeat(BODY_BYTES) },
    { what: 'quotes', body: '"'.repeat(BODY_BYTES) },
    { what: 'commas', body: `[${','.repeat(BODY_BYTES - 2)}` },
    { what: 'underscores', body: fitting(`{"a":"${'\\"__proto__\\" '.repeat(35_000)}"}`) },
    { what: 'a long number', body: `{"a":${'1'.repeat(BODY_BYTES - 10)}}` },
    { what: 'blanks', body: `${' '.repeat(BODY_BYTES - 2)}{}` },
    ...placesOf(base, schema, schemas).flatMap(({ where, kind, put, maxItems }) =>
      inflated(where, kind, put, maxItems),
    ),
    whole('as long in every list as it may be', fullest(schema, schemas)),
  ];
}

/** A place in a body, and the body with something else at that place. */
interface Place {
  where: string;
  kind: 'text' | 'list' | 'object';
  maxItems: number | undefined;
  put: (value: unknown) => unknown;
}

function inflated(
  where: string,
  kind: Place['kind'],
  put: Place['put'],
  maxItems: number | undefined,
): Worst[] {
  const at = (what: string, value: unknown): Worst => ({
    what: `${where}: ${what}`,
    body: fitting(JSON.stringify(put(value))),
    isForCallers: true,
  });
  const room = BODY_BYTES - 4_000;
  const texts = [
    ...ALPHABETS.map((alphabet) =>
      at(
        `a text of ${JSON.stringify(alphabet)}`,
        filled(
          alphabet,
          Math.floor((room * alphabet.length) / Buffer.byteLength(JSON.stringify(alphabet).slice(1, -1))),
        ),
      ),
    ),
    at('white space', spaced(room)),
    at(
      'a list',
      numbered(1_900, () => 'a'),
    ),
    at('an object', Object.fromEntries(numbered(99, (index) => [`k${index}`, 'a'.repeat(4_000)]))),
  ];
  if (kind === 'text') return texts;
  const unique = (count: number): string[] => numbered(count, (index) => index.toString(36).padStart(4, 'a'));
  const most = Math.min(maxItems ?? 2_000, 2_000);
  return [
    at('unique texts', unique(60_000)),
    at(
      'one text again and again',
      numbered(100_000, () => 'a'),
    ),
    at('as many as are read', unique(2_000)),
    at('as many as it may hold', unique(most)),
    at(
      'long texts',
      unique(most).map((text) => text.padEnd(Math.floor(room / most) - 4, 'y')),
    ),
    at(
      'blocks',
      numbered(most, (index) => `10.${index >> 8}.${index & 255}.0/24`),
    ),
    at(
      'permissions',
      unique(most).map((text) => `a_${text.replace(/\d/g, 'z')}_read`),
    ),
    at(
      'numbers',
      numbered(2_000, (index) => index),
    ),
    at(
      'objects',
      numbered(2_000, () => ({})),
    ),
    at(
      'objects of unknown keys',
      numbered(200, () => Object.fromEntries(numbered(60, (index) => [`k${index}`, 0]))),
    ),
    at(
      'lists',
      numbered(2_000, () => [[]]),
    ),
    at(
      'nulls',
      numbered(2_000, () => null),
    ),
    at('a text', filled('a', room)),
  ];
}

function queriesOf({ queryNames = [] }: Call): Worst[] {
  const of = (what: string, query: string): Worst => ({
    what: `query: ${what}`,
    query: query.slice(0, HEAD_BYTES),
    isForCallers: true,
  });
  return [
    of('one name again and again', 'a&'.repeat(7_000)),
    of('distinct names', numbered(4_000, (index) => index.toString(36)).join('&')),
    of('as many names as are read', numbered(100, (index) => `k${index}=${'x'.repeat(130)}`).join('&')),
    of('records', numbered(1_500, (index) => `a[${index.toString(36)}]=`).join('&')),
    of('half escapes', '%'.repeat(HEAD_BYTES)),
    ...queryNames.flatMap((name) => [
      of(`${name} again and again`, `${name}=a&`.repeat(3_000)),
      of(`${name} as a list`, `${name}[]=a&`.repeat(3_000)),
      of(`many words of ${name}`, `${name}=${'a+'.repeat(7_000)}`),
      of(`as many words of ${name} as are read`, `${name}=${numbered(100, () => '-z').join('+')}`),
      of(`blanks of ${name}`, `${name}=x${'+'.repeat(13_000)}x`),
      of(`digits of ${name}`, `${name}=${'9'.repeat(13_000)}`),
      of(`patterns of ${name}`, `${name}=${'*a?'.repeat(4_000)}`),
      of(
        `values of ${name}`,
        `${name}=${encodeURIComponent(`id ^ (${numbered(3_000, () => '1').join(',')})`)}`,
      ),
      of(`parentheses of ${name}`, `${name}=${'(a'.repeat(6_000)}`),
      of(`colons of ${name}`, `${name}=${'a:'.repeat(6_500)}`),
      of(`base64 of ${name}`, `${name}=${Buffer.from(`newest ${'a '.repeat(4_000)}`).toString('base64url')}`),
    ]),
  ];
}

function pathsOf({ template = '' }: Call): Worst[] {
  const names = template.match(/\{\w+\}/g) ?? [];
  const last = names.at(-1);
  if (last === undefined) return [];
  const of = (alphabet: string): Worst => ({
    what: `path of ${alphabet}`,
    path: template
      .replace(last, alphabet.repeat(Math.floor(8_000 / alphabet.length)))
      .replace(/\{\w+\}/g, 'nobody'),
  });
  return ['a', '1', '-', '%20', '.json', 'a/', '/', '.'].map(of);
}

function headersOf(): Worst[] {
  const of = (what: string, headers: Worst['headers']): Worst => ({
    what: `header: ${what}`,
    headers: headers ?? {},
  });
  return [
    of('trusted hops', { 'x-forwarded-for': '10.0.0.1,'.repeat(1_400) }),
    of('short hops', { 'x-forwarded-for': ','.repeat(HEAD_BYTES) }),
    of('distinct hops', {
      'x-forwarded-for': numbered(1_100, (index) => `10.1.${index >> 8}.${index & 255}`).join(','),
    }),
    of('credentials', { authorization: numbered(600, (index) => `Bearer ${index}`) }),
    of('API keys', { 'x-api-key': numbered(700, (index) => `k${index}`) }),
    of('a content type', { 'content-type': `a/b${'; '.repeat(6_500)}` }),
    of('needed scopes', { 'x-patois-required-scope': 'a '.repeat(6_500) }),
  ];
}

/** Every text, list and object of an example, each to be replaced. */
function placesOf(base: object, schema: Schema, schemas: Record<string, Schema>): Place[] {
  return within(base, resolved(schema, schemas), schemas, '', (value) => value);
}

function within(
  value: unknown,
  schema: Schema,
  schemas: Record<string, Schema>,
  where: string,
  put: (value: unknown) => unknown,
): Place[] {
  const own = (kind: Place['kind']): Place => ({ where, kind, put, maxItems: schema.maxItems });
  if (Array.isArray(value)) {
    const [first] = value;
    const items = resolved(schema.items ?? {}, schemas);
    return [own('list'), ...within(first, items, schemas, `${where}/0`, (inner) => put([inner]))];
  }
  if (typeof value === 'object' && value !== null) {
    const inner = Object.entries(value).flatMap(([key, child]) => {
      const property = resolved(schema.properties?.[key] ?? {}, schemas);
      return within(child, property, schemas, `${where}/${key}`, (one) => put({ ...value, [key]: one }));
    });
    return where === '' ? inner : [own('object'), ...inner];
  }
  return typeof value === 'string' ? [own('text')] : [];
}

function resolved(schema: Schema, schemas: Record<string, Schema>): Schema {
  const { $ref, anyOf } = schema;
  if ($ref !== undefined) return resolved(schemas[basename($ref)] ?? {}, schemas);
  const [first] = anyOf ?? [];
  return first ? resolved(first, schemas) : schema;
}

/** A value of a schema, all of its keys present, with one item in each list. */
function exampleOf(schema: Schema, schemas: Record<string, Schema>): unknown {
  return valueOf(schema, schemas, () => 1);
}

/** The same with as many items in each list as it may have. */
function fullest(schema: Schema, schemas: Record<string, Schema>): unknown {
  return valueOf(schema, schemas, ({ maxItems }) => maxItems ?? 1);
}

function valueOf(
  schema: Schema,
  schemas: Record<string, Schema>,
  lengthOf: (schema: Schema) => number,
): unknown {
  const whole = resolved(schema, schemas);
  const { properties, items, example, enum: choices } = whole;
  if (properties) {
    return Object.fromEntries(
      Object.entries(properties).map(([key, property]) => [key, valueOf(property, schemas, lengthOf)]),
    );
  }
  if (items) {
    const [first = valueOf(items, schemas, lengthOf)] = Array.isArray(example) ? (example as unknown[]) : [];
    return numbered(lengthOf(whole), () => first);
  }
  if (example !== undefined) return example;
  if (choices) return choices[0];
  return whole.type === 'boolean' ? true : whole.type === 'integer' || whole.type === 'number' ? 1 : 'text';
}

function numbered<Value>(count: number, make: (index: number) => Value): Value[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** What is a little too long would be refused for its length: it is left as the beginning of JSON, which must be as quick. */
function fitting(text: string): string {
  const bytes = Buffer.from(text);
  // A character that the cut divides becomes one of three bytes.
  return bytes.length <= BODY_BYTES ? text : bytes.subarray(0, BODY_BYTES - 3).toString();
}
