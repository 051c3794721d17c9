import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = 'console/messages';
const LANGUAGES = readdirSync(FOLDER);
const ROOMS = readdirSync(join(FOLDER, 'en')).map((file) => file.replace('.json', ''));
/** i18next's endings of plurals: not every language has each. */
const PLURAL = /_(zero|one|two|few|many|other)$/;

type Messages = { [key: string]: string | Messages };

function read(language: string, room: string): Map<string, string> {
  return new Map(flat(JSON.parse(readFileSync(join(FOLDER, language, `${room}.json`), 'utf8')) as Messages));
}

function flat(messages: Messages, prefix = ''): [string, string][] {
  return Object.entries(messages).flatMap(([key, value]) =>
    typeof value === 'string' ? [[prefix + key, value]] : flat(value, `${prefix + key}.`),
  );
}

function keysOf(messages: Map<string, string>): string[] {
  return [...new Set([...messages.keys()].map((key) => key.replace(PLURAL, '')))].toSorted();
}

/** The values that a message has a place for, by the key without its plural; `count` may be left out in a singular. */
function placesOf(messages: Map<string, string>): Map<string, string[]> {
  const places = new Map<string, Set<string>>();
  for (const [key, text] of messages) {
    const names = places.get(key.replace(PLURAL, '')) ?? new Set();
    for (const [, name = ''] of text.matchAll(/\{\{-?\s*(\w+)/g)) names.add(name);
    places.set(key.replace(PLURAL, ''), names);
  }
  return new Map([...places].map(([key, names]) => [key, [...names].toSorted()]));
}

test('each language has a file for each room', () => {
  for (const language of LANGUAGES) {
    expect(readdirSync(join(FOLDER, language))).toEqual(ROOMS.map((room) => `${room}.json`));
  }
});

describe.each(ROOMS)('the messages of %s', (room) => {
  const english = read('en', room);

  test.each(LANGUAGES)(
    'are all there in %s, with the same places for values, and none is blank',
    (language) => {
      const messages = read(language, room);
      expect(keysOf(messages)).toEqual(keysOf(english));
      expect(placesOf(messages)).toEqual(placesOf(english));
      expect([...messages].filter(([, text]) => text.trim() === '')).toEqual([]);
    },
  );
});

/** `t('key')` and `t('room:key')` as the sources have them, with the room that `useTranslation` names in that file. */
function usedKeys(path: string): string[] {
  const source = readFileSync(path, 'utf8');
  const rooms = [...source.matchAll(/useTranslation\((?:'([\w-]+)')?\)/g)].map(([, room = 'shell']) => room);
  return [...source.matchAll(/\bt\(\s*'([^'$]+)'/g)].flatMap(([, key = '']) => {
    if (key.includes(':')) return [key];
    // A file with several rooms: one of them must have it.
    return rooms.length > 0 ? [rooms.map((room) => `${room}:${key}`).join('|')] : [];
  });
}

test('every message that the sources name is there', () => {
  const known = new Set(
    ROOMS.flatMap((room) => {
      const messages = read('en', room);
      return [...messages.keys(), ...keysOf(messages)].map((key) => `${room}:${key}`);
    }),
  );
  const files = readdirSync('console/src', { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.tsx?$/.test(name),
  );
  const missing = files.flatMap((name) =>
    usedKeys(join('console/src', name))
      .filter((key) => !key.split('|').some((one) => known.has(one)))
      .map((key) => `${name}: ${key}`),
  );
  expect(missing).toEqual([]);
});

test('each action of the trail has words, as an event and as a filter', () => {
  const source = readFileSync('src/audit/audit-event.entity.ts', 'utf8');
  const actions = [...source.matchAll(/^ {2}\| '([\w.]+)'/gm)].map(([, action = '']) => action).toSorted();
  expect(actions.length).toBeGreaterThan(30);
  const wordedIn = (room: string): string[] =>
    [...read('en', room).keys()]
      .filter((key) => key.startsWith('actions.'))
      .map((key) => key.replace('actions.', ''))
      .filter((key) => actions.includes(key))
      .toSorted();
  expect(wordedIn('events')).toEqual(actions);
  expect(wordedIn('audit')).toEqual(actions);
});
