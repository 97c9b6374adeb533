import java.io.FileInputStream;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Collections;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/** Subscribes to TOPIC with the settings in FILE, and prints the offset and value of COUNT records. */
public final class Read {
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    try (InputStream in = new FileInputStream(args[0])) {
      settings.load(in);
    }
    int count = Integer.parseInt(args[2]);
    String text = "org.apache.kafka.common.serialization.StringDeserializer";
    settings.put("key.deserializer", text);
    settings.put("value.deserializer", text);
    settings.put("auto.offset.reset", "earliest");
    settings.put("enable.auto.commit", "false");
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings)) {
      consumer.subscribe(Collections.singletonList(args[1]));
      long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
      while (count > 0) {
        if (System.nanoTime() > deadline) {
          throw new IllegalStateException("no more records, " + count + " to go");
        }
        for (ConsumerRecord<String, String> r : poll(consumer)) {
          if (count-- > 0) {
            System.out.println(r.offset() + " " + r.value());
          }
        }
      }
    }
  }

  /** poll(Duration) came with 2.0, poll(long) went with 4.0. */
  @SuppressWarnings("unchecked")
  private static ConsumerRecords<String, String> poll(KafkaConsumer<String, String> consumer) throws Exception {
    try {
      Method m = KafkaConsumer.class.getMethod("poll", Duration.class);
      return (ConsumerRecords<String, String>) m.invoke(consumer, Duration.ofMillis(500));
    } catch (NoSuchMethodException e) {
      Method m = KafkaConsumer.class.getMethod("poll", long.class);
      return (ConsumerRecords<String, String>) m.invoke(consumer, 500L);
    }
  }
}
