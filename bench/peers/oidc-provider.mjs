// oidc-provider, introspecting opaque access tokens of users for a client that authenticates with its secret, and issuing
// tokens to that client (client credentials): in its own memory adapter, or, with DATABASE_URL, in the PostgreSQL adapter
// beside.
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
      redirect_uris: ['http://127.0.0.1/'],
      grant_types: ['authorization_code', 'client_credentials'],
      scope: 'api:read',
    },
  ],
  scopes: ['api:read'],
  ttl: { AccessToken: 86_400, ClientCredentials: 86_400, Grant: 86_400 },
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
  },
});

const client = await provider.Client.find('bench');
const tokens = [];
for (let made = 0; made < Number(TOKENS); made += 1) {
  const accountId = `user-${made}`;
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addOIDCScope('api:read');
  const grantId = await grant.save();
  const token = new provider.AccessToken({
    accountId,
    client,
    grantId,
    scope: 'api:read',
    gty: 'authorization_code',
  });
  tokens.push(await token.save());
}
writeFileSync(TOKENS_FILE, tokens.join('\n'));
listen(createServer(provider.callback()), 'oidc-provider');
