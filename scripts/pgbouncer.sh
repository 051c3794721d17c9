#!/usr/bin/env bash
# Runs a PgBouncer before a PostgreSQL server for tests, in a folder of its own on a free port: in transaction mode, with
# nothing else set but what it needs.
#   scripts/pgbouncer.sh start FOLDER SERVER_URL   starts it, prints the server's URL through it
#   scripts/pgbouncer.sh stop FOLDER               stops and removes it
# SERVER_URL is what scripts/postgres.sh prints. As root it runs as user postgres: it refuses root.
set -euo pipefail

as_server_user() {
  if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

start() {
  local folder=$1 url=${2:?the URL of a server is needed} user address port
  PATH=$PATH:/usr/sbin command -v pgbouncer >/dev/null ||
    { echo 'No PgBouncer is installed: scripts/install-test-packages.sh' >&2 && exit 1; }
  [[ $url =~ ^postgres://([^@:/]+)@([^:/]+):([0-9]+)/ ]] || { echo "Not an address of a server: $url" >&2 && exit 2; }
  user=${BASH_REMATCH[1]}
  address="host=${BASH_REMATCH[2]} port=${BASH_REMATCH[3]}"
  mkdir -p "$folder"
  [ "$(id -u)" -ne 0 ] || chown postgres "$folder"
  port=$(node -e 'const s = require("net").createServer().listen(0, () => { console.log(s.address().port); s.close(); })')
  cat >"$folder/pgbouncer.ini" <<INI
[databases]
* = $address user=$user
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $port
unix_socket_dir =
auth_type = any
pool_mode = transaction
logfile = $folder/pgbouncer.log
pidfile = $folder/pgbouncer.pid
INI
  PATH=$PATH:/usr/sbin as_server_user pgbouncer -q -d "$folder/pgbouncer.ini" >&2
  for _ in $(seq 100); do
    (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.1
  done
  echo "postgres://$user@127.0.0.1:$port/postgres"
}

stop() {
  local folder=$1
  kill -QUIT "$(cat "$folder/pgbouncer.pid")" 2>/dev/null || true
  rm -rf "$folder"
}

folder=$(realpath -m "${2:?a folder is needed}")
case "${1:-}" in
  start) start "$folder" "${3:-}" ;;
  stop) stop "$folder" ;;
  *) sed -n '2,6p' "$0" >&2 && exit 2 ;;
esac
