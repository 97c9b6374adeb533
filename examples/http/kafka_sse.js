// Serves the records of a Daybook task over HTTP, as server-sent events, until SIGINT or SIGTERM.
//
//   npm install kafka-sse
//   curl -N http://127.0.0.1:8080/                               from the oldest record on
//   curl -N http://127.0.0.1:8080/?timestamp=1795384405000       from a time on, in milliseconds
//   curl -N -H 'Last-Event-ID: [{"topic":"shop","partition":0,"offset":1000}]' http://127.0.0.1:8080/
//
// Each event's id is what to send as Last-Event-ID to go on behind it, and a browser's EventSource does so by itself:
// the client keeps its place, there are no commits. One client at a time receives records.
const http = require('node:http');
const kafkaSse = require('kafka-sse');

const { BROKERS, TOPIC, ACCOUNT, GROUP, PASSWORD, CA, PORT = '8080' } = process.env;

const options = {
  kafkaConfig: {
    'metadata.broker.list': BROKERS,
    'group.id': GROUP,
    'security.protocol': CA ? 'SASL_SSL' : 'SASL_PLAINTEXT',
    'sasl.mechanism': CA ? 'SCRAM-SHA-512' : 'PLAIN',
    'sasl.username': `${ACCOUNT}-${GROUP}`,
    'sasl.password': PASSWORD,
    ...(CA && { 'ssl.ca.location': CA }),
  },
  allowedTopics: [TOPIC],
  // The event's data. A tombstone's value is null; any other is left as text, because JSON.parse rounds what is
  // beyond 2^53, such as a BIGINT.
  deserializer: (record) => {
    const { offset, key, value } = record;
    record.message = { offset, key: key && key.toString(), value: value && value.toString() };
    return record;
  },
};

const server = http.createServer((request, response) => {
  const timestamp = new URL(request.url, 'http://localhost').searchParams.get('timestamp');
  const from = timestamp ? { timestamp: Number(timestamp) } : { offset: -2 }; // -2: the oldest
  kafkaSse(request, response, [{ topic: TOPIC, partition: 0, ...from }], options);
});
server.listen(Number(PORT), '127.0.0.1');
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit());
