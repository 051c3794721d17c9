import { parseArgs } from 'node:util';
import { isInstalled, LOADERS } from './load.mjs';

/** A number; without one to begin with, it may be left out. */
export function number(byDefault, flag) {
  return { flag, byDefault: byDefault?.toString(), read: Number };
}

/** Words, separated by commas; undefined by default. */
export function words() {
  return { read: (text) => text.split(',') };
}

/** Numbers, separated by commas. */
export function numbers(byDefault) {
  return { byDefault, read: (text) => text.split(',').map(Number) };
}

/** What loads the servers: one of {@link LOADERS}, by default the first that is installed. */
export function loader() {
  return {
    byDefault: LOADERS.find((name) => name === 'autocannon' || isInstalled(name)),
    read: (name) => name,
    isGood: (name) => LOADERS.includes(name),
  };
}

/** Whether something is asked for: an option without a value. */
export function flag() {
  return { isFlag: true };
}

/**
 * The options of the command line, by the names of `known`, each of which says what it is; with `--help`, and where one is
 * not good, the help is printed and the process ends.
 */
export function readOptions(help, known) {
  const entries = Object.entries(known).map(([name, option]) => ({ name, flag: name, ...defined(option) }));
  const { values } = parseArgs({
    options: {
      ...Object.fromEntries(entries.map((entry) => [entry.flag, parsedAs(entry)])),
      help: { type: 'boolean', default: false },
    },
  });
  const areGood = entries.every(({ flag: written, isGood }) => !isGood || isGood(values[written]));
  if (values.help || !areGood) {
    process.stdout.write(`${help}\n`);
    process.exit(values.help ? 0 : 2);
  }
  return Object.fromEntries(
    entries.map(({ name, flag: written, isFlag, read }) => {
      const value = values[written];
      return [name, isFlag || value === undefined ? value : read(value)];
    }),
  );
}

function parsedAs({ isFlag, byDefault }) {
  if (isFlag) return { type: 'boolean', default: false };
  return { type: 'string', ...defined({ default: byDefault }) };
}

function defined(object) {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
