import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/**
 * The lines of a page that its reader is invited to paste: between `<!-- try: … -->` and `<!-- /try -->`.
 *
 * @param place of the block, where the page has several.
 */
export function linesToTry(page: string, place = 0): string {
  const blocks = readFileSync(page, 'utf8').matchAll(
    /<!-- try:[^>]*-->\s*```sh\n([\s\S]*?)```\s*<!-- \/try -->/g,
  );
  const [, lines = ''] = [...blocks][place] ?? [];
  if (!/^(curl|patois) /m.test(lines)) throw new Error(`${page} has no lines to try`);
  return lines;
}

/** Runs a script as it would be pasted into a shell; fails with what it printed. */
export async function pasteInto(
  folder: string,
  script: string,
  variables: Record<string, string>,
): Promise<string> {
  // What a reader sees as an error on the screen must fail here.
  await writeFile(join(folder, '.curlrc'), 'fail-with-body\nsilent\nshow-error\nmax-time = 20\n');
  const { PATH = '' } = process.env;
  const env = { PATH, CURL_HOME: folder, HOME: folder, ...variables };
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => shell.on('close', resolve));
  const [stdout, stderr] = await Promise.all([text(shell.stdout), text(shell.stderr)]);
  const code = await ended;
  if (code !== 0) throw new Error(`Exit code ${String(code)}:\n${stdout}\n${stderr}`);
  return stdout;
}
