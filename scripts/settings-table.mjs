// Writes the table of settings into README.md from the built src/config.ts; with --check only says whether it is there.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { SETTINGS } from '../dist/src/config.js';

const README = join(import.meta.dirname, '../README.md');
const BEGIN = '<!-- settings: written by scripts/settings-table.mjs -->';
const END = '<!-- /settings -->';

const rows = Object.values(SETTINGS).map(
  ({ variable, shownDefault, doc }) => `| \`${variable}\` | ${shownDefault} | ${doc} |`,
);
const table = ['| setting | default | what it does |', '| --- | --- | --- |', ...rows].join('\n');

const text = readFileSync(README, 'utf8');
const [before, rest] = text.split(BEGIN);
const after = rest?.split(END)[1];
if (after === undefined) throw new Error(`README.md has no ${BEGIN} … ${END}`);
const options = { ...(await resolveConfig(README)), filepath: README };
const fresh = await format(`${before}${BEGIN}\n\n${table}\n\n${END}${after}`, options);
if (process.argv.includes('--check')) {
  if (fresh !== text) {
    console.error(
      'README.md does not list the settings of src/config.ts: run node scripts/settings-table.mjs',
    );
    process.exit(1);
  }
} else {
  writeFileSync(README, fresh);
}
