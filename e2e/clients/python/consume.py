"""Reads COUNT records from the group's checkpoint on, prints each as
"offset timestamp key value" (base64, "-" for null), commits after the last one.

usage: consume.py BOOTSTRAP USERNAME PASSWORD TOPIC GROUP COUNT subscribe|assign
"""

import base64
import sys
import time

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition


def text(b):
    return "-" if b is None else base64.b64encode(b).decode()


def main(bootstrap, username, password, topic, group, count, mode):
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_plain_username=username,
        sasl_plain_password=password,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    partition = TopicPartition(topic, 0)
    if mode == "assign":
        consumer.assign([partition])
    else:
        consumer.subscribe([topic])
    left, deadline = int(count), time.monotonic() + 90
    while left > 0:
        if time.monotonic() > deadline:
            sys.exit(f"no more records, {left} to go")
        for records in consumer.poll(timeout_ms=500, max_records=left).values():
            for r in records:
                print(r.offset, r.timestamp, text(r.key), text(r.value))
                left, following = left - 1, r.offset + 1
    consumer.commit({partition: OffsetAndMetadata(following, "", -1)})
    consumer.close()


if len(sys.argv) != 8:
    sys.exit(__doc__)
main(*sys.argv[1:])
