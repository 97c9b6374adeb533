"""kafka-python as a puppet: puppet.go tells the commands."""

import sys

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition


class Puppet:
    def __init__(self, brokers, username, password, topic, group, reset, client, session):
        self.partition = TopicPartition(topic, 0)
        self.consumer = KafkaConsumer(
            bootstrap_servers=brokers,
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism="PLAIN",
            sasl_plain_username=username,
            sasl_plain_password=password,
            group_id=group,
            auto_offset_reset=reset,
            client_id=client,
            session_timeout_ms=int(session),
            heartbeat_interval_ms=int(session) // 6,
            enable_auto_commit=False,
        )

    def subscribe(self):
        self.consumer.subscribe([self.partition.topic])

    def assign(self, offset=None):
        self.consumer.assign([self.partition])
        if offset is not None:
            self.consumer.seek(self.partition, int(offset))

    def poll(self, ms, limit):
        for records in self.consumer.poll(timeout_ms=int(ms), max_records=int(limit)).values():
            for r in records:
                fields = b"record", str(r.offset).encode(), r.key, r.value
                sys.stdout.buffer.write(b"\t".join(b"NULL" if f is None else f for f in fields) + b"\n")

    def seek(self, offset):
        self.consumer.seek(self.partition, int(offset))

    def commit(self, offset, metadata):
        # newer releases have a third field, the leader epoch
        fields = (int(offset), metadata, -1)[: len(OffsetAndMetadata._fields)]
        self.consumer.commit({self.partition: OffsetAndMetadata(*fields)})

    def close(self):
        self.consumer.close()


puppet = Puppet(*sys.argv[1:])
for line in sys.stdin:
    word, *args = line.rstrip("\n").split("\t")
    try:
        getattr(puppet, word)(*args)
        answer = "ok"
    except Exception as e:
        answer = f"error\t{type(e).__name__}: {e}".replace("\n", " ")
    sys.stdout.buffer.write(answer.encode() + b"\n")
    sys.stdout.buffer.flush()
    if word == "close":
        break
