import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from '@jest/globals';
import { example, Program, temporaryFolder } from '../support/programs.js';
import { describeGateway } from '../support/gateway-promises.js';

const CADDY = '/usr/bin/caddy';
const folder = temporaryFolder('caddy');
afterAll(() => folder.remove());

describeGateway({
  name: 'Caddy',
  programs: [CADDY],
  // Caddy calls everything that it cannot reach a bad gateway.
  statusWithoutPatois: 502,
  start: (ports) => {
    const config = join(folder.path, `${ports.gateway}.Caddyfile`);
    const text = example('gateways/Caddyfile', {
      '127.0.0.1:3000': `127.0.0.1:${ports.patois}`,
      '127.0.0.1:9000': `127.0.0.1:${ports.service}`,
      '127.0.0.1:8080': `127.0.0.1:${ports.gateway}`,
    });
    // Several run at once: none takes the port of the administration.
    writeFileSync(config, `{\n\tadmin off\n\tauto_https off\n}\n${text}`);
    const home = { HOME: folder.path, XDG_DATA_HOME: folder.path, XDG_CONFIG_HOME: folder.path };
    return Program.start(CADDY, ['run', '--adapter', 'caddyfile', '--config', config], ports.gateway, {
      env: home,
    });
  },
});
