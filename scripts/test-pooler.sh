#!/usr/bin/env bash
# Runs the suite, or what is named of it, with the applications under test behind a PgBouncer in transaction mode. Starts a
# PostgreSQL server and the PgBouncer, and stops both.
#   npm run test:pooler -- [PATH…]
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
# The server's user must reach its folder in there.
chmod 755 "$work"
end() {
  scripts/pgbouncer.sh stop "$work/pgbouncer" || true
  scripts/postgres.sh stop "$work/postgres" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap end EXIT

TEST_DATABASE_URL=$(scripts/postgres.sh start "$work/postgres" 2>"$work/log") || { cat "$work/log" >&2 && exit 1; }
TEST_POOLER_URL=$(scripts/pgbouncer.sh start "$work/pgbouncer" "$TEST_DATABASE_URL")
export TEST_DATABASE_URL TEST_POOLER_URL
npm test --silent -- "$@"
