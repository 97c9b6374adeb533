import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/** Processes the records of a Daybook task, each at least once, until SIGINT or SIGTERM. */
public final class Consume {
  public static void main(String[] args) {
    AtomicBoolean stop = new AtomicBoolean();
    Thread reader = Thread.currentThread();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      stop.set(true);
      try {
        reader.join(); // the JVM ends when this hook does
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }));
    try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(settings())) { // close() leaves the group
      consumer.subscribe(List.of(env("TOPIC")));
      while (!stop.get()) {
        ConsumerRecords<String, String> records = consumer.poll(Duration.ofMillis(500));
        records.forEach(Consume::process);
        try {
          if (!records.isEmpty()) {
            consumer.commitSync(); // after processing: what is lost with this process is read again
          }
        } catch (CommitFailedException e) { // processing took longer than max.poll.interval.ms
          System.err.println("another member has taken over, from the last checkpoint: " + e.getMessage());
        }
      }
    }
  }

  /** Your code. Records can come twice, after a crash or a takeover. */
  private static void process(ConsumerRecord<String, String> record) {
    String value = record.value() == null ? "" : record.value(); // null: a tombstone
    System.out.println(record.offset() + "\t" + record.key() + "\t" + value);
  }

  private static Properties settings() {
    Properties p = new Properties();
    p.put("bootstrap.servers", env("BROKERS"));
    p.put("group.id", env("GROUP"));
    p.put("auto.offset.reset", "earliest");
    p.put("enable.auto.commit", "false");
    p.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    p.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    String ca = System.getenv("CA");
    String module = ca == null ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
    p.put("security.protocol", ca == null ? "SASL_PLAINTEXT" : "SASL_SSL");
    p.put("sasl.mechanism", ca == null ? "PLAIN" : "SCRAM-SHA-512");
    p.put("sasl.jaas.config", "org.apache.kafka.common.security." + module + " required username=\""
        + env("ACCOUNT") + "-" + env("GROUP") + "\" password=\"" + env("PASSWORD") + "\";");
    if (ca != null) {
      p.put("ssl.truststore.type", "PEM"); // since 2.7; before, a PKCS12 file that keytool makes
      p.put("ssl.truststore.location", ca);
    }
    return p;
  }

  private static String env(String name) {
    String value = System.getenv(name);
    if (value == null) {
      throw new IllegalArgumentException(name + " is not set");
    }
    return value;
  }
}
