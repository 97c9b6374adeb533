import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the main methods of Kafka's command-line tools one after another in one JVM. Each line of
 * standard input is a class and its arguments, tab-separated; each is answered with one line: the
 * exit code, what it printed, and what it printed to standard error, both in base64.
 */
public class Tools {
    /** Both streams are replaced before Scala's Console takes hold of them. */
    private static final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private static final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private static final BlockingQueue<Integer> exits = new LinkedBlockingQueue<>();

    private static void exit(int code) {
        exits.add(code);
        // Tools catch what is thrown here, and believe that they go on if nothing is.
        while (true) {
            LockSupport.park();
        }
    }

    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        System.setOut(new PrintStream(out, true, "UTF-8"));
        System.setErr(new PrintStream(err, true, "UTF-8"));
        Exit.setExitProcedure((code, message) -> exit(code));
        Exit.setHaltProcedure((code, message) -> exit(code));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            out.reset();
            err.reset();
            exits.clear();
            String[] words = line.split("\t", -1);
            Thread tool = new Thread(() -> exits.add(run(words[0], Arrays.copyOfRange(words, 1, words.length))));
            tool.setDaemon(true);
            tool.start();
            int code = exits.take();
            answers.println(code + " " + text(out) + " " + text(err));
            answers.flush();
        }
    }

    private static int run(String tool, String[] args) {
        try {
            Class.forName(tool).getMethod("main", String[].class).invoke(null, (Object) args);
            return 0;
        } catch (InvocationTargetException e) {
            e.getCause().printStackTrace();
        } catch (ReflectiveOperationException e) {
            e.printStackTrace();
        }
        return 1;
    }

    private static String text(ByteArrayOutputStream stream) {
        return "=" + Base64.getEncoder().encodeToString(stream.toByteArray());
    }
}
