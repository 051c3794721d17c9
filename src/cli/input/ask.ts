import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandError, EXIT, usageError } from '../exit.js';
import { printable } from '../output/printable.js';
import type { Terminal } from '../output/terminal.js';

/** More than any secret has. */
const MAX_INPUT_BYTES = 8_192;

/** A secret typed on a terminal, which does not show it. */
export async function askSecret(terminal: Terminal, question: string): Promise<string> {
  if (!terminal.isInteractive) throw usageError(`${question}: there is no terminal to type it on`);
  const secret = await ask(terminal, `${question}: `, true);
  terminal.say('');
  return secret;
}

/** A new password: typed twice on a terminal, else the first line of standard input. */
export async function newPassword(terminal: Terminal, login: string): Promise<string> {
  if (!terminal.isInteractive) return readSecret(terminal);
  const password = await askSecret(terminal, `New password of ${printable(login)}`);
  const again = await askSecret(terminal, 'Once more');
  if (password !== again) throw usageError('The two are not the same; nothing was changed');
  return password;
}

/** What a program hands over on standard input: one line, with or without its end. */
export async function readSecret({ input }: Terminal): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(Buffer.from(chunk as Buffer));
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_INPUT_BYTES) throw usageError('Standard input is longer than any secret');
  }
  const text = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
  if (text === '') throw usageError('Standard input is empty');
  return text;
}

/**
 * Lets nothing be destroyed by mistake.
 *
 * @param isAgreed whether `--yes` was given.
 * @throws {CommandError} where the answer is no, and where nobody can be asked.
 */
export async function confirm(terminal: Terminal, question: string, isAgreed = false): Promise<void> {
  if (isAgreed) return;
  if (!terminal.isInteractive) throw usageError(`${question} Nobody can be asked here: say --yes`);
  const answer = await ask(terminal, `${question} [y/N] `, false);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('Nothing was done', EXIT.failed);
}

function ask({ input, messages }: Terminal, question: string, isSecret: boolean): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: isSecret ? nowhere : messages, terminal: true });
  if (isSecret) messages.write(question);
  return new Promise((resolve, reject) => {
    let answer: string | undefined;
    // Ctrl-C closes, and so does the end of the input.
    lines.on('SIGINT', () => lines.close());
    lines.on('close', () => {
      if (answer !== undefined) return resolve(answer);
      messages.write('\n');
      return reject(new CommandError('Nothing was done', EXIT.interrupted));
    });
    lines.question(isSecret ? '' : question, (line) => {
      answer = line;
      lines.close();
    });
  });
}
