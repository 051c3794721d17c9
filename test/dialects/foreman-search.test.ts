import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { QueryNotSupported } from '../../src/dialects/foreman/foreman.refusals.js';
import { conditionOf } from '../../src/dialects/foreman/search/conditions.js';
import { parseSearch, type SearchTree } from '../../src/dialects/foreman/search/grammar.js';
import { SHOWN_COLUMNS, tokenFields } from '../../src/dialects/foreman/token-records.js';
import type { Token } from '../../src/tokens/token.entity.js';
import { TokenService } from '../../src/tokens/token.service.js';
import { evaluate } from '../support/foreman-search.js';
import type { Received } from '../support/http.js';
import { TestServer, type TestUser } from '../support/server.js';

const NAMES = [
  'alpha',
  'Alpha',
  'beta',
  'alpha beta',
  'a_b',
  'axb',
  '100%',
  'back\\slash',
  'quo"te',
  'and',
  'name!',
  '42',
  'x-y',
  'Ωmega',
  "it's",
  'a,b',
];

let server: TestServer;
let alice: TestUser;
let tokens: Token[];
beforeAll(async () => {
  server = await TestServer.start();
  alice = await server.makeUser({ login: 'alice' });
  const whole = { dialect: 'foreman', ownerId: alice.user.id, scopes: ['foreman:*'] };
  for (const [index, name] of NAMES.entries()) {
    const expiresAt = index % 4 === 0 ? new Date(Date.UTC(2031, index, 6, 7, 8, 9)) : null;
    const { token } = await server.issue({ ...whole, name, uniqueName: name, expiresAt });
    if (index % 3 === 0) await server.revoke(token);
  }
  tokens = await server.app.nest
    .get(TokenService, { strict: false })
    .query()
    .andWhere({ dialect: 'foreman', ownerId: alice.user.id })
    .orderBy('token.numericId')
    .getMany();
});
afterAll(() => server.close());

function search(text: string): Promise<Received> {
  const url = `/api/users/${alice.user.numericId}/personal_access_tokens?per_page=all&search=${encodeURIComponent(text)}`;
  return server.send('GET', url, { headers: alice.byPassword });
}

async function found(text: string): Promise<string[]> {
  const { status, json } = await search(text);
  expect([text, status, json.search, json.total]).toEqual([text, 200, text, NAMES.length]);
  expect(json.subtotal).toBe(json.results.length);
  return json.results.map(({ name }: { name: string }) => name);
}

function word(value: string): SearchTree {
  return { kind: 'word', value };
}

function is(field: string | null, value: string): SearchTree {
  return { kind: 'comparison', field, comparator: 'eq', value };
}

describe('the grammar', () => {
  test.each<[string, SearchTree]>([
    ['a', word('a')],
    ['a b', { kind: 'and', nodes: [word('a'), word('b')] }],
    ['a, b', { kind: 'and', nodes: [word('a'), word('b')] }],
    ['a and b or c', { kind: 'and', nodes: [word('a'), { kind: 'or', nodes: [word('b'), word('c')] }] }],
    ['a or b and c', { kind: 'or', nodes: [word('a'), { kind: 'and', nodes: [word('b'), word('c')] }] }],
    ['(a or b) and c', { kind: 'and', nodes: [{ kind: 'or', nodes: [word('a'), word('b')] }, word('c')] }],
    ['a & b && c', { kind: 'and', nodes: [word('a'), word('b'), word('c')] }],
    ['a | b || c', { kind: 'or', nodes: [word('a'), word('b'), word('c')] }],
    ['a AND b Or c', { kind: 'and', nodes: [word('a'), { kind: 'or', nodes: [word('b'), word('c')] }] }],
    ['not a', { kind: 'not', node: word('a') }],
    ['-a', { kind: 'not', node: word('a') }],
    ['!(a b)', { kind: 'not', node: { kind: 'and', nodes: [word('a'), word('b')] } }],
    ['name=x', is('name', 'x')],
    ['name == x', is('name', 'x')],
    ['name at x', is('name', 'x')],
    ['name!=x', is('name!', 'x')],
    ['name != x', { kind: 'comparison', field: 'name', comparator: 'ne', value: 'x' }],
    ['name <> x', { kind: 'comparison', field: 'name', comparator: 'ne', value: 'x' }],
    ['id before 5', { kind: 'comparison', field: 'id', comparator: 'lt', value: '5' }],
    ['id after 5', { kind: 'comparison', field: 'id', comparator: 'gt', value: '5' }],
    ['a-b', word('a-b')],
    ['a^b', word('a^b')],
    ['a"b', word('a"b')],
    ['"a b"', word('a b')],
    ['"a \\"b\\\\"', word('a "b\\')],
    ['"a b', word('a b')],
    ['"and"', word('and')],
    ["'a b'", { kind: 'and', nodes: [word("'a"), word("b'")] }],
    [
      'name ^ (a, b, "c d")',
      { kind: 'membership', field: 'name', membership: 'in', values: ['a', ' b'.trim(), 'c d'] },
    ],
    ['name !^ (a)', { kind: 'membership', field: 'name', membership: 'notin', values: ['a'] }],
    ['name ^ a', { kind: 'membership', field: 'name', membership: 'in', values: ['a'] }],
    ['^ (a,b)', { kind: 'or', nodes: [is(null, 'a'), is(null, 'b')] }],
    ['= a', is(null, 'a')],
    ['has name', { kind: 'presence', field: 'name', isPresent: true }],
    ['set? name', { kind: 'presence', field: 'name', isPresent: true }],
    ['null? name', { kind: 'presence', field: 'name', isPresent: false }],
    ['> a', { kind: 'anything' }],
    ['and a', word('a')],
    ['a and', word('a')],
    ['a = ', word('a')],
    ['', { kind: 'and', nodes: [] }],
    ['and', { kind: 'and', nodes: [] }],
    ['()', { kind: 'and', nodes: [] }],
    ['~', { kind: 'and', nodes: [] }],
    ['a) b', word('a')],
  ])('reads %j', (text, tree) => {
    expect(parseSearch(text)).toEqual(tree);
  });

  test.each([
    ['name = (a)', 'Value expected but found :lparen'],
    ['name = = a', 'Value expected but found :eq'],
    ['id = -5', 'Value expected but found :not'],
    ['has (name)', 'Value expected but found :lparen'],
    ['() a', 'Empty list of operands'],
    ['a '.repeat(101), 'The search has more than 100 terms'],
    ['a|'.repeat(101), 'The search has more than 100 terms'],
    ['(a) '.repeat(101), 'The search has more than 100 terms'],
    [`^ (${'a '.repeat(101)})`, 'The search has more than 100 terms'],
    ['has name '.repeat(101), 'The search has more than 100 terms'],
    [`name ^ (${'a,'.repeat(1_000)}a)`, 'The search has more than 1000 values in lists'],
    [`name ^ ${'a'.repeat(8_192)}`, 'The search has more than 8192 characters'],
    ['^ () a', 'Empty list of operands'],
  ])('refuses %j', (text, message) => {
    expect(() => parseSearch(text)).toThrow(new QueryNotSupported(message));
  });

  test('refuses 10,000 parentheses, negations and alternations', () => {
    for (const text of [
      '('.repeat(10_000),
      `${'('.repeat(10_000)}a${')'.repeat(10_000)}`,
      `${'not '.repeat(10_000)}a`,
      `${'-('.repeat(5_000)}a`,
      'a and b or '.repeat(5_000) + 'c',
    ]) {
      expect(() => parseSearch(text)).toThrow(QueryNotSupported);
    }
  });

  test('takes time linear in the length of the text', () => {
    const timeOf = (text: string): number => {
      const start = performance.now();
      try {
        parseSearch(text);
      } catch {
        // Refusing must be as quick.
      }
      return performance.now() - start;
    };
    const texts = [
      'a ',
      'a and ',
      'a or b and ',
      '"\\"',
      'name = x ',
      '^ (a ',
      '((a) ',
      'a,',
      '!',
      'name ^ a,b ',
      '"',
    ];
    for (const part of texts) {
      expect([part, timeOf(part.repeat(50_000)) < 2_000]).toEqual([part, true]);
    }
  });
});

describe('a search', () => {
  test.each<[string, string[]]>([
    ['', NAMES],
    ['""', NAMES],
    ['*', NAMES],
    ['and', NAMES],
    ['()', NAMES],
    ['~', NAMES],
    ['> alpha', NAMES],
    ['alpha', ['alpha', 'Alpha', 'alpha beta']],
    ['ALPHA', ['alpha', 'Alpha', 'alpha beta']],
    ['al*', ['alpha', 'Alpha', 'alpha beta']],
    ['*beta', ['beta', 'alpha beta']],
    ['al%a', ['alpha', 'Alpha', 'alpha beta']],
    ['a_b', ['a_b']],
    ['\\', ['back\\slash']],
    ['"quo\\""', ['quo"te']],
    ["it's", ["it's"]],
    ['name = alpha', ['alpha']],
    ['name = "alpha beta"', ['alpha beta']],
    ['name = al*', []],
    ['name=Alpha', ['Alpha']],
    ['name != alpha', NAMES.filter((name) => name !== 'alpha')],
    ['name ~ ALPHA', ['alpha', 'Alpha', 'alpha beta']],
    ['name !~ a', ['100%', 'quo"te', '42', 'x-y', "it's"]],
    ['name > name', ['quo"te', 'x-y', 'Ωmega', 'name!']],
    ['name < A', ['100%', '42']],
    ['alpha beta', ['alpha beta']],
    ['alpha and not beta', ['alpha', 'Alpha']],
    ['-alpha -beta x', ['axb', 'x-y']],
    ['name = beta or name = axb and name = alpha', ['beta']],
    ['name = alpha and name = x or name = alpha', ['alpha']],
    ['name ^ (alpha, beta, "alpha beta")', ['alpha', 'beta', 'alpha beta']],
    ['name !^ (alpha)', NAMES.filter((name) => name !== 'alpha')],
    ['^ (alpha, beta)', ['alpha', 'beta']],
    ['= beta', ['beta']],
    ['has name', NAMES],
    ['null? name', []],
    ['has last_used_at', []],
    ['has expires_at', NAMES.filter((_, index) => index % 4 === 0)],
    ['"and"', ['and']],
    ['42', ['42']],
    ['x-y', ['x-y']],
    ['revoked = true', NAMES.filter((_, index) => index % 3 === 0)],
    ['active = true', NAMES.filter((_, index) => index % 3 !== 0)],
    ['active != true', NAMES.filter((_, index) => index % 3 === 0)],
    ['expires_at = 2031-01-06', ['alpha']],
    ['expires_at > 2031-01-06', NAMES.filter((_, index) => index % 4 === 0 && index > 0)],
    ['expires_at <= 2031-05-06', ['alpha', NAMES[4]!]],
    ['not expires_at > 2031-01-06', NAMES.filter((_, index) => index % 4 !== 0 || index === 0)],
    ['created_at >= today', NAMES],
    ['created_at > "1 hour ago"', NAMES],
    ['created_at < yesterday', []],
  ])('for %j', async (text, names) => {
    expect([...(await found(text))].sort(byBytes)).toEqual([...names].sort(byBytes));
  });

  test('goes by numbers', async () => {
    const [first, second, third] = tokens;
    expect(await found(`id = ${first!.numericId}`)).toEqual([first!.name]);
    expect(await found(`id ^ (${second!.numericId}, ${third!.numericId})`)).toEqual([
      second!.name,
      third!.name,
    ]);
    expect(await found(`id < ${second!.numericId}`)).toEqual([first!.name]);
    expect(await found('id = "-5"')).toEqual([]);
    expect(await found('id < 9223372036854775807')).toEqual(NAMES);
    expect(await found(`user_id = ${alice.user.numericId}`)).toEqual(NAMES);
    expect(await found('user_id = 999999')).toEqual([]);
  });

  test.each([
    ['bogus = 1', "Field 'bogus' not recognized for searching!"],
    ['name!=x', "Field 'name!' not recognized for searching!"],
    ['NAME = x', "Field 'NAME' not recognized for searching!"],
    ['has bogus', "Field 'bogus' not recognized for searching!"],
    ['id = abc', "Value 'abc' is not valid for field 'id'"],
    ['id ~ abc', "Value 'abc' is not valid for field 'id'"],
    ['id ~ 1', "the operator 'like' is not supported for field type 'integer'"],
    ['user_id !~ 1', "the operator 'unlike' is not supported for field type 'integer'"],
    ['id ^ (1, x)', "Value 'x' is not valid for field 'id'"],
    ['name = (a)', 'Value expected but found :lparen'],
    ['id = 9223372036854775808', "Value '9223372036854775808' is not valid for field 'id'"],
    [
      'id = 123456789012345678901234567890',
      "Value '123456789012345678901234567890' is not valid for field 'id'",
    ],
    ['expires_at = soon', "Value 'soon' is not valid for field 'expires_at'"],
    ['created_at ~ 2031', "the operator 'like' is not supported for field type 'datetime'"],
    ['revoked = yes', "'revoked' should be one of 'true, false', but the query was 'yes'"],
    ['active > true', "Operator 'gt' not supported for 'active'"],
  ])('refuses %j', async (text, message) => {
    const answer = await search(text);
    const error = { message, class: 'ScopedSearch::QueryNotSupported' };
    expect([answer.status, answer.text]).toEqual([400, JSON.stringify({ error })]);
  });

  test('refuses 10,000 parentheses, lists and NULs', async () => {
    const url = `/api/users/${alice.user.numericId}/personal_access_tokens`;
    for (const query of [`search=${'('.repeat(10_000)}`, 'search[]=x', 'search[a]=x', 'search=a%00b']) {
      const answer = await server.send('GET', `${url}?${query}`, { headers: alice.byPassword });
      expect([answer.status, answer.json.error.class]).toEqual([400, 'ScopedSearch::QueryNotSupported']);
    }
  });

  test('runs a long list of terms', async () => {
    expect(await found(Array.from({ length: 100 }, () => '-zz').join(' '))).toEqual(NAMES);
    expect(await found(Array.from({ length: 100 }, () => 'zz').join('|'))).toEqual([]);
    expect(await found(`name ^ (${Array.from({ length: 1_000 }, () => 'zz').join(',')})`)).toEqual([]);
  });
});

describe('any text at all', () => {
  // prettier-ignore
  const FRAGMENTS = fc.constantFrom(
    'name', 'id', 'user_id', 'expires_at', 'created_at', 'last_used_at', 'revoked', 'active', 'bogus',
    'and', 'or', 'not', 'has', 'set?', 'null?', 'before', 'after', 'at', 'AND', 'Or',
    '=', '==', '!=', '<>', '>', '<', '>=', '<=', '~', '!~', '^', '!^', '&', '&&', '|', '||', '!', '-', ',',
    '(', ')', '"', '\\', '*', '%', '_', "'", ';', '--', '/*', '$1', ':search0', '::text', '?', '#{',
    'alpha', 'beta', 'a', 'x', '"alpha beta"', '42', '1', '-1', '2031-01-06', 'true', 'false', 'today',
    '9223372036854775808', 'é', '\u{1f511}', '\t', '\n', '""',
  );
  const SENTENCES = fc
    .array(
      fc.tuple(
        fc.oneof({ weight: 9, arbitrary: FRAGMENTS }, fc.string({ maxLength: 6 })),
        fc.constantFrom('', ' ', ' '),
      ),
      {
        maxLength: 14,
      },
    )
    .map((parts) => parts.flat().join(''));

  /** What the database finds, or undefined where the search is refused. */
  async function run(text: string): Promise<string[] | undefined> {
    const fields = tokenFields(alice.user);
    let condition: ReturnType<typeof conditionOf>;
    try {
      condition = conditionOf(parseSearch(text), fields);
    } catch (error) {
      if (error instanceof QueryNotSupported) return undefined;
      throw error;
    }
    const query = server.app.nest
      .get(TokenService, { strict: false })
      .query()
      .select(SHOWN_COLUMNS)
      .andWhere({ dialect: 'foreman', ownerId: alice.user.id });
    if (condition) query.andWhere(condition.sql, condition.parameters);
    return (await query.orderBy('token.numericId').getMany()).map(({ name }) => name);
  }

  test('is run or refused, and finds what a reading of the tree row by row finds', async () => {
    let ran = 0;
    await fc.assert(
      fc.asyncProperty(SENTENCES, async (text) => {
        const names = await run(text);
        if (names === undefined) return;
        ran += 1;
        const tree = parseSearch(text);
        const expected = tokens.filter((token) => evaluate(tree, token, alice.user)).map(({ name }) => name);
        expect(names).toEqual(expected);
      }),
      { numRuns: 3_000 },
    );
    expect(ran).toBeGreaterThan(500);
  }, 60_000);

  test('ends in 200 or 400 over HTTP', async () => {
    const anything = fc.oneof(
      SENTENCES,
      fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => text.isWellFormed()),
    );
    await fc.assert(
      fc.asyncProperty(anything, async (text) => {
        const { status } = await search(text);
        expect([200, 400]).toContain(status);
      }),
      { numRuns: 500 },
    );
  }, 60_000);
});

function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
