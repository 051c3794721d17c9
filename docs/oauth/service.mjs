// A service that takes the JWTs of /oauth2/token, and asks Patois for nothing but its keys. Node, with `npm install jose`.
//
//   ISSUER=https://patois.example AUDIENCE=https://orders.example PORT=9000 node service.mjs
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { createServer } from 'node:http';

const { ISSUER, AUDIENCE, PORT } = process.env;

// Fetched when they are first needed, kept for ten minutes, and again where a JWT names a key that is not among them.
const keys = createRemoteJWKSet(new URL(`${ISSUER}/.well-known/jwks.json`));

/** The claims of a request's JWT. Throws where there is none that counts here. */
async function claimsOf({ headers }) {
  const [, jwt = ''] = /^Bearer ([^ ]+)$/i.exec(headers.authorization ?? '') ?? [];
  const { payload } = await jwtVerify(jwt, keys, {
    issuer: ISSUER,
    audience: AUDIENCE,
    // An access token, and no other JWT that the same keys sign.
    typ: 'at+jwt',
    algorithms: ['ES256'],
    requiredClaims: ['sub', 'exp', 'client_id'],
  });
  return payload;
}

const server = createServer(async (request, response) => {
  const claims = await claimsOf(request).catch(() => undefined);
  if (!claims) {
    response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end();
    return;
  }
  const scopes = (claims.scope ?? '').split(' ');
  if (!scopes.includes('repo:read')) {
    response
      .writeHead(403, { 'www-authenticate': 'Bearer error="insufficient_scope", scope="repo:read"' })
      .end();
    return;
  }
  response.writeHead(200).end(`Hello ${claims.username}, by ${claims.client_id}\n`);
});
server.listen(Number(PORT), '127.0.0.1');
