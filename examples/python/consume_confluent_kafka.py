"""Processes the records of a Daybook task, each at least once, until SIGINT or SIGTERM.

pip install confluent-kafka
"""

import os
import signal
import sys

from confluent_kafka import Consumer, KafkaError, KafkaException

# Errors that time does not mend; after any other librdkafka goes on by itself.
PERMANENT = (
    KafkaError._AUTHENTICATION,
    KafkaError._FATAL,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)


def check(error):
    """Takes the errors of connections (error_cb) and those of reading."""
    if error.code() in PERMANENT:
        raise KafkaException(error)
    print(error, file=sys.stderr)


def settings(env):
    tls = "CA" in env
    found = {
        "bootstrap.servers": env["BROKERS"],
        "group.id": env["GROUP"],
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "error_cb": check,
        "security.protocol": "SASL_SSL" if tls else "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512" if tls else "PLAIN",
        "sasl.username": f"{env['ACCOUNT']}-{env['GROUP']}",
        "sasl.password": env["PASSWORD"],
    }
    return found | {"ssl.ca.location": env["CA"]} if tls else found


def process(record):
    """Your code. Records can come twice, after a crash or a takeover; a tombstone's value is None."""
    print(record.offset(), record.key().decode(), (record.value() or b"").decode(), sep="\t", flush=True)


def main():
    consumer = Consumer(settings(os.environ))
    consumer.subscribe([os.environ["TOPIC"]])
    stop = []
    for number in signal.SIGINT, signal.SIGTERM:
        signal.signal(number, lambda *_: stop.append(True))
    try:
        while not stop:
            last = None
            for record in consumer.consume(500, timeout=0.5):
                if record.error():
                    check(record.error())
                else:
                    process(record)
                    last = record
            if last is not None:  # a tombstone is false: its length is 0
                commit(consumer, last)
    finally:
        consumer.close()  # leaves the group


def commit(consumer, record):
    try:
        consumer.commit(record, asynchronous=False)
    except KafkaException as e:  # processing took longer than max.poll.interval.ms
        print("another member has taken over, from the last checkpoint:", e, file=sys.stderr)


main()
