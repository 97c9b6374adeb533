import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.Collections;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads COUNT records from the group's checkpoint on, prints each as
 * "offset timestamp key value" (base64, "-" for null), commits after the last one.
 * Compiles against kafka-clients 0.10.0 and every later one.
 */
public final class Consume {
  public static void main(String[] args) throws Exception {
    if (args.length != 7) {
      System.err.println("usage: Consume BOOTSTRAP USERNAME PASSWORD TOPIC GROUP COUNT subscribe|assign");
      System.exit(2);
    }
    String topic = args[3];
    int count = Integer.parseInt(args[5]);
    TopicPartition partition = new TopicPartition(topic, 0);
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(config(args))) {
      if (args[6].equals("assign")) {
        consumer.assign(Collections.singletonList(partition));
      } else {
        consumer.subscribe(Collections.singletonList(topic));
      }
      long deadline = System.nanoTime() + Duration.ofSeconds(90).toNanos();
      long next = -1;
      while (count > 0) {
        if (System.nanoTime() > deadline) {
          throw new IllegalStateException("no more records, " + count + " to go");
        }
        for (ConsumerRecord<byte[], byte[]> r : poll(consumer)) {
          if (count-- <= 0) {
            break;
          }
          System.out.println(r.offset() + " " + r.timestamp() + " " + text(r.key()) + " " + text(r.value()));
          next = r.offset() + 1;
        }
      }
      consumer.commitSync(Collections.singletonMap(partition, new OffsetAndMetadata(next)));
    }
  }

  private static Properties config(String[] args) throws Exception {
    String login = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\""
        + args[1] + "\" password=\"" + args[2] + "\";";
    // Releases before 0.10.2 know no sasl.jaas.config, only the JVM's own file.
    Path jaas = Files.createTempFile("daybook-jaas", ".conf");
    jaas.toFile().deleteOnExit();
    Files.write(jaas, ("KafkaClient { " + login + " };").getBytes(StandardCharsets.UTF_8));
    System.setProperty("java.security.auth.login.config", jaas.toString());

    Properties p = new Properties();
    p.put("bootstrap.servers", args[0]);
    p.put("security.protocol", "SASL_PLAINTEXT");
    p.put("sasl.mechanism", "PLAIN");
    p.put("sasl.jaas.config", login);
    p.put("group.id", args[4]);
    p.put("auto.offset.reset", "earliest");
    p.put("enable.auto.commit", "false");
    p.put("key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
    p.put("value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
    return p;
  }

  /** poll(Duration) came with 2.0, poll(long) went with 4.0. */
  @SuppressWarnings("unchecked")
  private static ConsumerRecords<byte[], byte[]> poll(KafkaConsumer<byte[], byte[]> consumer) throws Exception {
    try {
      Method m = KafkaConsumer.class.getMethod("poll", Duration.class);
      return (ConsumerRecords<byte[], byte[]>) m.invoke(consumer, Duration.ofMillis(500));
    } catch (NoSuchMethodException e) {
      Method m = KafkaConsumer.class.getMethod("poll", long.class);
      return (ConsumerRecords<byte[], byte[]>) m.invoke(consumer, 500L);
    }
  }

  private static String text(byte[] b) {
    return b == null ? "-" : Base64.getEncoder().encodeToString(b);
  }
}
