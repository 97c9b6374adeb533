"""Reads records with kafka-python, from 2.0 to the newest.

usage: consume_kafka_python.py BROKERS USERNAME PASSWORD TOPIC GROUP COUNT [FROM]

Without FROM: subscribes, reads COUNT records from the group's checkpoint on, commits.
FROM is an offset, or @ and milliseconds since 1970: goes there, reads COUNT records.
Prints offset, timestamp, key and value with tabs between.
"""

import sys

from kafka import KafkaConsumer, TopicPartition


def main(brokers, username, password, topic, group, count, start=None):
    consumer = KafkaConsumer(
        bootstrap_servers=brokers,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_plain_username=username,
        sasl_plain_password=password,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    if start is None:
        consumer.subscribe([topic])
    else:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        if start.startswith("@"):
            offset = consumer.offsets_for_times({partition: int(start[1:])})[partition].offset
        else:
            offset = int(start)
        consumer.seek(partition, offset)
    left = int(count)
    while left > 0:
        for records in consumer.poll(timeout_ms=1000, max_records=left).values():
            left -= len(records)
            for r in records:
                show(r)
        if start is None:
            consumer.commit()  # what poll has returned so far
    consumer.close()


def show(r):
    fields = str(r.offset).encode(), str(r.timestamp).encode(), r.key, r.value
    sys.stdout.buffer.write(b"\t".join(b"NULL" if f is None else f for f in fields) + b"\n")


if len(sys.argv) not in (7, 8):
    sys.exit(__doc__)
main(*sys.argv[1:])
