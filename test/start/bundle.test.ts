import { beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = 'dist/server';

let code: string;
beforeAll(() => {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.js'));
  code = files.map((file) => readFileSync(join(FOLDER, file), 'utf8')).join('\n');
});

describe('what a start reads', () => {
  test('keeps the names of classes, those that two modules share as well', () => {
    const names = [...code.matchAll(/defineProperty\(this, "name", \{ value: "(\w+)"/g)].map(
      ([, name]) => name,
    );
    expect(names.filter((name) => name === 'Token').length).toBeGreaterThan(1);
    expect(code).not.toContain('__name(this');
  });

  test('names no function again with each call of the one around it', () => {
    const [, body] = /var __name = (.*);/.exec(code) ?? [];
    expect(body).toBe('(target) => target');
  });
});
