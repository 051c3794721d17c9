#!/usr/bin/env bash
# Installs the programs from Debian's packages that tests drive: gateways, a pooler, Patroni with etcd, a registry and its
# client, shells, a browser without a window and the letters of the console's languages, passlib, whose hashes they read,
# promtool, and systemd-analyze. Needs root. Tests start their own processes on free ports, so none of the services that the
# packages start is left running.
set -euo pipefail

programs=(nginx haproxy caddy apache2 docker-registry skopeo zsh fish chromium-headless-shell promtool systemd-analyze
  pgbouncer patroni etcd)
fonts=/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc
passlib=/usr/lib/python3/dist-packages/passlib/hash.py
module=/usr/lib/apache2/modules/mod_auth_openidc.so
services=(nginx haproxy caddy apache2 docker-registry prometheus pgbouncer patroni etcd)

PATH="$PATH:/usr/sbin:/sbin"
missing=false
for program in "${programs[@]}"; do command -v "$program" >/dev/null || missing=true; done
[ -e "$module" ] && [ -e "$passlib" ] && [ -e "$fonts" ] || missing=true
[ "$missing" = true ] || exit 0

export DEBIAN_FRONTEND=noninteractive
# A service that cannot start, for a port that is taken, must not fail the installation.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
packages=("${programs[@]/promtool/prometheus}")
packages=("${packages[@]/etcd/etcd-server}")
apt-get install -y -qq --no-install-recommends "${packages[@]/systemd-analyze/systemd}" libapache2-mod-auth-openidc \
  python3-passlib python3-bcrypt python3-etcd fonts-noto-cjk
for service in "${services[@]}"; do service "$service" stop >/dev/null 2>&1 || true; done
