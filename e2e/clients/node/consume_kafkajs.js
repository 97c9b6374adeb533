// Reads records with kafkajs.
//
// usage: node consume_kafkajs.js BROKERS USERNAME PASSWORD TOPIC GROUP COUNT [FROM]
//
// Without FROM: subscribes, reads COUNT records from the group's checkpoint on, commits.
// FROM is an offset, or @ and milliseconds since 1970: goes there, reads COUNT records; kafkajs
// always does so as a member of the group.
// Prints offset, timestamp, key and value with tabs between.
const { Kafka, logLevel } = require('kafkajs');

async function main(brokers, username, password, topic, group, count, from) {
  const kafka = new Kafka({
    brokers: brokers.split(','),
    sasl: { mechanism: 'plain', username, password },
    logLevel: logLevel.ERROR,
  });
  const consumer = kafka.consumer({ groupId: group });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const start = from && (await offset(kafka, topic, from));
  let left = Number(count);
  let finished;
  const done = new Promise((resolve) => { finished = resolve; });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ message }) => {
      if (left <= 0) return;
      show(message);
      if (--left > 0) return;
      if (!from) {
        await consumer.commitOffsets([{ topic, partition: 0, offset: String(BigInt(message.offset) + 1n) }]);
      }
      finished();
    },
  });
  if (from) consumer.seek({ topic, partition: 0, offset: start });
  await done;
  await consumer.disconnect();
}

async function offset(kafka, topic, from) {
  if (!from.startsWith('@')) return from;
  const admin = kafka.admin();
  await admin.connect();
  const [found] = await admin.fetchTopicOffsetsByTimestamp(topic, Number(from.slice(1)));
  await admin.disconnect();
  return found.offset;
}

function show(m) {
  const fields = [m.offset, m.timestamp, m.key ?? 'NULL', m.value ?? 'NULL'];
  process.stdout.write(Buffer.concat(fields.flatMap((f, i) => [Buffer.from(f), Buffer.from(i < 3 ? '\t' : '\n')])));
}

main(...process.argv.slice(2)).catch((err) => {
  console.error(err);
  process.exitCode = 1;
});
