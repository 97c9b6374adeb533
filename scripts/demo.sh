#!/usr/bin/env bash
# demo.sh [--stay]: gets a MySQL or MariaDB and kcat, starts the server on loopback in
# a directory of its own, and runs "daybook demo" on it. Ends on its own or on
# Ctrl-C; nothing stays running or installed, downloads stay in the cache.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"
command -v go >/dev/null || die "Go is missing: install the version that go.mod names, or a newer one"

work=$(mktemp -d "${TMPDIR:-/tmp}/daybook-demo-XXXXXX")
cleanup() {
  if [ -s "$work/server/server" ]; then "$here/mysql-server.sh" stop "$work/server" || true; fi
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "getting kcat and a server, and building Daybook"
"$here/mysql-server.sh" start --owner $$ any "$work/server" >"$work/address" &
server=$!
kcat=$("$here/clients.sh" kcat) || kcat=kcat # without it, the demo says so
(cd "$here/.." && CGO_ENABLED=0 go build -trimpath -o "$work/daybook" .)
wait $server || die "no server"
TMPDIR=$work MYSQL_PASSWORD=admin "$work/daybook" demo --source "$(<"$work/address")" --user admin --kcat "$kcat" "$@"
