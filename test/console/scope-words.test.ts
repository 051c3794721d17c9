import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { type ScopeMessages, scopeWords } from '../../console/src/dialects/scope-words.js';
import { TestServer } from '../support/server.js';

let server: TestServer;
/** Every scope that the server knows by name. */
let scopes: string[];
beforeAll(async () => {
  server = await TestServer.start();
  const { json } = await server.send('GET', '/patois/v1/dialects', { headers: server.asAdmin });
  const dialects = json.items as { scopes: string[]; suggestions: string[] }[];
  scopes = dialects.flatMap((dialect) => [...dialect.scopes, ...dialect.suggestions]);
});
afterAll(() => server.close());

function messagesIn(language: string): ScopeMessages {
  const text = readFileSync(`console/messages/${language}/dialects.json`, 'utf8');
  return (JSON.parse(text) as { scopes: ScopeMessages }).scopes;
}

describe.each(['en', 'zh-CN', 'ko'])('the words of scopes in %s', (language) => {
  test('every scope of every dialect has words', () => {
    const messages = messagesIn(language);
    expect(scopes.length).toBeGreaterThan(500);
    expect(scopes.filter((scope) => scopeWords(scope, messages) === scope)).toEqual([]);
    expect(scopes.map((scope) => scopeWords(scope, messages)).join()).not.toMatch(/[{}]|undefined/);
  });

  test('a permission that is not published is named in a sentence, and a name of no known form stays as it is', () => {
    const messages = messagesIn(language);
    expect(scopeWords('codeup_repository_read_write', messages)).toContain('codeup_repository');
    expect(scopeWords('codeup_repository_read_write', messages)).not.toContain('read_write');
    expect(scopeWords('something:else', messages)).toBe('something:else');
  });
});

test('verbs and nouns make a phrase, of one and of several', () => {
  const messages = messagesIn('en');
  expect(scopeWords('device.get', messages)).toBe('View a device');
  expect(scopeWords('devices.get', messages)).toBe('List devices');
  expect(scopeWords('resourceJob.cancelExecution', messages)).toBe('Cancel runs of a resource job');
  expect(scopeWords('base_user_read_write', messages)).toBe('View and change users');
});
