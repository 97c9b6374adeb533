"""Processes the records of a Daybook task, each at least once, until SIGINT or SIGTERM.

pip install aiokafka
"""

import asyncio
import os
import signal
import ssl
import sys

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import CommitFailedError


def settings(env):
    tls = "CA" in env
    return {
        "bootstrap_servers": env["BROKERS"],
        "group_id": env["GROUP"],
        "auto_offset_reset": "earliest",
        "enable_auto_commit": False,
        "security_protocol": "SASL_SSL" if tls else "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512" if tls else "PLAIN",
        "sasl_plain_username": f"{env['ACCOUNT']}-{env['GROUP']}",
        "sasl_plain_password": env["PASSWORD"],
        "ssl_context": ssl.create_default_context(cafile=env["CA"]) if tls else None,
    }


async def process(record):
    """Your code. Records can come twice, after a crash or a takeover; a tombstone's value is None."""
    print(record.offset, record.key.decode(), (record.value or b"").decode(), sep="\t", flush=True)


async def main():
    stop = asyncio.Event()
    for number in signal.SIGINT, signal.SIGTERM:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AIOKafkaConsumer(os.environ["TOPIC"], **settings(os.environ)) as consumer:  # its end leaves the group
        while not stop.is_set():
            polled = await consumer.getmany(timeout_ms=500)
            for records in polled.values():
                for record in records:
                    await process(record)
            try:
                if polled:
                    await consumer.commit()
            except CommitFailedError as e:  # processing took longer than max_poll_interval_ms
                print("another member has taken over, from the last checkpoint:", e, file=sys.stderr)


asyncio.run(main())
