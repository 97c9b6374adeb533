import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Runs files of SQL against a MySQL server, or with -Dconnector=mariadb a MariaDB server, and writes what Debezium's embedded engine makes of them, a JSON line
 * {"topic","key","value"} for each record. Arguments: host, port, user, password, output file, SQL files.
 * Statements end with a semicolon at the end of a line; all of them are about the database "format_dbz".
 */
public class Capture {
  static final String SENTINEL = "format_dbz_end";
  static final boolean MARIADB = System.getProperty("connector", "mysql").equals("mariadb");

  public static void main(String[] a) throws Exception {
    String host = a[0], port = a[1], user = a[2], password = a[3];
    String options = MARIADB ? "sslMode=disable" : "allowPublicKeyRetrieval=true&sslMode=PREFERRED";
    String url = "jdbc:" + (MARIADB ? "mariadb" : "mysql") + "://" + host + ":" + port + "/?" + options;
    try (Connection c = DriverManager.getConnection(url, user, password); Statement s = c.createStatement()) {
      s.execute("DROP DATABASE IF EXISTS format_dbz");
      s.execute("DROP DATABASE IF EXISTS " + SENTINEL);
      Path dir = Files.createTempDirectory("capture");
      CountDownLatch started = new CountDownLatch(1), ended = new CountDownLatch(1);
      try (PrintWriter out = new PrintWriter(Files.newBufferedWriter(Path.of(a[4])))) {
        DebeziumEngine<ChangeEvent<String, String>> engine =
            DebeziumEngine.create(Json.class)
                .using(properties(host, port, user, password, dir))
                .using(
                    new DebeziumEngine.ConnectorCallback() {
                      public void pollingStarted() {
                        started.countDown();
                      }
                    })
                .notifying(
                    r -> {
                      if (r.value() != null && r.value().contains(SENTINEL)) {
                        ended.countDown();
                      } else if (!r.destination().equals("shop") || r.key().equals("{\"databaseName\":\"format_dbz\"}")) {
                        out.printf("{\"topic\":\"%s\",\"key\":%s,\"value\":%s}%n", r.destination(), r.key(), r.value());
                      }
                    })
                .build();
        ExecutorService thread = Executors.newSingleThreadExecutor();
        thread.execute(engine);
        started.await();
        Thread.sleep(4000); // the engine does not tell when it has the schema and reads the binlog
        for (int i = 5; i < a.length; i++) {
          for (String sql : Files.readString(Path.of(a[i])).split(";\\s*\n")) {
            try {
              if (!sql.isBlank()) s.execute(sql.strip());
            } catch (java.sql.SQLException e) {
              throw new IllegalStateException(sql, e);
            }
          }
        }
        s.execute("CREATE DATABASE " + SENTINEL);
        ended.await();
        engine.close();
        thread.shutdown();
      }
    }
  }

  static Properties properties(String host, String port, String user, String password, Path dir) {
    Properties p = new Properties();
    p.putAll(
        java.util.Map.ofEntries(
            e("name", "capture"),
            e("connector.class", MARIADB ? "io.debezium.connector.mariadb.MariaDbConnector" : "io.debezium.connector.mysql.MySqlConnector"),
            e("topic.prefix", "shop"),
            e("database.hostname", host),
            e("database.port", port),
            e("database.user", user),
            e("database.password", password),
            e("database.server.id", "94001"),
            e("database.include.list", "format_dbz," + SENTINEL),
            e("schema.history.internal.store.only.captured.databases.ddl", "true"),
            e("snapshot.mode", "no_data"),
            e("snapshot.locking.mode", "none"),
            e("include.schema.changes", "true"),
            e("include.query", "true"),
            e("include.schema.comments", "true"),
            e("decimal.handling.mode", "string"),
            e("bigint.unsigned.handling.mode", "precise"),
            e("time.precision.mode", "adaptive_time_microseconds"),
            e("binary.handling.mode", "base64"),
            e("tombstones.on.delete", System.getProperty("tombstones", "false")),
            e("inconsistent.schema.handling.mode", "warn"),
            e("event.converting.failure.handling.mode", "warn"),
            e("event.processing.failure.handling.mode", "warn"),
            e("event.deserialization.failure.handling.mode", "warn"),
            e("schema.history.internal.skip.unparseable.ddl", "true"),
            e("converter.schemas.enable", "false"),
            e("key.converter.schemas.enable", "false"),
            e("value.converter.schemas.enable", "false"),
            e("offset.storage", "org.apache.kafka.connect.storage.FileOffsetBackingStore"),
            e("offset.storage.file.filename", dir.resolve("offsets").toString()),
            e("offset.flush.interval.ms", "60000"),
            e("schema.history.internal", "io.debezium.storage.file.history.FileSchemaHistory"),
            e("schema.history.internal.file.filename", dir.resolve("history").toString())));
    return p;
  }

  static java.util.Map.Entry<String, String> e(String k, String v) {
    return java.util.Map.entry(k, v);
  }
}
