// Processes the records of a Daybook task, each at least once, until SIGINT or SIGTERM.
//
//   c++ -std=c++17 consume.cpp -lrdkafka++ -o consume
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <librdkafka/rdkafkacpp.h>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

volatile std::sig_atomic_t stop = 0;

std::string env(const std::string &name) {
  const char *value = std::getenv(name.c_str());
  if (!value) throw std::runtime_error(name + " is not set");
  return value;
}

// The errors of connections (as a callback) and those of reading.
class Errors : public RdKafka::EventCb {
 public:
  void event_cb(RdKafka::Event &event) override {
    if (event.type() == RdKafka::Event::EVENT_ERROR) check(event.err(), event.str());
  }
  void check(RdKafka::ErrorCode err, const std::string &why) {
    switch (err) {
      case RdKafka::ERR__AUTHENTICATION:
      case RdKafka::ERR__FATAL:
      case RdKafka::ERR_GROUP_AUTHORIZATION_FAILED:
      case RdKafka::ERR_UNKNOWN_TOPIC_OR_PART:
        permanent = why; // time does not mend these
        break;
      default:
        std::cerr << why << '\n'; // librdkafka goes on by itself
    }
  }
  std::string permanent;
};

std::unique_ptr<RdKafka::KafkaConsumer> consumer(Errors *errors) {
  std::string why;
  std::unique_ptr<RdKafka::Conf> conf(RdKafka::Conf::create(RdKafka::Conf::CONF_GLOBAL));
  auto set = [&](const std::string &key, const std::string &value) {
    if (conf->set(key, value, why) != RdKafka::Conf::CONF_OK) throw std::runtime_error(key + ": " + why);
  };
  const bool tls = std::getenv("CA") != nullptr;
  set("bootstrap.servers", env("BROKERS"));
  set("group.id", env("GROUP"));
  set("auto.offset.reset", "earliest");
  set("enable.auto.commit", "false");
  set("security.protocol", tls ? "SASL_SSL" : "SASL_PLAINTEXT");
  set("sasl.mechanism", tls ? "SCRAM-SHA-512" : "PLAIN");
  set("sasl.username", env("ACCOUNT") + "-" + env("GROUP"));
  set("sasl.password", env("PASSWORD"));
  if (tls) set("ssl.ca.location", env("CA"));
  conf->set("event_cb", errors, why);
  std::unique_ptr<RdKafka::KafkaConsumer> c(RdKafka::KafkaConsumer::create(conf.get(), why));
  if (!c) throw std::runtime_error(why);
  return c;
}

// Your code. Records can come twice, after a crash or a takeover. A tombstone has no payload.
void process(const RdKafka::Message &m) {
  std::cout << m.offset() << '\t' << (m.key() ? *m.key() : "") << '\t';
  if (m.payload()) std::cout.write(static_cast<const char *>(m.payload()), static_cast<std::streamsize>(m.len()));
  std::cout << std::endl;
}

void run() {
  Errors errors;
  auto c = consumer(&errors);
  if (auto err = c->subscribe({env("TOPIC")})) throw std::runtime_error(RdKafka::err2str(err));
  bool uncommitted = false;
  while (!stop && errors.permanent.empty()) {
    // What has been received already comes at once; a commit for all of it follows.
    std::unique_ptr<RdKafka::Message> m(c->consume(uncommitted ? 0 : 500));
    if (m->err() == RdKafka::ERR_NO_ERROR) {
      process(*m);
      uncommitted = true;
    } else if (m->err() == RdKafka::ERR__TIMED_OUT) {
      if (uncommitted && c->commitSync() != RdKafka::ERR_NO_ERROR) std::cerr << "another member has taken over\n";
      uncommitted = false;
    } else {
      errors.check(m->err(), m->errstr());
    }
  }
  if (uncommitted) c->commitSync();
  c->close(); // leaves the group
  if (!errors.permanent.empty()) throw std::runtime_error(errors.permanent);
}

}  // namespace

int main() {
  std::signal(SIGINT, [](int) { stop = 1; });
  std::signal(SIGTERM, [](int) { stop = 1; });
  try {
    run();
  } catch (const std::exception &e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
