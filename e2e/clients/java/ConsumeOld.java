import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads records with kafka-clients 0.10.0 or 0.10.1, which take the login from a file that the system property
 * java.security.auth.login.config names, and know no sasl.jaas.config. 0.10.0 cannot ask for the offset of a time.
 *
 * <p>Without FROM: subscribes, reads COUNT records from the group's checkpoint on, commits. FROM is an offset: goes
 * there, reads COUNT records. Prints offset, timestamp, key and value with tabs between.
 */
public final class ConsumeOld {
  public static void main(String[] args) throws IOException {
    if (args.length < 6) {
      System.err.println("usage: ConsumeOld BROKERS USERNAME PASSWORD TOPIC GROUP COUNT [FROM]");
      System.exit(2);
    }
    boolean subscribe = args.length == 6;
    TopicPartition partition = new TopicPartition(args[3], 0);
    login(args[1], args[2]);
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(config(args[0], args[4]))) {
      if (subscribe) {
        consumer.subscribe(Collections.singletonList(partition.topic()));
      } else {
        consumer.assign(Collections.singletonList(partition));
        consumer.seek(partition, Long.parseLong(args[6]));
      }
      int left = Integer.parseInt(args[5]);
      long next = -1;
      while (left > 0) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(500)) {
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

  private static void login(String username, String password) throws IOException {
    Path jaas = Files.createTempFile("jaas", ".conf");
    jaas.toFile().deleteOnExit();
    Files.write(jaas, ("KafkaClient { org.apache.kafka.common.security.plain.PlainLoginModule required username=\""
        + username + "\" password=\"" + password + "\"; };").getBytes(StandardCharsets.UTF_8));
    System.setProperty("java.security.auth.login.config", jaas.toString());
  }

  private static Properties config(String brokers, String group) {
    Properties p = new Properties();
    p.put("bootstrap.servers", brokers);
    p.put("security.protocol", "SASL_PLAINTEXT");
    p.put("sasl.mechanism", "PLAIN");
    p.put("group.id", group);
    p.put("auto.offset.reset", "earliest");
    p.put("enable.auto.commit", "false");
    p.put("key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
    p.put("value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
    return p;
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
