import { expect } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { bearer, type Received } from './http.js';
import type { TestServer, TestUser } from './server.js';

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
export const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
export const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** An identity provider: a token of an organization of its own, with `patois:scim` unless told otherwise. */
export class Provisioner {
  private constructor(
    readonly server: TestServer,
    readonly organizationId: string,
    readonly head: TestUser,
    readonly headers: Record<string, string>,
  ) {}

  static async make(
    server: TestServer,
    organization: string,
    scopes = ['patois:scim'],
  ): Promise<Provisioner> {
    const { id: organizationId } = await server.organization(organization);
    const head = await server.makeUser({ role: 'organizationAdministrator', organizationId });
    const { value } = await server.issue({ dialect: 'patois', ownerId: head.user.id, scopes });
    return new Provisioner(server, organizationId, head, bearer(value));
  }

  call(method: string, path: string, body?: unknown, headers = this.headers): Promise<Received> {
    const type: Record<string, string> =
      body === undefined ? {} : { 'content-type': 'application/scim+json' };
    return this.server.send(method, `/scim/v2${path}`, {
      headers: { ...type, ...headers },
      ...(body === undefined ? {} : { body }),
    });
  }

  patch(path: string, ...Operations: object[]): Promise<Received> {
    return this.call('PATCH', path, { schemas: [PATCH], Operations });
  }

  /** Users that a filter finds, by userName. */
  async found(filter: string): Promise<string[]> {
    const { json } = expectStatus(await this.call('GET', `/Users?filter=${encodeURIComponent(filter)}`), 200);
    return (json.Resources as { userName: string }[]).map(({ userName }) => userName);
  }

  /** A user, made with these attributes. */
  async user(attributes: object = {}): Promise<{ id: string; userName: string }> {
    const made = await this.call('POST', '/Users', { schemas: [USER], userName: freshName(), ...attributes });
    return expectStatus(made, 201).json as { id: string; userName: string };
  }

  /** A group, made with these members. */
  async group(
    displayName = freshName(),
    members: string[] = [],
  ): Promise<{ id: string; displayName: string }> {
    const list = members.map((value) => ({ value }));
    const made = await this.call('POST', '/Groups', { schemas: [GROUP], displayName, members: list });
    return expectStatus(made, 201).json as { id: string; displayName: string };
  }

  async membersOf(groupId: string): Promise<string[]> {
    const { json } = await this.call('GET', `/Groups/${groupId}`);
    return ((json.members ?? []) as { value: string }[]).map(({ value }) => value);
  }
}

export function freshName(): string {
  return `u${randomBytes(5).toString('hex')}@example.org`;
}

/** Asserts a status, showing what was answered instead. */
export function expectStatus(answer: Received, status: number): Received {
  expect([answer.status, answer.text]).toEqual([status, expect.any(String)]);
  return answer;
}

/** Asserts an error of RFC 7644, 3.12. */
export function expectScimError(answer: Received, status: number, scimType?: string): void {
  expectStatus(answer, status);
  expect(answer.headers['content-type']).toMatch(/^application\/scim\+json\b/);
  expect(answer.json).toEqual({
    schemas: [ERROR],
    ...(scimType === undefined ? {} : { scimType }),
    detail: expect.any(String),
    status: String(status),
  });
}
