#!/usr/bin/env bash
# with-servers.sh COMMAND... runs COMMAND with DAYBOOK_TEST_SERVERS naming one real
# server of each version that the tests want, and DAYBOOK_BINARY naming a fresh
# binary. The servers start in parallel, in a temporary folder, and are gone
# afterwards, however COMMAND or this script ends.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"
[ $# -gt 0 ] || die "which command?"
names='mysql-5.6 mysql-5.7 mysql-8.0 mariadb-10.11'

work=$(mktemp -d "${TMPDIR:-/tmp}/daybook-test-XXXXXX")
cleanup() {
  for name in $names; do
    if [ -s "$work/$name/server" ]; then "$here/mysql-server.sh" kill "$work/$name" || true; fi
  done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

declare -A starting
for name in $names; do
  "$here/mysql-server.sh" start --owner $$ "$name" "$work/$name" >"$work/$name.address" &
  starting[$name]=$!
done
CGO_ENABLED=0 go build -trimpath -o "$work/daybook" "$here/.."
list=
for name in $names; do
  wait "${starting[$name]}" || die "$name did not start"
  list+=${list:+,}$name=$(<"$work/$name.address")
done
say "$list"
# In the background, so that a signal to this script is acted upon at once.
DAYBOOK_TEST_SERVERS=$list DAYBOOK_BINARY=$work/daybook TMPDIR=$work "$@" &
command=$!
trap 'kill $command 2>/dev/null; wait $command; exit 143' INT TERM
wait $command
