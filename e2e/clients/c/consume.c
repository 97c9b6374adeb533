/*
 * Reads records with librdkafka: cc consume.c -lrdkafka
 *
 * usage: consume BROKERS USERNAME PASSWORD TOPIC GROUP COUNT [FROM]
 *
 * Without FROM: subscribes, reads COUNT records from the group's checkpoint on, commits.
 * FROM is an offset, or @ and milliseconds since 1970: goes there, reads COUNT records.
 * Prints offset, timestamp, key and value with tabs between.
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>

static void check(rd_kafka_resp_err_t err, const char *what) {
  if (err) {
    fprintf(stderr, "%s: %s\n", what, rd_kafka_err2str(err));
    exit(1);
  }
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value) {
  char why[256];
  if (rd_kafka_conf_set(conf, key, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
    fprintf(stderr, "%s\n", why);
    exit(1);
  }
}

static rd_kafka_t *connect_as(char **argv) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", argv[1]);
  set(conf, "security.protocol", "SASL_PLAINTEXT");
  set(conf, "sasl.mechanism", "PLAIN");
  set(conf, "sasl.username", argv[2]);
  set(conf, "sasl.password", argv[3]);
  set(conf, "group.id", argv[5]);
  set(conf, "auto.offset.reset", "earliest");
  set(conf, "enable.auto.commit", "false");
  char why[256];
  rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (!rk) {
    fprintf(stderr, "%s\n", why);
    exit(1);
  }
  rd_kafka_poll_set_consumer(rk);
  return rk;
}

static void start(rd_kafka_t *rk, const char *topic, const char *from) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  if (!from) {
    rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
    check(rd_kafka_subscribe(rk, list), "subscribe");
  } else {
    int by_time = *from == '@';
    rd_kafka_topic_partition_list_add(list, topic, 0)->offset = strtoll(from + by_time, NULL, 10);
    if (by_time) check(rd_kafka_offsets_for_times(rk, list, 30000), "offsets for times"); /* replaces time by offset */
    check(rd_kafka_assign(rk, list), "assign");
  }
  rd_kafka_topic_partition_list_destroy(list);
}

static void show(const void *bytes, size_t size, char end) {
  if (bytes)
    fwrite(bytes, 1, size, stdout);
  else
    fputs("NULL", stdout);
  putchar(end);
}

int main(int argc, char **argv) {
  if (argc < 7) {
    fputs("usage: consume BROKERS USERNAME PASSWORD TOPIC GROUP COUNT [FROM]\n", stderr);
    return 2;
  }
  const char *from = argc > 7 ? argv[7] : NULL;
  rd_kafka_t *rk = connect_as(argv);
  start(rk, argv[4], from);
  for (long left = atol(argv[6]); left > 0;) {
    rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 1000);
    if (!m) continue;
    check(m->err, "poll");
    printf("%" PRId64 "\t%" PRId64 "\t", m->offset, rd_kafka_message_timestamp(m, NULL));
    show(m->key, m->key_len, '\t');
    show(m->payload, m->len, '\n');
    if (--left == 0 && !from) check(rd_kafka_commit_message(rk, m, 0), "commit");
    rd_kafka_message_destroy(m);
  }
  check(rd_kafka_consumer_close(rk), "close");
  rd_kafka_destroy(rk);
  return 0;
}
