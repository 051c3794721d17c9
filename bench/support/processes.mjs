import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const START_TIMEOUT_MS = 60_000;
/** Linux counts the processor time of a process in ticks of 10 ms. */
const TICKS_A_SECOND = 100;
const LISTENS = /listens on (http:\/\/[\w.]+:\d+)/;

/** A server as a process of its own, which says `… listens on http://…` when it is ready. */
export class ServerProcess {
  #child;
  #output = '';

  constructor(name, child) {
    this.name = name;
    this.#child = child;
  }

  /** Starts `node file`, and waits until it listens. Its output is kept for the day it fails. */
  static async start(name, file, environment = {}, nodeOptions = []) {
    const child = spawn(process.execPath, [...nodeOptions, file], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new ServerProcess(name, child);
    server.url = await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`${name} ${why}:\n${server.#output.slice(-4000)}`));
      const timer = setTimeout(() => fail('did not listen in time'), START_TIMEOUT_MS);
      const read = (chunk) => {
        server.#output = (server.#output + chunk).slice(-100_000);
        const [, url] = LISTENS.exec(server.#output) ?? [];
        if (url !== undefined) resolve(url);
        if (url !== undefined) clearTimeout(timer);
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('error', (error) => fail(error.message));
      child.once('exit', (code, signal) => fail(`ended with ${code ?? signal}`));
    });
    return server;
  }

  get pid() {
    return this.#child.pid;
  }

  get output() {
    return this.#output;
  }

  /** Seconds of processor time so far, with all children; undefined where /proc does not tell. */
  cpuSeconds() {
    return cpuSecondsOf(this.#child.pid);
  }

  signal(name) {
    this.#child.kill(name);
  }

  async stop() {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
  }
}

/** Seconds of processor time of a process and all below it, those that have ended too. */
export function cpuSecondsOf(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    const own = ticks / TICKS_A_SECOND;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children
      .split(' ')
      .filter(Boolean)
      .reduce((sum, child) => sum + (cpuSecondsOf(child) ?? 0), own);
  } catch {
    return undefined;
  }
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
