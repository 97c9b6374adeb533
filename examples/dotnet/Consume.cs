// Processes the records of a Daybook task, each at least once, until SIGINT or SIGTERM.
//
//   dotnet add package Confluent.Kafka
using System;
using System.Threading;
using Confluent.Kafka;

static class Consume
{
    static readonly CancellationTokenSource stop = new CancellationTokenSource();
    static readonly ManualResetEventSlim ended = new ManualResetEventSlim();
    static Error failure;

    static int Main()
    {
        Console.CancelKeyPress += (_, e) => { e.Cancel = true; stop.Cancel(); };
        AppDomain.CurrentDomain.ProcessExit += (_, e) => { stop.Cancel(); ended.Wait(); }; // SIGTERM
        using (var consumer = new ConsumerBuilder<string, string>(Settings()).SetErrorHandler((_, e) => Check(e)).Build())
        {
            consumer.Subscribe(Env("TOPIC"));
            try
            {
                Read(consumer);
            }
            catch (OperationCanceledException)
            {
            }
            consumer.Close(); // commits what is stored and leaves the group
        }
        ended.Set();
        return Environment.ExitCode = failure == null ? 0 : 1;
    }

    static void Read(IConsumer<string, string> consumer)
    {
        while (true)
        {
            try
            {
                var record = consumer.Consume(stop.Token);
                Process(record);
                consumer.StoreOffset(record);
            }
            catch (KafkaException e) // such as a takeover, when processing took longer than MaxPollIntervalMs
            {
                Check(e.Error);
            }
        }
    }

    // Your code. Records can come twice, after a crash or a takeover; a tombstone's value is null.
    static void Process(ConsumeResult<string, string> record)
    {
        Console.WriteLine($"{record.Offset.Value}\t{record.Message.Key}\t{record.Message.Value}");
    }

    static void Check(Error error)
    {
        Console.Error.WriteLine(error);
        switch (error.Code)
        {
            case ErrorCode.Local_Authentication:
            case ErrorCode.Local_Fatal:
            case ErrorCode.GroupAuthorizationFailed:
            case ErrorCode.UnknownTopicOrPart:
                failure = error; // time does not mend these; after any other librdkafka goes on by itself
                stop.Cancel();
                break;
        }
    }

    static ConsumerConfig Settings()
    {
        var ca = Environment.GetEnvironmentVariable("CA");
        return new ConsumerConfig
        {
            BootstrapServers = Env("BROKERS"),
            GroupId = Env("GROUP"),
            AutoOffsetReset = AutoOffsetReset.Earliest,
            EnableAutoOffsetStore = false, // what Process has done is stored, and committed every 5 s
            SecurityProtocol = ca == null ? SecurityProtocol.SaslPlaintext : SecurityProtocol.SaslSsl,
            SaslMechanism = ca == null ? SaslMechanism.Plain : SaslMechanism.ScramSha512,
            SaslUsername = Env("ACCOUNT") + "-" + Env("GROUP"),
            SaslPassword = Env("PASSWORD"),
            SslCaLocation = ca,
        };
    }

    static string Env(string name) =>
        Environment.GetEnvironmentVariable(name) ?? throw new InvalidOperationException(name + " is not set");
}
