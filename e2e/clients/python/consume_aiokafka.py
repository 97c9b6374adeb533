"""Reads records with aiokafka.

usage: consume_aiokafka.py BROKERS USERNAME PASSWORD TOPIC GROUP COUNT [FROM]

Without FROM: subscribes, reads COUNT records from the group's checkpoint on, commits.
FROM is an offset, or @ and milliseconds since 1970: goes there, reads COUNT records.
Prints offset, timestamp, key and value with tabs between.
"""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer, TopicPartition


async def main(brokers, username, password, topic, group, count, start=None):
    consumer = AIOKafkaConsumer(
        bootstrap_servers=brokers,
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="PLAIN",
        sasl_plain_username=username,
        sasl_plain_password=password,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    partition = TopicPartition(topic, 0)
    if start is None:
        consumer.subscribe([topic])
    else:
        consumer.assign([partition])
    await consumer.start()
    try:
        if start is not None:
            if start.startswith("@"):
                offset = (await consumer.offsets_for_times({partition: int(start[1:])}))[partition].offset
            else:
                offset = int(start)
            consumer.seek(partition, offset)
        left = int(count)
        while left > 0:
            for records in (await consumer.getmany(timeout_ms=1000, max_records=left)).values():
                left -= len(records)
                for r in records:
                    show(r)
                if start is None:
                    await consumer.commit({partition: records[-1].offset + 1})
    finally:
        await consumer.stop()


def show(r):
    fields = str(r.offset).encode(), str(r.timestamp).encode(), r.key, r.value
    sys.stdout.buffer.write(b"\t".join(b"NULL" if f is None else f for f in fields) + b"\n")


if len(sys.argv) not in (7, 8):
    sys.exit(__doc__)
asyncio.run(main(*sys.argv[1:]))
