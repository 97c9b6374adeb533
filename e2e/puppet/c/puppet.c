/* librdkafka as a puppet: puppet.go tells the commands. */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *topic;
static rd_kafka_t *rk;

static void set(rd_kafka_conf_t *conf, const char *key, const char *value) {
  char why[256];
  if (rd_kafka_conf_set(conf, key, value, why, sizeof why) != RD_KAFKA_CONF_OK) {
    fprintf(stderr, "%s\n", why);
    exit(1);
  }
}

/* What a rebalance asks for, until the next poll: what was handed over is processed, and may be committed, before.
   By itself librdkafka would join the next generation and commit in its name. */
static rd_kafka_topic_partition_list_t *given;
static int rebalanced, closing;

static void follow(void) {
  if (!rebalanced) return;
  rebalanced = 0;
  rd_kafka_assign(rk, given);
  if (given) rd_kafka_topic_partition_list_destroy(given);
  given = NULL;
}

static void on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t *partitions, void *opaque) {
  if (given) rd_kafka_topic_partition_list_destroy(given);
  given = err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS ? rd_kafka_topic_partition_list_copy(partitions) : NULL;
  rebalanced = 1;
  if (closing) follow();
}

/* Without it, a broker that is away comes as a message with an error. */
static void on_error(rd_kafka_t *rk, int err, const char *reason, void *opaque) { fprintf(stderr, "%s\n", reason); }

static void start(char **argv) {
  rd_kafka_conf_t *conf = rd_kafka_conf_new();
  rd_kafka_conf_set_error_cb(conf, on_error);
  rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
  set(conf, "bootstrap.servers", argv[1]);
  set(conf, "security.protocol", "SASL_PLAINTEXT");
  set(conf, "sasl.mechanism", "PLAIN");
  set(conf, "sasl.username", argv[2]);
  set(conf, "sasl.password", argv[3]);
  set(conf, "group.id", argv[5]);
  set(conf, "auto.offset.reset", strcmp(argv[6], "none") ? argv[6] : "error");
  set(conf, "client.id", argv[7]);
  set(conf, "session.timeout.ms", argv[8]);
  char heartbeat[16];
  snprintf(heartbeat, sizeof heartbeat, "%ld", atol(argv[8]) / 6);
  set(conf, "heartbeat.interval.ms", heartbeat);
  set(conf, "enable.auto.commit", "false");
  set(conf, "reconnect.backoff.max.ms", "1000");
  char why[256];
  rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (!rk) {
    fprintf(stderr, "%s\n", why);
    exit(1);
  }
  rd_kafka_poll_set_consumer(rk);
  topic = argv[4];
}

static void show(const void *bytes, size_t size, char end) {
  if (bytes)
    fwrite(bytes, 1, size, stdout);
  else
    fputs("NULL", stdout);
  putchar(end);
}

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Waits for the first record; what has come with it follows at once. */
static rd_kafka_resp_err_t poll_records(int64_t ms, long limit) {
  int64_t end = now_ms() + ms;
  for (long n = 0; n < limit;) {
    if (n == 0)
      follow();
    else if (rebalanced)
      break;
    int64_t left = n ? 0 : end - now_ms();
    rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, left > 100 ? 100 : left > 0 ? left : 0);
    if (!m) {
      if (n || left <= 0) break;
      continue;
    }
    rd_kafka_resp_err_t err = m->err;
    if (!err) {
      printf("record\t%" PRId64 "\t", m->offset);
      show(m->key, m->key_len, '\t');
      show(m->payload, m->len, '\n');
      n++;
    }
    rd_kafka_message_destroy(m);
    if (err) return err;
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

static rd_kafka_resp_err_t run(const char *word, char *arg, char *more) {
  rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_resp_err_t err = RD_KAFKA_RESP_ERR__INVALID_ARG;
  if (!strcmp(word, "subscribe")) {
    rd_kafka_topic_partition_list_add(list, topic, RD_KAFKA_PARTITION_UA);
    err = rd_kafka_subscribe(rk, list);
  } else if (!strcmp(word, "poll")) {
    err = poll_records(atoll(arg), atol(more));
  } else if (!strcmp(word, "close")) {
    closing = 1;
    follow();
    err = rd_kafka_consumer_close(rk);
  } else {
    rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(list, topic, 0);
    p->offset = arg ? atoll(arg) : RD_KAFKA_OFFSET_STORED;
    if (!strcmp(word, "assign")) {
      err = rd_kafka_assign(rk, list);
    } else if (!strcmp(word, "seek")) {
      rd_kafka_error_t *e = rd_kafka_seek_partitions(rk, list, 30000);
      err = e ? rd_kafka_error_code(e) : p->err;
      if (e) rd_kafka_error_destroy(e);
    } else if (!strcmp(word, "commit")) {
      if (more && *more) {
        p->metadata = strdup(more); /* the list's end frees it */
        p->metadata_size = strlen(more);
      }
      err = rd_kafka_commit(rk, list, 0);
      if (!err) err = p->err;
    }
  }
  rd_kafka_topic_partition_list_destroy(list);
  return err;
}

int main(int argc, char **argv) {
  if (argc != 9) return 2;
  start(argv);
  static char line[64 << 10];
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    char *rest = line, *word = strsep(&rest, "\t"), *arg = strsep(&rest, "\t");
    rd_kafka_resp_err_t err = run(word, arg, rest);
    if (err)
      printf("error\t%s: %s\n", rd_kafka_err2name(err), rd_kafka_err2str(err));
    else
      puts("ok");
    fflush(stdout);
    if (!strcmp(word, "close")) {
      rd_kafka_destroy(rk);
      return 0;
    }
  }
}
