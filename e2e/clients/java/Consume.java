import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads records with kafka-clients 2.0 or newer. From 0.10.2 to 1.1 the same program works with poll(500) in
 * place of poll(Duration.ofMillis(500)); ConsumeOld is for the releases before.
 *
 * <p>Without FROM: subscribes, reads COUNT records from the group's checkpoint on, commits. FROM is an offset, or
 * {@literal @} and milliseconds since 1970: goes there, reads COUNT records. Prints offset, timestamp, key and value
 * with tabs between.
 */
public final class Consume {
  public static void main(String[] args) throws IOException {
    if (args.length < 6) {
      System.err.println("usage: Consume BROKERS USERNAME PASSWORD TOPIC GROUP COUNT [FROM]");
      System.exit(2);
    }
    boolean subscribe = args.length == 6;
    TopicPartition partition = new TopicPartition(args[3], 0);
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(config(args[0], args[1], args[2], args[4]))) {
      if (subscribe) {
        consumer.subscribe(Collections.singletonList(partition.topic()));
      } else {
        consumer.assign(Collections.singletonList(partition));
        consumer.seek(partition, offset(consumer, partition, args[6]));
      }
      int left = Integer.parseInt(args[5]);
      long next = -1;
      while (left > 0) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
          if (left-- > 0) {
            show(record);
            next = record.offset() + 1;
          }
        }
      }
      if (subscribe) {
        consumer.commitSync(Collections.singletonMap(partition, new OffsetAndMetadata(next)));
      }
    }
  }

  private static Properties config(String brokers, String username, String password, String group) {
    Properties p = new Properties();
    p.put("bootstrap.servers", brokers);
    p.put("security.protocol", "SASL_PLAINTEXT");
    p.put("sasl.mechanism", "PLAIN");
    p.put("sasl.jaas.config", "org.apache.kafka.common.security.plain.PlainLoginModule required username=\""
        + username + "\" password=\"" + password + "\";");
    p.put("group.id", group);
    p.put("auto.offset.reset", "earliest");
    p.put("enable.auto.commit", "false");
    p.put("key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
    p.put("value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
    return p;
  }

  private static long offset(KafkaConsumer<byte[], byte[]> consumer, TopicPartition partition, String from) {
    if (!from.startsWith("@")) {
      return Long.parseLong(from);
    }
    Long millis = Long.valueOf(from.substring(1));
    return consumer.offsetsForTimes(Collections.singletonMap(partition, millis)).get(partition).offset();
  }

  private static void show(ConsumerRecord<byte[], byte[]> r) throws IOException {
    PrintStream out = System.out;
    out.print(r.offset() + "\t" + r.timestamp() + "\t");
    out.write(orNull(r.key()));
    out.print("\t");
    out.write(orNull(r.value()));
    out.println();
  }

  private static byte[] orNull(byte[] b) {
    return b == null ? "NULL".getBytes(StandardCharsets.US_ASCII) : b;
  }
}
