#!/usr/bin/env bash
# The servers' own regression suites: a corpus of statements. Prints the folder of
# one, of which only what the suite's test tool reads is kept. It stays in DAYBOOK_CACHE
# (default ~/.cache/daybook); nothing is installed.
#
#   suites.sh mariadb    of MariaDB 10.11 (Debian bookworm), a download of 19 MB
#   suites.sh mysql      of MySQL 9 (Debian sid), a download of 340 MB
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"

get_suites() { apt_unpack_alone "$1" "$2" "$3" '*.test' '*.inc' '*.pre' '*/std_data/*'; } # SUITE PKG DIR

case ${1:-} in
  mariadb) name=suites-mariadb-bookworm; once $name get_suites bookworm mariadb-test-data ;;
  mysql) name=suites-mysql-sid; once $name get_suites sid mysql-testsuite ;;
  *) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac
find "$CACHE/$name" -type d -name mysql-test -print -quit
