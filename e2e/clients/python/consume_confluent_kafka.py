"""Reads records with confluent-kafka, which is librdkafka, from 1.x to the newest.

usage: consume_confluent_kafka.py BROKERS USERNAME PASSWORD TOPIC GROUP COUNT [FROM]

Without FROM: subscribes, reads COUNT records from the group's checkpoint on, commits.
FROM is an offset, or @ and milliseconds since 1970: goes there, reads COUNT records.
Prints offset, timestamp, key and value with tabs between.
"""

import sys

from confluent_kafka import Consumer, KafkaException, TopicPartition


def main(brokers, username, password, topic, group, count, start=None):
    consumer = Consumer({
        "bootstrap.servers": brokers,
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": username,
        "sasl.password": password,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
    })
    if start is None:
        consumer.subscribe([topic])
    else:
        if start.startswith("@"):
            found = consumer.offsets_for_times([TopicPartition(topic, 0, int(start[1:]))], timeout=30)[0]
        else:
            found = TopicPartition(topic, 0, int(start))
        consumer.assign([found])
    for _ in range(int(count)):
        record = consumer.poll()
        if record.error():
            raise KafkaException(record.error())
        show(record)
    if start is None:
        consumer.commit(record, asynchronous=False)
    consumer.close()


def show(r):
    fields = str(r.offset()).encode(), str(r.timestamp()[1]).encode(), r.key(), r.value()
    sys.stdout.buffer.write(b"\t".join(b"NULL" if f is None else f for f in fields) + b"\n")


if len(sys.argv) not in (7, 8):
    sys.exit(__doc__)
main(*sys.argv[1:])
