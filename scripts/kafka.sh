#!/usr/bin/env bash
# Apache Kafka for the tests that put Daybook beside it: a broker, and the
# command-line tools of several releases. The jars come from Maven and stay in
# DAYBOOK_CACHE (default ~/.cache/daybook).
#
#   kafka.sh broker RELEASE DIR CLUSTER_ID ADDRESS [PROPERTY=VALUE...]
#                             runs a broker in KRaft mode, node 0, its data in DIR, with
#                             SASL/PLAIN on ADDRESS; stays in the foreground
#   kafka.sh tools RELEASE    prints a class path with the tools of RELEASE and the
#                             compiled e2e/tools/Tools.java
#   kafka.sh all              gets everything that the tests use
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/lib.sh
. "$here/lib.sh"
tools=$here/../e2e/tools

releases='0.11.0.3 1.1.1 3.9.1 4.3.1'

get_jars() { # RELEASE DIR
  local scala=2.13
  case $1 in 0.* | 1.*) scala=2.11 ;; esac
  need mvn=maven
  mvn -q -B -f "$here/kafka-pom.xml" -Dkafka.version="$1" -Dscala.version="$scala" \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
    -DoutputDirectory="$2" </dev/null >&2
}
compile_tools() { # RELEASE DIR
  javac -nowarn -cp "$CACHE/kafka-$1/*" -d "$2" "$tools/Tools.java" >&2
}
tools() { # RELEASE; the program's checksum is in the name, so that an edit compiles it anew
  local name
  need javac=default-jdk-headless
  name=kafka-tools-$1-$(cksum <"$tools/Tools.java" | cut -d' ' -f1)
  once "kafka-$1" get_jars "$1"
  once "$name" compile_tools "$1"
  echo "$CACHE/$name:$CACHE/kafka-$1/*"
}

# The two lines of meta.properties are what kafka-storage would write, which
# would take a JVM of its own.
broker() { # RELEASE DIR CLUSTER_ID ADDRESS PROPERTY...
  local release=$1 dir=$2 cluster=$3 address=$4 controller
  shift 4
  once "kafka-$release" get_jars "$release"
  controller=127.0.0.1:$(free_port)
  mkdir -p "$dir/data"
  printf '%s\n' version=1 node.id=0 "cluster.id=$cluster" >"$dir/data/meta.properties"
  cat >"$dir/log4j.properties" <<'PROPERTIES'
log4j.rootLogger=WARN, stderr
log4j.appender.stderr=org.apache.log4j.ConsoleAppender
log4j.appender.stderr.target=System.err
log4j.appender.stderr.layout=org.apache.log4j.PatternLayout
log4j.appender.stderr.layout.ConversionPattern=%d %p %m (%c)%n
PROPERTIES
  cat >"$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=0
log.dirs=$dir/data
listeners=CLIENTS://$address,CONTROLLER://$controller
controller.quorum.voters=0@$controller
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLIENTS
listener.security.protocol.map=CLIENTS:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
auto.create.topics.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
log.cleaner.enable=false
PROPERTIES
  printf '%s\n' "$@" >>"$dir/server.properties"
  exec java -Xmx384m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -Dlog4j.configuration="file:$dir/log4j.properties" \
    -cp "$CACHE/kafka-$release/*" kafka.Kafka "$dir/server.properties"
}

case ${1:-} in
  broker) [ $# -ge 5 ] || die "which release, directory, cluster ID and address?"; broker "${@:2}" ;;
  tools) tools "${2:?which release?}" ;;
  all) for release in $releases; do tools "$release"; done ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0" >&2; exit 2 ;;
esac
