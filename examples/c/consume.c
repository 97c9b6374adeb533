/*
 * Processes the records of a Daybook task, each at least once, until SIGINT or SIGTERM.
 *
 *   cc consume.c -lrdkafka -o consume
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile sig_atomic_t stop;

static void on_signal(int signal) {
  (void)signal;
  stop = 1;
}

_Noreturn static void fail(const char *what, const char *why) {
  fprintf(stderr, "%s: %s\n", what, why);
  exit(1);
}

static const char *env(const char *name) {
  const char *value = getenv(name);
  if (!value) fail(name, "is not set");
  return value;
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value) {
  char why[256];
  if (rd_kafka_conf_set(conf, key, value, why, sizeof why) != RD_KAFKA_CONF_OK) fail(key, why);
}

/* The errors of connections (as a callback) and those of reading. */
static void on_error(rd_kafka_t *rk, int err, const char *why, void *opaque) {
  (void)rk, (void)opaque;
  switch (err) {
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      fail("read", why); /* time does not mend these */
    default:
      fprintf(stderr, "read: %s\n", why); /* librdkafka goes on by itself */
  }
}

static rd_kafka_t *consumer(void) {
  char username[256], why[256];
  const char *ca = getenv("CA");
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  snprintf(username, sizeof username, "%s-%s", env("ACCOUNT"), env("GROUP"));
  set(conf, "bootstrap.servers", env("BROKERS"));
  set(conf, "group.id", env("GROUP"));
  set(conf, "auto.offset.reset", "earliest");
  set(conf, "enable.auto.offset.store", "false"); /* what process() has done is stored, and committed every 5 s */
  set(conf, "security.protocol", ca ? "SASL_SSL" : "SASL_PLAINTEXT");
  set(conf, "sasl.mechanism", ca ? "SCRAM-SHA-512" : "PLAIN");
  set(conf, "sasl.username", username);
  set(conf, "sasl.password", env("PASSWORD"));
  if (ca) set(conf, "ssl.ca.location", ca);
  rd_kafka_conf_set_error_cb(conf, on_error);
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (!rk) fail("consumer", why);
  rd_kafka_poll_set_consumer(rk);
  return rk;
}

/* Your code. Records can come twice, after a crash or a takeover. A tombstone has no payload. */
static void process(const rd_kafka_message_t *m) {
  printf("%" PRId64 "\t%.*s\t%.*s\n", m->offset, (int)m->key_len, m->key ? (const char *)m->key : "", (int)m->len,
         m->payload ? (const char *)m->payload : "");
  fflush(stdout);
}

int main(void) {
  signal(SIGINT, on_signal);
  signal(SIGTERM, on_signal);
  rd_kafka_t *rk = consumer();
  rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, env("TOPIC"), RD_KAFKA_PARTITION_UA);
  rd_kafka_resp_err_t err = rd_kafka_subscribe(rk, topics);
  if (err) fail("subscribe", rd_kafka_err2str(err));
  rd_kafka_topic_partition_list_destroy(topics);

  while (!stop) {
    rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 500);
    if (!m) continue;
    if (m->err) {
      on_error(rk, m->err, rd_kafka_message_errstr(m), NULL);
    } else {
      process(m);
      rd_kafka_offset_store(m->rkt, m->partition, m->offset); /* fails only after a takeover */
    }
    rd_kafka_message_destroy(m);
  }
  rd_kafka_consumer_close(rk); /* commits what is stored and leaves the group */
  rd_kafka_destroy(rk);
  return 0;
}
