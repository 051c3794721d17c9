// Writes the table of arrows into .oxlintrc.json as lint rules; with --check only says whether they are there.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

const CONFIG = fileURLToPath(new URL('../.oxlintrc.json', import.meta.url));

/** The rooms of src/, a line for each floor, the highest first: a room imports rooms of lower floors, and no others. */
export const FLOORS = [
  ['cli'],
  ['administration', 'identity', 'console', 'verification', 'dialects', 'operations', 'openapi'],
  ['native'],
  ['auth'],
  ['http', 'decisions'],
  ['protocol'],
  ['tokens'],
  ['notices'],
  ['accounts', 'signing'],
  ['jobs'],
  ['audit', 'hashing'],
  ['database'],
  ['network'],
];

/** Arrows that point down and are not drawn all the same, and why. */
const NOT_DRAWN = { dialects: { native: "another API's words are no part of a dialect" } };

/** What each room is, for the message of who would break it. */
const REASONS = {
  cli: 'nothing is built on the command line',
  administration: 'what two edges need belongs below them',
  identity: 'what two edges need belongs below them',
  console: 'what two edges need belongs below them',
  verification: 'what two edges need belongs below them',
  dialects: 'a dialect stands beside the other edges, not on them',
  operations: 'what two edges need belongs below them',
  openapi: 'what two edges need belongs below them',
  native: 'it is what the routes of /patois/v1 share',
  auth: 'it knows who calls, not what for',
  http: 'it knows requests, neither tokens in use nor who calls',
  decisions: 'it decides on tokens, and knows neither requests nor who calls',
  protocol: 'it says what a dialect is, and knows dialects only by their registry',
  tokens: "it is the core, without HTTP or a dialect's word",
  notices: 'it tells what it is given, and knows nothing of tokens but that',
  accounts: 'it knows users, not what they hold',
  signing: 'it signs what it is given',
  audit: 'it writes what it is given',
  hashing: 'it knows no entities',
  jobs: 'it runs what other rooms name',
  database: 'it knows no entity',
  network: 'it is pure functions',
};

/** Rooms that know of HTTP no more than the types that `protocol` gives them. */
const WITHOUT_HTTP = [
  'decisions',
  'tokens',
  'accounts',
  'signing',
  'audit',
  'hashing',
  'jobs',
  'database',
  'network',
];

const GROUND = [
  'config',
  'refusal',
  'secrets',
  'maybe-promise',
  'package-root',
  'semaphore',
  'tracing',
  'turnstile',
];
const ASSEMBLY = ['main', 'app', 'app\\.module', 'data-source', 'serve', 'workers', 'write-openapi'];
const ORDER = FLOORS.map((rooms) => rooms.join(', ')).join(' -> ');
const ROOMS = FLOORS.flat();

const ENVIRONMENT = {
  regex: '^(node:)?process$',
  message: 'Only config.ts reads the environment; process itself is a global.',
};
const NO_ASSEMBLY = {
  regex: `^(\\.\\./)+(${ASSEMBLY.join('|')})\\.js$`,
  message: `The rooms do not know how they are put together: ${ASSEMBLY.join('.ts, ').replaceAll('\\', '')}.ts import them.`,
};
const NO_HTTP = {
  regex: '^(fastify|node:https?|@nestjs/(platform-\\w+|swagger))$',
  message: 'Below http/ nobody knows HTTP: the core refuses in its own terms, the edge words it.',
};
const NO_DIALECT = {
  regex: '(^|/)dialects/',
  message: 'Nothing imports a dialect but app.module.ts: it registers itself with the registry in protocol/.',
};

function restricted(files, patterns) {
  return { files, rules: { 'no-restricted-imports': ['error', { patterns }] } };
}

/** The rooms that a room may not import. */
export function forbiddenTo(room) {
  const floor = FLOORS.findIndex((rooms) => rooms.includes(room));
  const above = FLOORS.slice(0, floor + 1).flat();
  return [...above.filter((other) => other !== room), ...Object.keys(NOT_DRAWN[room] ?? {})];
}

function rulesOf(room) {
  const forbidden = forbiddenTo(room);
  const others = forbidden.filter((other) => other !== 'dialects' && !NOT_DRAWN[room]?.[other]);
  const patterns = [
    ...(others.length > 0
      ? [
          {
            regex: `^(\\.\\./)+(${others.join('|')})/`,
            message: `${room}/ may not import this: ${REASONS[room]}. ${ORDER}.`,
          },
        ]
      : []),
    ...Object.entries(NOT_DRAWN[room] ?? {}).map(([other, reason]) => ({
      regex: `^(\\.\\./)+${other}/`,
      message: `${room}/ may not import ${other}/: ${reason}.`,
    })),
    ...(room === 'dialects' ? [] : [{ ...NO_DIALECT, regex: '^(\\.\\./)+dialects/' }]),
    // The command line stands on the whole: it starts it.
    ...(room === 'cli' ? [] : [NO_ASSEMBLY]),
    ...(WITHOUT_HTTP.includes(room) ? [NO_HTTP] : []),
    ENVIRONMENT,
  ];
  if (room !== 'dialects') return [restricted([`src/${room}/**/*.ts`], patterns)];
  const message = 'No dialect imports another: what two need belongs below them.';
  return [
    restricted(['src/dialects/*/*.ts'], [{ regex: '^\\.\\./[^.]', message }, ...patterns]),
    restricted(['src/dialects/*/*/**/*.ts'], [{ regex: '^\\.\\./\\.\\./[^.]', message }, ...patterns]),
  ];
}

function overrides() {
  const environment = {
    object: 'process',
    property: 'env',
    message:
      'Only config.ts reads the environment: a setting has its default, bounds and documentation there. What the command line takes besides stands in cli/environment.ts.',
  };
  const above = ROOMS.filter((room) => room !== 'network').join('|');
  const message = `The ground knows no room above network/. ${ORDER}.`;
  return [
    {
      files: ['src/**/*.ts'],
      rules: {
        'no-restricted-properties': ['error', environment],
        'no-restricted-imports': ['error', { patterns: [ENVIRONMENT] }],
      },
    },
    {
      files: ['src/config.ts', 'src/cli/environment.ts'],
      rules: { 'no-restricted-properties': 'off' },
    },
    restricted(
      ASSEMBLY.filter((file) => file !== 'app\\.module').map((file) => `src/${file}.ts`),
      [NO_DIALECT, ENVIRONMENT],
    ),
    restricted(
      GROUND.map((file) => `src/${file}.ts`),
      [{ regex: `^\\./(${above})/`, message }, NO_HTTP, ENVIRONMENT],
    ),
    ...ROOMS.flatMap(rulesOf),
    restricted(
      ['migrations/**/*.ts'],
      [
        {
          group: ['**', '!typeorm', '!./online.js', '!node:timers/promises'],
          message:
            'A migration imports typeorm and the steps of online.ts alone: it must still do tomorrow what it does today.',
        },
      ],
    ),
  ];
}

async function main() {
  const before = readFileSync(CONFIG, 'utf8');
  const config = { ...JSON.parse(before), overrides: overrides() };
  const options = await resolveConfig(CONFIG);
  const text = await format(JSON.stringify(config), { ...options, parser: 'json' });
  if (text === before) return;
  if (process.argv.includes('--check')) {
    process.stderr.write(
      '.oxlintrc.json is not what scripts/arrows.mjs makes: run node scripts/arrows.mjs\n',
    );
    process.exitCode = 1;
    return;
  }
  writeFileSync(CONFIG, text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
