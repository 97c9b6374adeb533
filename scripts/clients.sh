#!/usr/bin/env bash
# Stock Kafka clients for the tests and the demo: gets one if it is not there yet
# and prints how to run it.
#
#   clients.sh kcat           the path of kcat: the installed one, else Debian's, unpacked into the cache
#   clients.sh java VERSION   a class path with kafka-clients VERSION and the compiled e2e/clients/java
#   clients.sh python         the path of a Python that has kafka-python
#   clients.sh all            gets everything that the tests use
#
# Cached in DAYBOOK_CACHE (default ~/.cache/daybook).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"
source=$here/../e2e/clients

java_versions='0.10.0.1 1.1.1 4.4.0'
kafka_python=3.0.12

get_kcat() { # DIR: the unpacked package and a wrapper that finds its libraries
  apt_unpack kcat "$1"
  cat >"$1/kcat" <<'WRAPPER'
#!/bin/sh
here=$(dirname "$0")
LD_LIBRARY_PATH=$(echo "$here"/usr/lib/*-linux-gnu) exec "$here/usr/bin/kcat" "$@"
WRAPPER
  chmod +x "$1/kcat"
}
client_kcat() {
  type -P kcat && return
  once kcat get_kcat
  echo "$CACHE/kcat/kcat"
}

get_java() { # VERSION DIR
  need javac=default-jdk-headless mvn=maven
  mvn -q -B -f "$source/java/pom.xml" -Dkafka.version="$1" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DoutputDirectory="$2" </dev/null >&2
  javac -nowarn -cp "$2/*" -d "$2" "$source/java/Consume.java" >&2
}
client_java() { # VERSION; the program's checksum is in the name, so that an edit compiles it anew
  local name
  name=java-$1-$(cksum <"$source/java/Consume.java" | cut -d' ' -f1)
  once "$name" get_java "$1"
  echo "$CACHE/$name:$CACHE/$name/*"
}

get_python() { # DIR; pip writes no path of the folder into what runs here, so it may move
  need python3=python3 venv=python3-venv
  python3 -m venv "$1" >&2
  "$1/bin/python" -m pip -q --disable-pip-version-check install "kafka-python==$kafka_python" </dev/null >&2
}
client_python() {
  once "kafka-python-$kafka_python" get_python
  echo "$CACHE/kafka-python-$kafka_python/bin/python"
}

case ${1:-} in
  kcat | python) "client_$1" ;;
  java) client_java "${2:?which version of kafka-clients?}" ;;
  all)
    client_kcat; client_python
    for version in $java_versions; do client_java "$version"; done ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac
