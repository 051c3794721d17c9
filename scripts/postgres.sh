#!/usr/bin/env bash
# Runs a PostgreSQL server for tests, in a folder of its own on a free port, without a password.
#   scripts/postgres.sh start FOLDER   makes and starts it, prints its URL
#   scripts/postgres.sh stop FOLDER    stops and removes it
# As root it installs Debian's packages where there are none and runs the server as user postgres: it refuses root.
set -euo pipefail

as_server_user() {
  if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

binaries() {
  local newest
  newest=$(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  [ -n "$newest" ] || newest=$(command -v initdb || true)
  [ -z "$newest" ] || dirname "$newest"
}

install_debian_packages() {
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends postgresql
}

start() {
  local folder=$1 bin port
  bin=$(binaries)
  if [ -z "$bin" ]; then
    install_debian_packages >&2
    bin=$(binaries)
  fi
  mkdir -p "$folder"
  [ "$(id -u)" -ne 0 ] || chown postgres "$folder"
  cd "$folder"
  port=$(node -e 'const s = require("net").createServer().listen(0, () => { console.log(s.address().port); s.close(); })')
  as_server_user "$bin/initdb" -D cluster -U postgres -A trust -E UTF8 --locale=C.UTF-8 -N >initdb.log
  # What counts statements is part of every package of Debian's; a server without it skips the tests that ask it.
  local preload=''
  [ ! -e "$(dirname "$bin")/lib/pg_stat_statements.so" ] || preload='-c shared_preload_libraries=pg_stat_statements'
  # Nothing here must outlive the machine: what makes a server safe against power cuts is turned off.
  as_server_user "$bin/pg_ctl" -D cluster -l "$folder/server.log" -w -t 60 -o "-p $port -k $folder \
    -c listen_addresses=127.0.0.1 -c max_connections=300 -c fsync=off -c full_page_writes=off $preload" start >&2
  echo "postgres://postgres@127.0.0.1:$port/postgres"
}

stop() {
  local folder=$1
  (cd "$folder" && as_server_user "$(binaries)/pg_ctl" -D cluster -m immediate stop >&2) || true
  rm -rf "$folder"
}

case "${1:-}" in
  start | stop) "$1" "$(realpath -m "${2:?a folder is needed}")" ;;
  *) sed -n '2,5p' "$0" >&2 && exit 2 ;;
esac
