// Processes the records of a Daybook task, each at least once, until SIGINT or SIGTERM.
//
//   npm install kafkajs
const fs = require('node:fs');
const { Kafka, logLevel } = require('kafkajs');

const { BROKERS, TOPIC, ACCOUNT, GROUP, PASSWORD, CA } = process.env;

const kafka = new Kafka({
  brokers: BROKERS.split(','),
  ssl: CA && { ca: fs.readFileSync(CA) },
  sasl: { mechanism: CA ? 'scram-sha-512' : 'plain', username: `${ACCOUNT}-${GROUP}`, password: PASSWORD },
  logLevel: logLevel.WARN,
});

// Your code. Records can come twice, after a crash or a takeover; a tombstone's value is null.
async function processRecord({ offset, key, value }) {
  console.log(`${offset}\t${key}\t${value ?? ''}`);
}

async function main() {
  const consumer = kafka.consumer({ groupId: GROUP });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => consumer.disconnect()); // commits what was processed and leaves the group
  }
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    console.error(error);
    if (!restart) process.exit(1);
  });
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  await consumer.run({ eachMessage: ({ message }) => processRecord(message) }); // commits after each batch
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
