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

describe('what the command line reads', () => {
  /** A file, and those that are read with it. */
  function readWith(file: string, known = new Set<string>()): Set<string> {
    if (known.has(file)) return known;
    known.add(file);
    const imports = readFileSync(join(FOLDER, file), 'utf8').matchAll(/^(?:import|\} from) "\.\/([^"]+)"/gm);
    for (const [, name = ''] of imports) readWith(name, known);
    return known;
  }

  test('before a command needs it is nothing of NestJS, TypeORM or the driver', () => {
    const files = [...readWith('cli.js')];
    const text = files.map((file) => readFileSync(join(FOLDER, file), 'utf8')).join('\n');
    expect(text).toContain('node_modules/commander/');
    for (const name of ['@nestjs/core', 'typeorm', 'pg', 'fastify'])
      expect(text).not.toContain(`node_modules/${name}/`);
    // And so it is known to find them where they are read.
    expect(code).toContain('node_modules/typeorm/');
  });
});
