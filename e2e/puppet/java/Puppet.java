import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Properties;
import java.util.Queue;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** kafka-clients as a puppet: puppet.go tells the commands. Built with poll(long) for releases before 2.0. */
public final class Puppet {
  private static final PrintStream out = new PrintStream(new java.io.FileOutputStream(java.io.FileDescriptor.out), false);

  private final TopicPartition partition;
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Queue<ConsumerRecord<byte[], byte[]>> fetched = new ArrayDeque<>();

  private Puppet(String[] args) {
    Properties p = new Properties();
    p.put("bootstrap.servers", args[0]);
    p.put("security.protocol", "SASL_PLAINTEXT");
    p.put("sasl.mechanism", "PLAIN");
    p.put("sasl.jaas.config", "org.apache.kafka.common.security.plain.PlainLoginModule required username=\""
        + args[1] + "\" password=\"" + args[2] + "\";");
    p.put("group.id", args[4]);
    p.put("auto.offset.reset", args[5]);
    p.put("client.id", args[6]);
    p.put("session.timeout.ms", args[7]);
    p.put("heartbeat.interval.ms", String.valueOf(Integer.parseInt(args[7]) / 6));
    p.put("enable.auto.commit", "false");
    p.put("key.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
    p.put("value.deserializer", "org.apache.kafka.common.serialization.ByteArrayDeserializer");
    partition = new TopicPartition(args[3], 0);
    consumer = new KafkaConsumer<>(p);
  }

  public static void main(String[] args) throws IOException {
    Puppet puppet = new Puppet(args);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = in.readLine()) != null; ) {
      String[] words = line.split("\t", -1);
      try {
        puppet.run(words);
        out.println("ok");
      } catch (Exception e) {
        out.println("error\t" + e.toString().replace('\n', ' '));
      }
      out.flush();
      if (words[0].equals("close")) {
        System.exit(0);
      }
    }
  }

  private void run(String[] words) throws IOException {
    switch (words[0]) {
      case "subscribe":
        consumer.subscribe(Collections.singletonList(partition.topic()));
        break;
      case "assign":
        consumer.assign(Collections.singletonList(partition));
        if (words.length > 1) {
          consumer.seek(partition, Long.parseLong(words[1]));
        }
        break;
      case "poll":
        poll(Long.parseLong(words[1]), Integer.parseInt(words[2]));
        break;
      case "seek":
        fetched.clear();
        consumer.seek(partition, Long.parseLong(words[1]));
        break;
      case "commit":
        consumer.commitSync(
            Collections.singletonMap(partition, new OffsetAndMetadata(Long.parseLong(words[1]), words[2])));
        break;
      case "close":
        consumer.close();
        break;
      default:
        throw new IllegalArgumentException(words[0]);
    }
  }

  private void poll(long millis, int limit) throws IOException {
    if (fetched.isEmpty()) {
      long end = System.nanoTime() + millis * 1_000_000;
      do {
        consumer.poll(Duration.ofMillis(100)).forEach(fetched::add);
      } while (fetched.isEmpty() && System.nanoTime() < end);
    }
    for (int i = 0; i < limit && !fetched.isEmpty(); i++) {
      ConsumerRecord<byte[], byte[]> r = fetched.remove();
      out.print("record\t" + r.offset() + "\t");
      out.write(orNull(r.key()));
      out.print("\t");
      out.write(orNull(r.value()));
      out.println();
    }
  }

  private static byte[] orNull(byte[] b) {
    return b == null ? "NULL".getBytes(StandardCharsets.US_ASCII) : b;
  }
}
