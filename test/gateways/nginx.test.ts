import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { example, Program, temporaryFolder } from '../support/programs.js';
import { describeGateway } from '../support/gateway-promises.js';

const NGINX = '/usr/sbin/nginx';
const folder = temporaryFolder('nginx');
afterAll(() => folder.remove());

describeGateway({
  name: 'nginx',
  programs: [NGINX],
  start: (ports) => {
    const site = example('gateways/nginx.conf', {
      '127.0.0.1:3000': `127.0.0.1:${ports.patois}`,
      '127.0.0.1:9000': `127.0.0.1:${ports.service}`,
      '127.0.0.1:8080': `127.0.0.1:${ports.gateway}`,
    });
    // What Debian's nginx.conf does around conf.d/, with nothing outside of the folder.
    const own = join(folder.path, String(ports.gateway));
    const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((kind) => `${kind}_temp_path ${own}-${kind};`)
      .join(' ');
    writeFileSync(`${own}-site.conf`, site);
    writeFileSync(
      `${own}.conf`,
      `daemon off; worker_processes 1; pid ${own}.pid; error_log stderr warn;\n` +
        `${process.getuid?.() === 0 ? 'user root;' : ''}\n` +
        `events {}\nhttp { access_log off; ${places} include ${own}-site.conf; }\n`,
    );
    return Program.start(NGINX, ['-p', folder.path, '-c', `${own}.conf`, '-e', 'stderr'], ports.gateway);
  },
});
