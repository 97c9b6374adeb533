#!/usr/bin/env bash
# Stock Kafka clients for the tests and the demo: gets one if it is not there yet
# and prints how to run it.
#
#   clients.sh list      the names of all consumers that the tests run, such as java-4.4.0
#   clients.sh run NAME  how to run that consumer (e2e/clients), one word per line
#   clients.sh puppet NAME  how to run that client as a puppet (e2e/puppet), likewise
#   clients.sh examples  the names of the clients that have a program in examples/
#   clients.sh example NAME  how to run that program, likewise
#   clients.sh kcat      the path of kcat: the installed one, else Debian's, unpacked into the cache
#   clients.sh all       gets everything that the tests use
#
# Everything comes by package name and exact version, and is cached in
# DAYBOOK_CACHE (default ~/.cache/daybook). What is compiled here has a checksum of
# its sources in its name, so that an edit compiles it anew.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"
clients=$(cd "$here/../e2e/clients" && pwd)
source=$clients program=consume # or those of e2e/puppet, or of examples

names='java-0.10.0.1 java-0.10.2.2 java-0.11.0.3 java-1.0.2 java-1.1.1 java-2.8.2 java-3.9.1 java-4.4.0
  kcat librdkafka-1.9.2 librdkafka-2.15.1 confluent-kafka-1.9.2 confluent-kafka-2.0.2 confluent-kafka-2.16.1
  kafka-python-2.0.6 kafka-python-3.0.12 aiokafka-0.14.0
  sarama-0.10.2.0 sarama-newest kafka-go franz-go kafkajs-2.2.4 kafka-javascript-1.10.1'
codecs='kafka-python-codecs-3.0.12 aiokafka-codecs-0.14.0' # the others read what they can without
puppets='java-1.1.1 java-4.4.0 librdkafka-2.15.1 kafka-python-2.0.6 kafka-python-3.0.12
  sarama-0.10.2.0 sarama-newest franz-go kafkajs-2.2.4'
examples='java-4.4.0 librdkafka-debian librdkafka-cpp-debian confluent-kafka-2.16.1 kafka-python-3.0.12 aiokafka-0.14.0
  franz-go sarama-newest kafka-go kafkajs-2.2.4 kafka-javascript-1.10.1 kcat'
bridges='kafka-sse-0.4.2'

checksum() { cat "$@" | cksum | cut -d' ' -f1; }

get_kcat() { # DIR: the unpacked package and a wrapper that finds its libraries
  apt_unpack kcat "$1"
  cat >"$1/kcat" <<'WRAPPER'
#!/bin/sh
here=$(dirname "$0")
LD_LIBRARY_PATH=$(echo "$here"/usr/lib/*-linux-gnu) exec "$here/usr/bin/kcat" "$@"
WRAPPER
  chmod +x "$1/kcat"
}
path_of_kcat() {
  type -P kcat && return
  once kcat get_kcat
  echo "$CACHE/kcat/kcat"
}
run_kcat() { printf '%s\n' env "KCAT=$(path_of_kcat)" "$source/kcat/consume.sh"; }

# Releases before 2.0 lack poll(Duration), and before 0.10.2 a login without a file.
get_java() { # VERSION CLASS DIR
  need javac=default-jdk-headless mvn=maven
  mvn -q -B -f "$clients/java/pom.xml" -Dkafka.version="$1" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DoutputDirectory="$3" </dev/null >&2
  case $1 in
    0.* | 1.*) sed 's/poll(Duration.ofMillis(\([0-9]*\)))/poll(\1)/' "$source/java/$2.java" >"$3/$2.java" ;;
    *) cp "$source/java/$2.java" "$3" ;;
  esac
  javac -nowarn -cp "$3/*" -d "$3" "$3/$2.java" >&2
}
run_java() { # VERSION
  local class=Consume name
  case $program-$1 in
    consume-0.10.0.* | consume-0.10.1.*) class=ConsumeOld ;;
    puppet-*) class=Puppet ;;
  esac
  name=java-$1-$(checksum "$source/java/$class.java")
  once "$name" get_java "$1" "$class"
  printf '%s\n' java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "$CACHE/$name:$CACHE/$name/*" "$class"
}

# librdkafka's sources come inside the npm packages that are built on it.
# The older one is built without TLS: logging in by PLAIN needs no OpenSSL.
get_librdkafka() { # NPM_PACKAGE SSL DIR
  need gcc=gcc g++=g++ make=make npm=npm python3=python3 openssl/ssl.h=libssl-dev
  (cd "$3" && npm pack --silent "$1" </dev/null && tar xzf ./*.tgz && cd package/deps/librdkafka &&
    ./configure --prefix="$3" --disable-gssapi "--$2-ssl" --disable-zlib --disable-zstd --disable-lz4-ext \
      --disable-curl --disable-debug-symbols && make -j2 libs && make install-subdirs) >"$3/log" 2>&1 ||
    { tail -20 "$3/log" >&2; return 1; }
  rm -rf "$3/package" "$3"/*.tgz
}
librdkafka() { # VERSION; prints its folder
  local package ssl
  case $1 in
    1.9.2) package=node-rdkafka@2.14.6 ssl=disable ;;
    2.15.1) package=@confluentinc/kafka-javascript@1.10.1 ssl=enable ;;
    *) die "which package has the sources of librdkafka $1?" ;;
  esac
  once "librdkafka-$1-$ssl-ssl" get_librdkafka "$package" $ssl
  echo "$CACHE/librdkafka-$1-$ssl-ssl"
}
get_c() { # LIBRDKAFKA DIR
  gcc -O2 -Wall -I"$1/include" -o "$2/$program" "$source/c/$program.c" -L"$1/lib" -lrdkafka >&2
}
run_librdkafka() { # VERSION
  local library name
  library=$(librdkafka "$1")
  name=c-$1-$(checksum "$source/c/$program.c")
  once "$name" get_c "$library"
  printf '%s\n' env "LD_LIBRARY_PATH=$library/lib" "$CACHE/$name/$program"
}

run_python() { # PACKAGE VERSION
  once "$1-$2" get_python "$1==$2"
  printf '%s\n' "$CACHE/$1-$2/bin/python" "$source/python/${program}_${1//-/_}.py"
}
# With the packages that it decompresses with.
run_python_codecs() { # PACKAGE VERSION CODEC==VERSION...
  once "$1-codecs-$2" get_python "$1==$2" "${@:3}"
  printf '%s\n' "$CACHE/$1-codecs-$2/bin/python" "$source/python/${program}_${1//-/_}.py"
}
get_old_confluent() { # LIBRDKAFKA VERSION DIR: from source, its wheels end with Python 3.10
  need Python.h=python3-dev
  C_INCLUDE_PATH=$1/include LIBRARY_PATH=$1/lib PIP_NO_BINARY=confluent-kafka get_python "confluent-kafka==$2" "$3"
}
run_confluent() { # VERSION
  case $1 in
    1.*)
      local library
      library=$(librdkafka "$1")
      once "confluent-kafka-$1" get_old_confluent "$library" "$1"
      printf '%s\n' env "LD_LIBRARY_PATH=$library/lib" ;;
  esac
  run_python confluent-kafka "$1"
}

get_go() { # DIR
  need go=golang
  (cd "$source/go" && CGO_ENABLED=0 GOWORK=off go build -trimpath -o "$1/" ./...) >&2
}
run_go() { # PROGRAM
  local name
  name=go-$(basename "$source")-$(checksum "$source"/go/go.mod "$source"/go/*/*.go)
  once "$name" get_go
  echo "$CACHE/$name/$1"
}

get_npm() { # PACKAGE@VERSION... DIR; any script of a package may run
  need npm=npm
  npm install --silent --prefix "${*: -1}" "${@:1:$#-1}" </dev/null >&2
}
run_kafkajs() { # VERSION
  once "kafkajs-$1" get_npm "kafkajs@$1"
  printf '%s\n' env "NODE_PATH=$CACHE/kafkajs-$1/node_modules" node "$source/node/${program}_kafkajs.js"
}
# From source, on the librdkafka that it ships: the ready-made add-on would be
# fetched from outside the registry.
get_npm_on() { # LIBRDKAFKA PACKAGE@VERSION... DIR
  local library=$1
  shift
  need gcc=gcc g++=g++ make=make python3=python3 npm=npm node.h=libnode-dev
  export npm_config_build_from_source=true BUILD_LIBRDKAFKA=0 npm_config_nodedir=${npm_config_nodedir:-/usr}
  CPLUS_INCLUDE_PATH=$library/include/librdkafka LIBRARY_PATH=$library/lib JOBS=2 get_npm "$@"
}
run_kafka_javascript() { # VERSION
  local library
  library=$(librdkafka 2.15.1)
  once "kafka-javascript-$1" get_npm_on "$library" "@confluentinc/kafka-javascript@$1"
  printf '%s\n' env "LD_LIBRARY_PATH=$library/lib" "NODE_PATH=$CACHE/kafka-javascript-$1/node_modules" \
    node "$source/node/${program}_confluent.js"
}

# librdkafka and librdkafka++ as Debian has them, unpacked.
get_debian_librdkafka() { apt_unpack librdkafka-dev librdkafka1 librdkafka++1 "$1"; }
get_debian() { # COMPILER PROGRAM LIBRARY DIR
  local root=$CACHE/librdkafka-debian
  need "$1=$1"
  LIBRARY_PATH=$(library_path "$root") LD_LIBRARY_PATH=$(library_path "$root") \
    "$1" -O2 -Wall -Wextra -I"$root/usr/include" -o "$4/consume" "$2" "-l$3" >&2
}
run_debian() { # COMPILER PROGRAM LIBRARY
  local name
  name=$3-debian-$(checksum "$2")
  once librdkafka-debian get_debian_librdkafka
  once "$name" get_debian "$@"
  printf '%s\n' env "LD_LIBRARY_PATH=$(library_path "$CACHE/librdkafka-debian")" "$CACHE/$name/consume"
}

run_kafka_sse() { # VERSION
  local library
  library=$(librdkafka 2.15.1)
  once "kafka-sse-$1" get_npm_on "$library" "kafka-sse@$1" node-rdkafka@2.18.0
  printf '%s\n' env "LD_LIBRARY_PATH=$library/lib" "NODE_PATH=$CACHE/kafka-sse-$1/node_modules" \
    node "$source/http/kafka_sse.js"
}

use_examples() { source=$(cd "$here/../examples" && pwd); }
use_puppets() { source=$(cd "$here/../e2e/puppet" && pwd) program=puppet; }

run() { # NAME
  local version=${1##*-}
  case $1 in
    java-*) run_java "$version" ;;
    kcat) run_kcat ;;
    librdkafka-debian) run_debian gcc "$source/c/consume.c" rdkafka ;;
    librdkafka-cpp-debian) run_debian g++ "$source/cpp/consume.cpp" rdkafka++ ;;
    librdkafka-*) run_librdkafka "$version" ;;
    confluent-kafka-*) run_confluent "$version" ;;
    kafka-python-codecs-*) run_python_codecs kafka-python "$version" python-snappy==0.7.3 lz4==4.4.5 zstandard==0.25.0 ;;
    aiokafka-codecs-*) run_python_codecs aiokafka "$version" cramjam==2.14.0 ;;
    kafka-python-* | aiokafka-*) run_python "${1%-*}" "$version" ;;
    sarama-newest) run_go sarama ;;
    sarama-*) printf '%s\n' env "KAFKA_VERSION=$version"; run_go sarama ;;
    kafka-go) run_go segmentio ;;
    franz-go) run_go franz ;;
    kafkajs-*) run_kafkajs "$version" ;;
    kafka-sse-*) run_kafka_sse "$version" ;;
    kafka-javascript-*) run_kafka_javascript "$version" ;;
    *) die "no client $1; there are: $(echo $names)" ;;
  esac
}

case ${1:-} in
  list) printf '%s\n' $names ;;
  run) run "${2:?which client?}" ;;
  kcat) path_of_kcat ;;
  examples) printf '%s\n' $examples ;;
  example) use_examples; run "${2:?which client?}" ;;
  puppet) use_puppets; run "${2:?which client?}" ;;
  all)
    for name in $names $codecs; do run "$name" >/dev/null; done
    use_examples
    for name in $examples $bridges; do run "$name" >/dev/null; done
    use_puppets
    for name in $puppets; do run "$name" >/dev/null; done ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac
