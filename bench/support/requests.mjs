/** Sends one of the requests that a load is made of. */
export async function send(url, { path, ...request }) {
  const response = await fetch(url + path, request);
  return { status: response.status, isGood: response.ok, text: await response.text() };
}

export function get(path, headers) {
  return { method: 'GET', path, headers };
}

export function bearer(token) {
  return { authorization: `Bearer ${token}` };
}

/** A request with a body of JSON. */
export function withJson(method, path, credentials, body) {
  const headers = { ...credentials, 'content-type': 'application/json' };
  return { method, path, headers, body: JSON.stringify(body) };
}

/** The issuing of a token of Patois' own. */
export function issue(owner, value) {
  return withJson('POST', '/patois/v1/tokens', bearer(value), {
    dialect: 'patois',
    owner,
    name: 'issued',
    scopes: ['patois:introspect'],
  });
}
