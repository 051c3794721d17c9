/** Listens on a free port and says so, as every server of the benchmark does. */
export function listen(server, name) {
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`${name} listens on http://127.0.0.1:${server.address().port}\n`);
  });
  process.once('SIGTERM', () => process.exit(0));
}

/** The token of `Authorization: Bearer …`; undefined without one. */
export function bearerOf(request) {
  const { authorization } = request.headers;
  return authorization?.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : undefined;
}
