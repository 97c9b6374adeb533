// Reads records with @confluentinc/kafka-javascript, which is librdkafka. node-rdkafka has the same calls.
//
// usage: node consume_confluent.js BROKERS USERNAME PASSWORD TOPIC GROUP COUNT [FROM]
//
// Without FROM: subscribes, reads COUNT records from the group's checkpoint on, commits.
// FROM is an offset, or @ and milliseconds since 1970: goes there, reads COUNT records.
// Prints offset, timestamp, key and value with tabs between.
const { promisify } = require('node:util');
const { KafkaConsumer } = require('@confluentinc/kafka-javascript');

async function main(brokers, username, password, topic, group, count, from) {
  const consumer = new KafkaConsumer({
    'bootstrap.servers': brokers,
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'PLAIN',
    'sasl.username': username,
    'sasl.password': password,
    'group.id': group,
    'enable.auto.commit': false,
  }, { 'auto.offset.reset': 'earliest' });
  const call = (method, ...args) => promisify(consumer[method].bind(consumer))(...args);
  await call('connect', {});
  if (!from) {
    consumer.subscribe([topic]);
  } else if (from.startsWith('@')) {
    consumer.assign(await call('offsetsForTimes', [{ topic, partition: 0, offset: Number(from.slice(1)) }], 30000));
  } else {
    consumer.assign([{ topic, partition: 0, offset: Number(from) }]);
  }
  let left = Number(count);
  while (left > 0) {
    const messages = await call('consume', left);
    left -= messages.length;
    messages.forEach(show);
    if (!from && messages.length > 0) consumer.commitMessageSync(messages.at(-1));
  }
  await call('disconnect');
}

function show(m) {
  const fields = [String(m.offset), String(m.timestamp), m.key ?? 'NULL', m.value ?? 'NULL'];
  process.stdout.write(Buffer.concat(fields.flatMap((f, i) => [Buffer.from(f), Buffer.from(i < 3 ? '\t' : '\n')])));
}

main(...process.argv.slice(2)).catch((err) => {
  console.error(err);
  process.exitCode = 1;
});
