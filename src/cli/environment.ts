import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the command line takes from the environment beside the settings of a server, which config.ts reads. */
export interface CommandEnvironment {
  /** `PATOIS_URL`: the server that is asked. */
  url: string;
  /** `PATOIS_TOKEN`. */
  token: string | undefined;
  /** Read where no other credential is named. */
  tokenFile: string;
  /** Not where `NO_COLOR` is set (no-color.org), nor on a terminal that knows no colours. */
  allowsColours: boolean;
}

const DEFAULT_URL = 'http://127.0.0.1:3000';

/** An empty variable counts as unset. */
export function readCommandEnvironment(environment: NodeJS.ProcessEnv = process.env): CommandEnvironment {
  const read = (name: string): string | undefined => environment[name]?.trim() || undefined;
  return {
    url: read('PATOIS_URL') ?? DEFAULT_URL,
    token: read('PATOIS_TOKEN'),
    tokenFile: join(read('XDG_CONFIG_HOME') ?? join(homedir(), '.config'), 'patois', 'token'),
    allowsColours: read('NO_COLOR') === undefined && read('TERM') !== 'dumb',
  };
}
