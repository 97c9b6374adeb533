"""Processes the records of a Daybook task, each at least once, until SIGINT or SIGTERM.

pip install kafka-python
"""

import logging
import os
import signal
import sys

from kafka import KafkaConsumer
from kafka.errors import CommitFailedError


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
        "ssl_cafile": env.get("CA"),
    }


def process(record):
    """Your code. Records can come twice, after a crash or a takeover; a tombstone's value is None."""
    print(record.offset, record.key.decode(), (record.value or b"").decode(), sep="\t", flush=True)


def main():
    logging.basicConfig(level=logging.WARNING)  # what the client tries again, such as a refused login, it only logs
    stop = []
    for number in signal.SIGINT, signal.SIGTERM:
        signal.signal(number, lambda *_: stop.append(True))
    consumer = KafkaConsumer(os.environ["TOPIC"], **settings(os.environ))
    try:
        while not stop:
            polled = consumer.poll(timeout_ms=500)
            for records in polled.values():
                for record in records:
                    process(record)
            try:
                if polled:
                    consumer.commit()
            except CommitFailedError as e:  # processing took longer than max_poll_interval_ms
                print("another member has taken over, from the last checkpoint:", e, file=sys.stderr)
    finally:
        consumer.close()  # leaves the group


main()
