#!/bin/sh
# Reads records with kcat (formerly kafkacat). KCAT: its path, if not in PATH.
#
# usage: consume.sh BROKERS USERNAME PASSWORD TOPIC GROUP COUNT [FROM]
#
# Without FROM: subscribes, reads COUNT records from the group's checkpoint on; kcat commits when it ends.
# FROM is an offset, or @ and milliseconds since 1970: goes there, reads COUNT records.
# Prints offset, timestamp, key and value with tabs between.
set -eu
brokers=$1 username=$2 password=$3 topic=$4 group=$5 count=$6 from=${7:-}

case $from in
  '') mode="-G $group $topic" ;;
  @*) mode="-C -t $topic -p 0 -o s$from" ;;
  *) mode="-C -t $topic -p 0 -o $from" ;;
esac
# shellcheck disable=SC2086 # group and topic have no spaces
exec "${KCAT:-kcat}" -b "$brokers" -X security.protocol=SASL_PLAINTEXT -X sasl.mechanism=PLAIN \
  -X sasl.username="$username" -X sasl.password="$password" -X auto.offset.reset=earliest \
  -q -Z -f '%o\t%T\t%k\t%s\n' -c "$count" $mode
