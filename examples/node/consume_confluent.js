// Processes the records of a Daybook task, each at least once, until SIGINT or SIGTERM.
//
//   npm install @confluentinc/kafka-javascript
const { Kafka, logLevel } = require('@confluentinc/kafka-javascript').KafkaJS;

const { BROKERS, TOPIC, ACCOUNT, GROUP, PASSWORD, CA } = process.env;

const settings = {
  kafkaJS: { logLevel: logLevel.ERROR }, // more would go to the standard output
  'bootstrap.servers': BROKERS,
  'group.id': GROUP,
  'auto.offset.reset': 'earliest',
  'security.protocol': CA ? 'SASL_SSL' : 'SASL_PLAINTEXT',
  'sasl.mechanism': CA ? 'SCRAM-SHA-512' : 'PLAIN',
  'sasl.username': `${ACCOUNT}-${GROUP}`,
  'sasl.password': PASSWORD,
  ...(CA && { 'ssl.ca.location': CA }),
};

// Your code. Records can come twice, after a crash or a takeover; a tombstone's value is null.
async function processRecord({ offset, key, value }) {
  console.log(`${offset}\t${key}\t${value ?? ''}`);
}

async function main() {
  const consumer = new Kafka().consumer(settings);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => consumer.disconnect()); // commits what was processed and leaves the group
  }
  await consumer.connect();
  await consumer.subscribe({ topics: [TOPIC] });
  await consumer.run({ eachMessage: ({ message }) => processRecord(message) }); // what it has done is committed every 5 s
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
