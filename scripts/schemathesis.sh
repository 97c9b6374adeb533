#!/usr/bin/env bash
# Schemathesis, which makes requests of every kind out of an OpenAPI description:
# gets it if it is not there yet, and prints how to run it, one word per line.
#
# It comes from PyPI by name and exact version, and is cached in DAYBOOK_CACHE
# (default ~/.cache/daybook).
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

version=4.32.5
once "schemathesis-$version" get_python "schemathesis==$version"
printf '%s\n' "$CACHE/schemathesis-$version/bin/python" -m schemathesis.cli
