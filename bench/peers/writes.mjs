// The floor under every change of a token: bare node:http and pg, with the transaction that Patois makes written by hand,
// five named statements, one more where a token is locked first. It checks the caller and nothing else.
//   POST /tokens {name, scopes}; POST /tokens/{tokenId}/rotate; PATCH /tokens/{tokenId} {description}; DELETE /tokens/{tokenId}
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import pg from 'pg';
import { bearerOf, listen } from './answering.mjs';

const { DATABASE_URL, TOKEN_KEYS } = process.env;
const [KEY_NAME, KEY] = TOKEN_KEYS.split(':');
const SECRET = Buffer.from(KEY, 'base64');
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const TOKEN_ID_LENGTH = 'pt-123456789012'.length;

const begin = { name: 'begin', text: 'BEGIN' };
const commit = { name: 'commit', text: 'COMMIT' };
const lockCaller = {
  name: 'caller',
  text: `SELECT u.id AS owner_id, u.login, u.organization_id, u.disabled, u.deleted_at,
           t.id, t.token_id, t.name, t.created_at, t.scopes, t.digest, t.revoked_at, t.expires_at, t.inactive
         FROM tokens t JOIN users u ON u.id = t.owner_id WHERE t.token_id = $1 FOR SHARE`,
};
const lockTarget = {
  name: 'target',
  text: 'SELECT * FROM tokens WHERE token_id = $1 AND revoked_at IS NULL FOR UPDATE',
};
const insertToken = {
  name: 'insert',
  text: `INSERT INTO tokens (id, token_id, dialect, owner_id, organization_id, name, scopes, allowed_cidrs, inactive,
           created_at, created_by_type, created_by_id, created_by_name, created_by_created_at, digest, digest_key,
           dialect_fields)
         VALUES ($1, $2, 'patois', $3, $4, $5, $6, '{}', false, $7, 'token', $8, $9, $10, $11, $12, '{}') RETURNING *`,
};
const rotateToken = {
  name: 'rotate',
  text: `UPDATE tokens SET digest = $2, digest_key = $3, rotated_at = $4, previous_digest = NULL,
           previous_digest_key = NULL, previous_valid_until = NULL WHERE id = $1 RETURNING *`,
};
const updateToken = {
  name: 'update',
  text: `UPDATE tokens SET description = $2, updated_at = $3, updated_by_type = 'token', updated_by_id = $4,
           updated_by_name = $5, updated_by_created_at = $6 WHERE id = $1 RETURNING *`,
};
const revokeToken = {
  name: 'revoke',
  text: `UPDATE tokens SET revoked_at = $2, revoked_by_type = 'token', revoked_by_id = $3, revoked_by_name = $4,
           revoked_by_created_at = $5, sealed_value = NULL, previous_valid_until = NULL WHERE id = $1 RETURNING *`,
};
const insertEvent = {
  name: 'event',
  text: `INSERT INTO audit_events (id, time, actor_type, actor_id, action, object_type, object_id, before, after, address,
           user_agent, request_id)
         VALUES ($1, $2, 'token', $3, $4, 'token', $5, $6, $7, $8, $9, $10)`,
};

const pool = new pg.Pool({ connectionString: DATABASE_URL, max: 20 });

listen(
  createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {};
      answer(request, body).then(
        ({ status, shown }) => end(response, status, shown),
        ({ status = 503, message }) => end(response, status, { message }),
      );
    });
  }),
  'writes by hand',
);

async function answer(request, body) {
  const [, , tokenId, action] = request.url.split('/');
  if (tokenId === undefined) return issue(request, body);
  if (action === 'rotate') return rotate(request, tokenId);
  return request.method === 'PATCH' ? update(request, tokenId, body) : revoke(request, tokenId);
}

function issue(request, { name, scopes }) {
  return changing(request, async (query, now) => {
    const caller = await admit(query, request);
    const tokenId = `pt-${randomText(12)}`;
    const value = `${tokenId}_${randomText(49)}`;
    const values = [
      randomUUID(),
      tokenId,
      caller.owner_id,
      caller.organization_id,
      name,
      scopes,
      now,
      caller.id,
      caller.name,
      caller.created_at,
      digestOf(value),
      KEY_NAME,
    ];
    const { rows } = await query(insertToken, values);
    return { caller, action: 'token.create', after: rows[0], status: 201, value };
  });
}

function rotate(request, tokenId) {
  return changing(request, async (query, now) => {
    const { caller, before } = await admitTo(query, request, tokenId);
    const value = `${tokenId}_${randomText(49)}`;
    const { rows } = await query(rotateToken, [before.id, digestOf(value), KEY_NAME, now]);
    return { caller, action: 'token.rotate', before, after: rows[0], status: 200, value };
  });
}

function update(request, tokenId, { description }) {
  return changing(request, async (query, now) => {
    const { caller, before } = await admitTo(query, request, tokenId);
    const { rows } = await query(updateToken, [
      before.id,
      description,
      now,
      caller.id,
      caller.name,
      caller.created_at,
    ]);
    return { caller, action: 'token.update', before, after: rows[0], status: 200 };
  });
}

function revoke(request, tokenId) {
  return changing(request, async (query, now) => {
    const { caller, before } = await admitTo(query, request, tokenId);
    const { rows } = await query(revokeToken, [before.id, now, caller.id, caller.name, caller.created_at]);
    return { caller, action: 'token.revoke', before, after: rows[0], status: 204 };
  });
}

/** One transaction with its audit event; what is thrown undoes it. */
async function changing(request, change) {
  const client = await pool.connect();
  const query = (statement, values) => client.query({ ...statement, values });
  try {
    await query(begin);
    const now = new Date();
    const { caller, action, before, after, status, value } = await change(query, now);
    await query(insertEvent, [
      randomUUID(),
      now,
      caller.token_id,
      action,
      after.token_id,
      before ? JSON.stringify(auditView(before)) : null,
      JSON.stringify(auditView(after)),
      request.socket.remoteAddress,
      request.headers['user-agent'] ?? null,
      randomUUID(),
    ]);
    await query(commit);
    return { status, shown: { ...view(after, caller), ...(value && { token: value }) } };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

/** The calling token and its owner, locked. */
async function admit(query, request) {
  const presented = bearerOf(request) ?? '';
  const { rows } = await query(lockCaller, [presented.slice(0, TOKEN_ID_LENGTH)]);
  const [caller] = rows;
  const isGood =
    caller &&
    timingSafeEqual(digestOf(presented), caller.digest) &&
    caller.revoked_at === null &&
    (caller.expires_at === null || caller.expires_at > new Date()) &&
    !caller.inactive &&
    !caller.disabled &&
    caller.deleted_at === null;
  if (!isGood) throw refusal(401, 'No valid credential');
  return caller;
}

async function admitTo(query, request, tokenId) {
  const { rows } = await query(lockTarget, [tokenId]);
  const caller = await admit(query, request);
  const [before] = rows;
  if (before?.owner_id !== caller.owner_id) throw refusal(404, 'No such token');
  return { caller, before };
}

function auditView(token) {
  return {
    uuid: token.id,
    dialect: token.dialect,
    owner: token.owner_id,
    name: token.name,
    description: token.description,
    scopes: token.scopes,
    allowedCidrs: token.allowed_cidrs,
    status: token.revoked_at ? 'revoked' : 'active',
    expiresAt: token.expires_at,
    rotatedAt: token.rotated_at,
    revokedAt: token.revoked_at,
    revokeReason: token.revoke_reason,
    dialectFields: token.dialect_fields,
  };
}

function view(token, { owner_id: id, login }) {
  return {
    tokenId: token.token_id,
    uuid: token.id,
    numericId: token.numeric_id,
    dialect: token.dialect,
    owner: { id, login },
    organization: token.organization_id,
    name: token.name,
    description: token.description,
    scopes: token.scopes,
    allowedCidrs: token.allowed_cidrs,
    status: token.revoked_at ? 'revoked' : 'active',
    expiresAt: token.expires_at,
    createdAt: token.created_at,
    createdBy: { type: token.created_by_type, id: token.created_by_id, name: token.created_by_name },
    updatedAt: token.updated_at,
    rotatedAt: token.rotated_at,
    lastUsedAt: token.last_used_at,
    revokedAt: token.revoked_at,
  };
}

function end(response, status, shown) {
  if (status === 204) return void response.writeHead(204).end();
  const text = JSON.stringify(shown);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  response.writeHead(status, headers).end(text);
}

function digestOf(value) {
  return createHmac('sha256', SECRET).update(value).digest();
}

function randomText(length) {
  return Array.from(randomBytes(length), (byte) => LETTERS[byte % LETTERS.length]).join('');
}

function refusal(status, message) {
  return Object.assign(new Error(message), { status });
}
