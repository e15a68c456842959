#!/usr/bin/env bash
# Installs the foreign software that the tests meet, from Debian's packages, where that may be done: by root, with apt-get.
# Elsewhere it says what is missing, and the tests say what they skip. Where all is there it does nothing.
set -euo pipefail

packages=(
  curl                    # what the start suggests to try
  python3-zaqarclient     # Zaqar's own client library, and commands for the one of OpenStack
  python3-openstacksdk    # another client: its message proxy
  python3-openstackclient # the command line of an operator
  python3-zaqar-ui        # Horizon, with the panels for Zaqar
  python3-websocket       # a client of sockets that is not ours
  python3-msgpack         # what it writes binary frames with
  keystone                # who a token belongs to
  uwsgi-plugin-python3    # what Keystone runs under
  postgresql              # the second engine
  pgbouncer               # a connection pooler in front of it
  libfaketime             # a node whose clock is wrong
  msmtp                   # a mail command
  zsh                     # a shell whose completion is tried
  fish                    # another
  iproute2                # network namespaces: a guest that reaches the service alone
  chromium                # a page from another origin
  systemd                 # systemd-analyze, which judges the unit
  debootstrap             # a Debian without Node, in a folder
  binutils                # strip, which makes the executable smaller
  haproxy                 # a load balancer in front of two nodes
  docker-compose          # judges compose.yaml
  nginx-light             # a proxy that ends TLS
  prometheus              # promtool, which judges metrics and alerts
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  echo "Tests that need these Debian packages are skipped, since only root may install them, with apt-get: ${missing[*]}" >&2
  exit 0
fi

echo "Installing for the tests: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update
apt-get -qq install --yes --no-install-recommends "${missing[@]}" >/dev/null
