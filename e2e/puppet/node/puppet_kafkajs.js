// kafkajs as a puppet: puppet.go tells the commands. It has no assign(); "admin OFFSET" is its admin's setOffsets.
const readline = require('node:readline');
const { Kafka, logLevel } = require('kafkajs');

const [brokers, username, password, topic, groupId, reset, clientId, session] = process.argv.slice(2);
const kafka = new Kafka({
  brokers: [brokers],
  clientId,
  sasl: { mechanism: 'plain', username, password },
  logLevel: logLevel.ERROR,
  logCreator: () => ({ log }) => console.error(log.message),
  retry: { retries: 1000, maxRetryTime: 1000 },
});
const consumer = kafka.consumer({
  groupId,
  sessionTimeout: Number(session),
  heartbeatInterval: session / 6,
  maxWaitTimeInMs: session / 6, // a member without a partition sleeps that long between heartbeats
  retry: { retries: 1000, maxRetryTime: 1000 },
});

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

// What eachBatch has been given and waits to hand over: one at a time.
let offered = null;
let arrived = () => {};
let crashed = null;
// What was handed over is processed, and may be committed, until the next poll: eachBatch does not return
// before, or kafkajs would join the next generation and commit in its name.
let processing = false;

async function subscribe() {
  consumer.on(consumer.events.CRASH, ({ payload }) => { crashed = payload.error; });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: reset !== 'latest' });
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    eachBatch: async (given) => {
      try {
        await offer(given);
      } finally {
        offered = null;
        while (processing && given.isRunning()) {
          await given.heartbeat().catch(() => {}); // the next one will tell as well
          await pause(20);
        }
      }
    },
  });
}

async function offer({ batch, resolveOffset, heartbeat, isRunning, isStale }) {
  for (const message of batch.messages) {
    let taken = false;
    const handedOver = new Promise((resolve) => {
      offered = { message, take: () => { taken = true; offered = null; resolve(); } };
    });
    arrived();
    while (!taken) {
      if (!isRunning() || isStale()) return;
      await Promise.race([handedOver, heartbeat().then(() => pause(100))]);
    }
    resolveOffset(message.offset);
  }
}

// Waits for the first record; what has come with it follows at once.
async function poll(ms, limit) {
  processing = false;
  const end = Date.now() + Number(ms);
  let until = end;
  for (let n = 0; n < limit;) {
    if (offered) {
      const { message } = offered;
      processing = true;
      offered.take();
      const fields = ['record', message.offset, message.key ?? 'NULL', message.value ?? 'NULL'];
      process.stdout.write(Buffer.concat(fields.flatMap((f, i) => [Buffer.from(f), Buffer.from(i < 3 ? '\t' : '\n')])));
      n += 1;
      until = Date.now() + 50;
    } else if (crashed) {
      const error = crashed;
      crashed = null;
      throw error;
    } else if (Date.now() >= until) {
      return;
    } else {
      await Promise.race([new Promise((resolve) => { arrived = resolve; }), pause(Math.min(50, until - Date.now()))]);
    }
  }
}

const commands = {
  subscribe,
  poll,
  seek: async (offset) => {
    consumer.seek({ topic, partition: 0, offset });
    offered = null; // isStale tells eachBatch
    processing = false;
  },
  commit: (offset, metadata) => consumer.commitOffsets([{ topic, partition: 0, offset, metadata: metadata || null }]),
  admin: async (offset) => {
    const admin = kafka.admin();
    await admin.connect();
    try {
      await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset }] });
    } finally {
      await admin.disconnect();
    }
  },
  close: () => {
    processing = false;
    return consumer.disconnect();
  },
};

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [word, ...args] = line.split('\t');
    try {
      if (!commands[word]) throw new Error('no such command');
      await commands[word](...args);
      process.stdout.write('ok\n');
    } catch (err) {
      process.stdout.write(`error\t${String(err).replaceAll('\n', ' ')}\n`);
    }
    if (word === 'close') process.exit(0);
  }
}

main();
