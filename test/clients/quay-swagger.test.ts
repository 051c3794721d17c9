import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { bearer, type Received } from '../support/http.js';
import { TestServer } from '../support/server.js';

/** As much of Swagger 2.0 as a generator of clients reads. */
interface Swagger {
  swagger: string;
  host: string;
  basePath: string;
  schemes: string[];
  securityDefinitions: Record<string, { type: string; flow: string; scopes: Record<string, string> }>;
  paths: Record<string, Record<string, Operation> & { parameters?: Parameter[] }>;
  definitions: Record<string, object>;
}

/** What a call gives: texts and flags for the path and query, and a body. */
type Given = Record<string, string | boolean | object>;

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'body';
  required: boolean;
  schema?: { $ref: string };
}

interface Operation {
  operationId: string;
  tags: string[];
  security: Record<string, string[]>[];
  parameters?: Parameter[];
  responses: Record<string, { description: string; schema?: { $ref: string } }>;
}

let server: TestServer;
let client: SwaggerClient;

beforeAll(async () => {
  server = await TestServer.start();
  const { user } = await server.makeUser();
  const { value } = await server.issue({ dialect: 'quay', ownerId: user.id, scopes: ['user:admin'] });
  const document = await server.send('GET', '/api/v1/discovery');
  client = new SwaggerClient(document.json as Swagger, bearer(value));
});
afterAll(() => server.close());

/** A client that knows nothing but the document: it builds each request from it and holds each answer against it. */
class SwaggerClient {
  private readonly ajv = new Ajv({ strict: false });

  constructor(
    readonly document: Swagger,
    private readonly credentials: Record<string, string>,
  ) {
    addFormats.default(this.ajv);
    this.ajv.addSchema(withNulls(document) as object, 'document');
  }

  operations(): { method: string; path: string; operation: Operation; parameters: Parameter[] }[] {
    return Object.entries(this.document.paths).flatMap(([path, { parameters: common = [], ...methods }]) =>
      Object.entries(methods).map(([method, operation]) => {
        const parameters = [...common, ...(operation.parameters ?? [])];
        return { method: method.toUpperCase(), path, operation, parameters };
      }),
    );
  }

  /** @throws when an argument is missing, or the answer is not one that the document promises. */
  async call(operationId: string, given: Given = {}): Promise<Received> {
    const found = this.operations().find(({ operation }) => operation.operationId === operationId);
    if (!found) throw new Error(`No operation ${operationId}`);
    const { method, operation, parameters } = found;
    let path = this.document.basePath.replace(/\/$/, '') + found.path;
    const query = new URLSearchParams();
    let body: unknown;
    for (const parameter of parameters) {
      const value = given[parameter.name];
      if (parameter.required && value === undefined) throw new Error(`${parameter.name} is required`);
      const isPlain = typeof value === 'string' || typeof value === 'boolean';
      if (parameter.in === 'path' && isPlain) path = path.replace(`{${parameter.name}}`, `${value}`);
      if (parameter.in === 'query' && isPlain) query.set(parameter.name, `${value}`);
      if (parameter.in === 'body' && parameter.schema) {
        this.assertFits(value, parameter.schema.$ref);
        body = value;
      }
    }
    const url = query.size > 0 ? `${path}?${query.toString()}` : path;
    const answer = await server.send(method, url, { headers: this.credentials, body });
    const response = operation.responses[answer.status];
    if (!response) throw new Error(`${operationId} answered ${answer.status}, which is not described`);
    if (response.schema) this.assertFits(answer.json, response.schema.$ref);
    else if (answer.text !== '') throw new Error(`${operationId} answered with a body: ${answer.text}`);
    return answer;
  }

  private assertFits(value: unknown, reference: string): void {
    const validate = this.ajv.compile({ $ref: `document${reference}` });
    if (!validate(value)) throw new Error(`${reference}: ${this.ajv.errorsText(validate.errors)}`);
  }
}

/** Swagger 2.0 has no null but `x-nullable`; and no key that is not described may come. */
function withNulls(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(withNulls);
  const entries = Object.entries(schema).map(([key, value]) => [key, withNulls(value)] as const);
  const copy: Record<string, unknown> = Object.fromEntries(entries);
  if (copy['x-nullable'] === true) copy['type'] = [copy['type'], 'null'];
  if (copy['type'] === 'object' && 'properties' in copy) copy['additionalProperties'] = false;
  return copy;
}

describe('the discovery document', () => {
  test('is Swagger 2.0 of this server', () => {
    const { swagger, host, basePath, schemes } = client.document;
    expect({ swagger, host, basePath, schemes }).toEqual({
      swagger: '2.0',
      host: new URL(server.url).host,
      basePath: '/',
      schemes: ['http'],
    });
  });

  test('names the five operations, their tag and what each needs', () => {
    const needs = client
      .operations()
      .map(({ method, path, operation: { operationId, tags, security } }) => [
        operationId,
        `${method} ${path}`,
        tags,
        security,
      ]);
    const tags = ['appspecifictokens'];
    const user = [{ oauth2_implicit: ['user:admin'] }];
    expect(needs).toEqual([
      ['listAppTokens', 'GET /api/v1/user/apptoken', tags, user],
      ['createAppToken', 'POST /api/v1/user/apptoken', tags, user],
      ['getAppToken', 'GET /api/v1/user/apptoken/{token_uuid}', tags, user],
      ['revokeAppToken', 'DELETE /api/v1/user/apptoken/{token_uuid}', tags, user],
      ['listAllAppTokens', 'GET /api/v1/superuser/apptokens', tags, [{ oauth2_implicit: ['super:user'] }]],
    ]);
    const { oauth2_implicit: scheme } = client.document.securityDefinitions;
    expect(scheme).toMatchObject({ type: 'oauth2', flow: 'implicit' });
    expect(Object.keys(scheme?.scopes ?? {})).toEqual(['user:admin', 'super:user']);
  });

  test('has the body that the server takes: `title` is required, nothing is called friendlyName', () => {
    expect(client.document.definitions['NewToken']).toMatchObject({ required: ['title'] });
    expect(JSON.stringify(client.document)).not.toContain('friendlyName');
  });

  test('needs no credential, and ignores a wrong one', async () => {
    const { status } = await server.send('GET', '/api/v1/discovery', { headers: bearer('x') });
    expect(status).toBe(200);
  });
});

describe('a client made from the discovery document', () => {
  test('runs a token through its whole life, and every answer fits its schema', async () => {
    const created = await client.call('createAppToken', { body: { title: 'generated' } });
    expect(created.status).toBe(201);
    const { uuid } = created.json.token;
    const list = await client.call('listAppTokens');
    expect(list.json.tokens.map((token: { uuid: string }) => token.uuid)).toContain(uuid);
    const expiring = await client.call('listAppTokens', { expiring: true });
    expect(expiring.json).toEqual({ tokens: [], only_expiring: true });
    const got = await client.call('getAppToken', { token_uuid: uuid });
    expect(got.json.token.title).toBe('generated');
    expect((await client.call('revokeAppToken', { token_uuid: uuid })).status).toBe(204);
    expect((await client.call('getAppToken', { token_uuid: uuid })).status).toBe(404);
    expect((await client.call('revokeAppToken', { token_uuid: uuid })).status).toBe(404);
  });

  test('sends when a token is to expire', async () => {
    const body = { title: 'generated', expiration: '2099-01-01T00:00:00Z' };
    const { json } = await client.call('createAppToken', { body });
    expect(json.token.expiration).toBe('Thu, 01 Jan 2099 00:00:00 -0000');
  });

  test('reads refusals: no scope, a blank title', async () => {
    expect((await client.call('listAllAppTokens')).status).toBe(403);
    expect((await client.call('createAppToken', { body: { title: ' ' } })).status).toBe(400);
    const anonymous = new SwaggerClient(client.document, {});
    expect((await anonymous.call('listAppTokens')).status).toBe(401);
  });

  test('an administrator lists the tokens of all users', async () => {
    const administrator = new SwaggerClient(client.document, server.asAdmin);
    const { status, json } = await administrator.call('listAllAppTokens', { expiring: false });
    expect(status).toBe(200);
    expect(json.tokens.length).toBeGreaterThan(0);
  });
});
