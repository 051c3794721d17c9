import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program } from './programs.js';

export const APACHE = '/usr/sbin/apache2';
const MODULES = '/usr/lib/apache2/modules';
export const OPENIDC = `${MODULES}/mod_auth_openidc.so`;
const LOADED = 'mpm_event authn_core authz_core authz_user auth_openidc headers proxy proxy_http'.split(' ');

/** An Apache with a site, as Debian's apache2.conf and a2enmod set it up, with nothing outside of the folder. */
export function startApache(folder: string, port: number, site: string): Promise<Program> {
  const own = join(folder, String(port));
  const places = `ServerName localhost\nDefaultRuntimeDir ${folder}\nPidFile ${own}.pid\nErrorLog ${own}.log\n`;
  const modules = LOADED.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so\n`).join('');
  const user = process.getuid?.() === 0 ? 'User www-data\nGroup www-data\n' : '';
  writeFileSync(`${own}.conf`, `${places}${modules}${user}${site}`);
  return Program.start(APACHE, ['-DFOREGROUND', '-f', `${own}.conf`], port);
}
