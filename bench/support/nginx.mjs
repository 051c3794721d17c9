import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cpuSecondsOf, freePort } from './processes.mjs';

/** nginx with one worker before a small file, asking a server about every request with `auth_request`. */
export class Nginx {
  #child;
  #folder;
  #asked;

  /** @param asked the server that is asked at `path`; its processor time counts with that of nginx. */
  static async start(name, asked, path) {
    const nginx = new Nginx();
    nginx.name = name;
    nginx.#asked = asked;
    const folder = (nginx.#folder = mkdtempSync(join(tmpdir(), 'patois-bench-nginx-')));
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'www'));
    writeFileSync(join(folder, 'www', 'index.html'), 'ok\n');
    const port = await freePort();
    writeFileSync(
      join(folder, 'nginx.conf'),
      configuration({ folder, port, path, asked: new URL(asked.url).host }),
    );
    nginx.#child = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    nginx.url = `http://127.0.0.1:${port}`;
    for (const endsAt = Date.now() + 10_000; !(await answers(port));) {
      if (Date.now() > endsAt) throw new Error('nginx does not listen');
      await new Promise((resume) => setTimeout(resume, 50));
    }
    return nginx;
  }

  cpuSeconds() {
    return cpuSecondsOf(this.#child.pid) + this.#asked.cpuSeconds();
  }

  async stop() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGTERM');
      await ended;
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function configuration({ folder, port, path, asked }) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/${kind};`,
  );
  return `
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  ${temporary.join('\n  ')}
  upstream asked { server ${asked}; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port};
    root ${folder}/www;
    location / {
      auth_request /_asked;
      auth_request_set $user $upstream_http_x_patois_user;
      add_header X-User $user;
    }
    location = /_asked {
      internal;
      auth_request off;
      proxy_pass http://asked${path};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}
`;
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
