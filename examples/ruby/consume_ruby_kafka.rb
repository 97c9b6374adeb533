# Processes the records of a Daybook task, each at least once, until SIGINT or SIGTERM.
#
#   gem install ruby-kafka
require "kafka"

def settings(env)
  username = "#{env.fetch("ACCOUNT")}-#{env.fetch("GROUP")}"
  password = env.fetch("PASSWORD")
  return { sasl_plain_username: username, sasl_plain_password: password, sasl_over_ssl: false } unless env.key?("CA")

  {
    ssl_ca_cert_file_path: env["CA"],
    sasl_scram_username: username,
    sasl_scram_password: password,
    sasl_scram_mechanism: "sha512",
  }
end

# Your code. Records can come twice, after a crash or a takeover; a tombstone's value is nil.
def process(record)
  puts [record.offset, record.key, record.value].join("\t")
end

$stdout.sync = true
kafka = Kafka.new(ENV.fetch("BROKERS").split(","), **settings(ENV))
consumer = kafka.consumer(group_id: ENV.fetch("GROUP"), offset_commit_interval: 5)
%w[INT TERM].each { |signal| trap(signal) { consumer.stop } }
consumer.subscribe(ENV.fetch("TOPIC"), start_from_beginning: true)
# What the block has done is committed every 5 s, and at the end, when the group is left.
consumer.each_message { |record| process(record) }
