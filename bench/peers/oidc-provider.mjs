// oidc-provider, introspecting opaque tokens of the client-credentials grant for a client that authenticates with its
// secret: in its own memory adapter, or, with DATABASE_URL, in the PostgreSQL adapter beside.
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { listen } from './answering.mjs';
import { postgresAdapter } from './oidc-postgres-adapter.mjs';

const { DATABASE_URL, TOKENS_FILE, TOKENS = '1', CLIENT_SECRET } = process.env;

const provider = new Provider('http://127.0.0.1', {
  ...(DATABASE_URL && { adapter: await postgresAdapter(DATABASE_URL) }),
  clients: [
    {
      client_id: 'bench',
      client_secret: CLIENT_SECRET,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'api:read',
    },
  ],
  scopes: ['api:read'],
  ttl: { ClientCredentials: 86_400 },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
  },
});

const client = await provider.Client.find('bench');
const tokens = [];
for (let made = 0; made < Number(TOKENS); made += 1) {
  tokens.push(await new provider.ClientCredentials({ client, scope: 'api:read' }).save());
}
writeFileSync(TOKENS_FILE, tokens.join('\n'));
listen(createServer(provider.callback()), 'oidc-provider');
