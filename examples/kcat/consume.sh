#!/bin/sh
# Prints the records of a Daybook task with kcat (KCAT: its path), until SIGINT or SIGTERM. kcat commits
# what it has printed every 5 s and when it ends.
set -eu
if [ "${CA:-}" ]; then
  set -- -X security.protocol=SASL_SSL -X ssl.ca.location="$CA" -X sasl.mechanism=SCRAM-SHA-512
else
  set -- -X security.protocol=SASL_PLAINTEXT -X sasl.mechanism=PLAIN
fi
exec "${KCAT:-kcat}" -b "$BROKERS" "$@" -X sasl.username="$ACCOUNT-$GROUP" -X sasl.password="$PASSWORD" \
  -X auto.offset.reset=earliest -u -f '%o\t%k\t%s\n' -G "$GROUP" "$TOPIC"
