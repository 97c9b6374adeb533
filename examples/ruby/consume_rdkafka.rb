# Processes the records of a Daybook task, each at least once, until SIGINT or SIGTERM.
#
#   gem install rdkafka
require "rdkafka"

# Errors that time does not mend; after any other librdkafka goes on by itself.
PERMANENT = %i[authentication fatal group_authorization_failed unknown_topic_or_part].freeze

def settings(env)
  tls = env.key?("CA")
  found = {
    "bootstrap.servers": env.fetch("BROKERS"),
    "group.id": env.fetch("GROUP"),
    "auto.offset.reset": "earliest",
    "enable.auto.offset.store": false, # what process has done is stored, and committed every 5 s
    "security.protocol": tls ? "SASL_SSL" : "SASL_PLAINTEXT",
    "sasl.mechanism": tls ? "SCRAM-SHA-512" : "PLAIN",
    "sasl.username": "#{env.fetch("ACCOUNT")}-#{env.fetch("GROUP")}",
    "sasl.password": env.fetch("PASSWORD"),
  }
  tls ? found.merge("ssl.ca.location": env["CA"]) : found
end

# Your code. Records can come twice, after a crash or a takeover; a tombstone's value is nil.
def process(record)
  puts [record.offset, record.key, record.payload].join("\t")
end

$stdout.sync = true
stop = false
%w[INT TERM].each { |signal| trap(signal) { stop = true } }
failure = nil
Rdkafka::Config.error_callback = lambda do |error|
  PERMANENT.include?(error.code) ? failure = error : warn(error.to_s)
end
consumer = Rdkafka::Config.new(settings(ENV)).consumer
consumer.subscribe(ENV.fetch("TOPIC"))
until stop || failure
  begin
    next unless (record = consumer.poll(500))

    process(record)
    consumer.store_offset(record)
  rescue Rdkafka::RdkafkaError => e
    PERMANENT.include?(e.code) ? failure = e : warn(e.to_s)
  end
end
consumer.close # commits what is stored and leaves the group
raise failure if failure
