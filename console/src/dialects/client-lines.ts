/**
 * What the clients of each dialect are given to use a token: lines to paste. This file imports nothing, so that tests read
 * it outside of the console. Sources: docs/dialects/*.md, docs/REGISTRY.md, docs/cli.md.
 */
export interface ClientLines {
  /** Its message in `dialects:lines`. */
  title: string;
  text: string;
  /** A message that is to be read with it. */
  hint?: string;
}

export interface ClientTarget {
  dialect: string;
  /** Of the server, without a slash at the end. */
  origin: string;
  /** Of the owner: letters, digits and `._@+-`. */
  login: string;
  scopes: readonly string[];
  secret: string;
}

/** The name that a dialect's own clients read, where they read any. */
const VARIABLES: Record<string, string> = {
  foreman: 'FOREMAN_TOKEN',
  yunxiao: 'YUNXIAO_ACCESS_TOKEN',
  panther: 'PANTHER_API_TOKEN',
  quay: 'QUAY_TOKEN',
  losant: 'LOSANT_ACCESS_TOKEN',
};
/** Each lets `userApiTokens.get` be called. */
const LOSANT_READERS = /^((all|only)\.User(\.bounded|\.read)?|userApiTokens\.(\*|get))$/;

/** All lines for a token, beginning with the variable that most of the others read it from. */
export function clientLines(target: ClientTarget): ClientLines[] {
  const variable = VARIABLES[target.dialect] ?? 'PATOIS_TOKEN';
  const { origin, secret } = target;
  return [
    { title: 'environment', text: `export ${variable}='${secret}'`, hint: 'environmentHint' },
    ...linesOf(target, `$${variable}`),
    { title: 'verify', text: `curl -i -H "Authorization: Bearer $${variable}" ${origin}/verify` },
  ];
}

function linesOf({ dialect, origin, login, scopes, secret }: ClientTarget, token: string): ClientLines[] {
  switch (dialect) {
    case 'foreman':
      return [
        { title: 'hammer', text: hammer(origin, login, secret), hint: 'holdsSecret' },
        { title: 'curl', text: `curl -u "${login}:${token}" ${origin}/api/status` },
      ];
    case 'quay':
      return [
        { title: 'docker', text: registryLogin('docker', token), hint: 'registryHint' },
        { title: 'podman', text: registryLogin('podman', token), hint: 'registryHint' },
        ...(scopes.includes('user:admin') ? [bearer(origin, '/api/v1/user/apptoken', token)] : []),
      ];
    case 'panther':
      return [{ title: 'curl', text: `curl -H "X-API-Key: ${token}" ${origin}/api-tokens/self` }];
    case 'losant':
      return scopes.some((scope) => LOSANT_READERS.test(scope))
        ? [{ title: 'losantRest', text: losantRest(origin) }, bearer(origin, '/me/tokens', token)]
        : [];
    case 'yunxiao':
      return [
        { title: 'mcp', text: mcp(origin, secret), hint: 'holdsSecret' },
        { title: 'curl', text: `curl -H "x-yunxiao-token: ${token}" ${origin}/oapi/v1/platform/user` },
      ];
    default:
      return [
        { title: 'commandLine', text: `export PATOIS_URL=${origin}\npatois whoami` },
        bearer(origin, '/patois/v1/me', token),
      ];
  }
}

function bearer(origin: string, path: string, token: string): ClientLines {
  return { title: 'curl', text: `curl -H "Authorization: Bearer ${token}" ${origin}${path}` };
}

/** `$app` is a name of its own to docker's clients, not a variable: in single quotes. */
function registryLogin(program: string, token: string): string {
  return `printf '%s' "${token}" | ${program} login registry.example.com -u '$app' --password-stdin`;
}

function hammer(origin: string, login: string, secret: string): string {
  return [
    ':foreman:',
    '  :enable_module: true',
    `  :host: '${origin}'`,
    '  :use_sessions: false',
    `  :username: '${login}'`,
    `  :password: '${secret}'`,
  ].join('\n');
}

function losantRest(origin: string): string {
  return [
    "const losant = require('losant-rest');",
    '',
    'const client = losant.createClient({',
    `  url: '${origin}',`,
    '  accessToken: process.env.LOSANT_ACCESS_TOKEN,',
    '});',
    'client.userApiTokens.get().then(console.log);',
  ].join('\n');
}

function mcp(origin: string, secret: string): string {
  const yunxiao = {
    command: 'npx',
    args: ['-y', 'alibabacloud-devops-mcp-server'],
    env: { YUNXIAO_ACCESS_TOKEN: secret, YUNXIAO_API_BASE_URL: origin },
  };
  return JSON.stringify({ mcpServers: { yunxiao } }, null, 2);
}
