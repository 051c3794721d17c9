import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll } from '@jest/globals';
import { example, Program, temporaryFolder } from '../support/programs.js';
import { describeGateway } from '../support/gateway-promises.js';

const HAPROXY = '/usr/sbin/haproxy';
const folder = temporaryFolder('haproxy');
afterAll(() => folder.remove());

describeGateway({
  name: 'HAProxy',
  programs: [HAPROXY],
  start: (ports) => {
    const config = join(folder.path, `${ports.gateway}.cfg`);
    const text = example('gateways/haproxy.cfg', {
      '127.0.0.1:3000': `127.0.0.1:${ports.patois}`,
      '127.0.0.1:9000': `127.0.0.1:${ports.service}`,
      '127.0.0.1:8080': `127.0.0.1:${ports.gateway}`,
      '/etc/haproxy/patois.lua': resolve('docs/gateways/patois.lua'),
    });
    writeFileSync(config, text);
    return Program.start(HAPROXY, ['-db', '-f', config], ports.gateway);
  },
});
