//go:build servers

package kafka

import (
	"flag"
	"regexp"
	"strconv"
	"strings"
)

// difference is an answer that Daybook means to give otherwise than Kafka.
// Anything else that differs fails the test, and so does a difference that is
// no longer seen.
type difference struct {
	api            string // its name; * for all
	at             string // regular expression for all of "label: path"
	versions       string // such as 7- or -3; "" for all
	only           string // the release of Kafka that it is seen with; "" for all
	daybook, kafka string // the values; * for any
	why            string
	seen           bool
}

var differences = []difference{
	// What is meant for people.
	{api: "*", at: `.*ErrorMessage`, daybook: "*", kafka: "*",
		why: "the texts are for people; clients act on the codes"},

	// What is offered.
	{api: "ApiVersions", at: `.*: ApiKeys\[.*\]\.MaxVersion`, daybook: "*", kafka: "*",
		why: "Daybook serves what the newest clients send, which is newer than Kafka 3.9"},
	{api: "ApiVersions", at: `.*: ApiKeys\[(` + notOffered + `)\]\..*`, daybook: "absent", kafka: "*",
		why: "what Daybook does not offer is not advertised"},
	{api: "ApiVersions", at: `.*: (len\((ApiKeys|SupportedFeatures|FinalizedFeatures)\)|(Supported|Finalized)Features.*)`, daybook: "*", kafka: "*",
		why: "Daybook has none of the features that a cluster upgrades step by step"},

	{api: "ApiVersions", at: `.*: ApiKeys\[.*\]\.MinVersion`, daybook: "*", kafka: "*", only: Newest,
		why: "Kafka 4 dropped the versions of clients before 2.1"},
	{api: "Produce", at: `.*`, versions: "-2", daybook: "*", kafka: "*", only: Newest,
		why: "Kafka 4 advertises these versions for librdkafka, but ends the connection"},

	{api: "*", at: `.*: Groups\[.*\]\.AuthorizedOperations`, daybook: "328", kafka: "1352", only: Newest,
		why: "Kafka 4 has a right to see the settings of a group"},

	// Other principals' topics and groups.
	{api: "*", at: `(foreign( topic)?|several): Topics\[bank\].*ErrorCode`, daybook: "3", kafka: "29",
		why: "what is not the principal's own does not exist, for it to see"},
	{api: "OffsetFetch", at: `foreign topic: .*Topics\[bank\].*ErrorCode`, daybook: "0", kafka: "29",
		why: "the same: it has no checkpoint there"},
	{api: "OffsetFetch", at: `(foreign|no) group: .*`, versions: "-1", daybook: "*", kafka: "*",
		why: "these versions have no place for the group's error: Daybook tells it for each partition, Kafka not at all"},

	// Connections.
	{api: "SASLHandshake", at: `after login: SupportedMechanisms`, daybook: "[PLAIN SCRAM-SHA-256 SCRAM-SHA-512]", kafka: "null",
		why: "the error is the same; the list does no harm"},
	{api: "SASLHandshake", at: `(PLAIN|not enabled): SupportedMechanisms`, daybook: "[PLAIN SCRAM-SHA-256 SCRAM-SHA-512]", kafka: "[PLAIN]",
		why: "the Kafka beside is set up with PLAIN alone"},
	{api: "SASLAuthenticate", at: `without handshake: .*`, daybook: "*", kafka: "*",
		why: "Daybook says what is wrong, Kafka closes the connection"},

	// What there is to see.
	{api: "Metadata", at: `bad name: .*ErrorCode`, daybook: "3", kafka: "17",
		why: "such a topic does not exist either"},
	{api: "Metadata", at: `no name: .*ErrorCode`, daybook: "3", kafka: "29",
		why: "the same"},
	{api: "DescribeTopicPartitions", at: `bad name: .*ErrorCode`, daybook: "3", kafka: "17",
		why: "the same"},
	{api: "DescribeConfigs", at: `logger: .*ErrorCode`, daybook: "42", kafka: "0",
		why: "there are no loggers to be set at run time"},
	{api: "DescribeConfigs", at: `group: .*ErrorCode`, daybook: "0", kafka: "42", only: Release,
		why: "Kafka 4 knows this kind of resource; a group has no settings here"},
	{api: "FindCoordinator", at: `of a share group: .*ErrorCode`, versions: "6-", daybook: "42", kafka: "31",
		why: "there are no share groups: it is a type like any other that is unknown"},
	{api: "DescribeTopicPartitions", at: `.*: Topics\[(absent|a/b)\]\.AuthorizedOperations`, daybook: "*", kafka: "*",
		why: "Kafka has rules for topics that do not exist, Daybook none"},
	{api: "DescribeConfigs", at: `.*: .*Configs.*`, daybook: "absent", kafka: "*",
		why: "Daybook tells the settings that mean something to it"},
	{api: "DescribeConfigs", at: `.*: len\(.*(Configs|Synonyms)\)`, daybook: "*", kafka: "*",
		why: "the same"},
	{api: "DescribeConfigs", at: `.*: .*\.(Value|Source|Name)`, daybook: "*", kafka: "*",
		why: "the two brokers are set up differently"},
	{api: "DescribeConfigs", at: `.*: .*\.ReadOnly`, daybook: "true", kafka: "false",
		why: "Daybook's settings stand in its configuration file"},
	{api: "DescribeConfigs", at: `.*: .*\.IsDefault`, versions: "-0", daybook: "true", kafka: "false",
		why: "Kafka does not fill in the field of version 0"},
	{api: "DescribeConfigs", at: `foreign topic: .*ErrorCode`, daybook: "3", kafka: "29",
		why: "another principal's topic does not exist, for it to see"},
	{api: "DescribeLogDirs", at: `.*\.(Dir|Size)`, daybook: "*", kafka: "*",
		why: "the directories differ, and Daybook keeps records compressed"},
	{api: "DescribeLogDirs", at: `.*\.(TotalBytes|UsableBytes)`, versions: "4-", daybook: "-1", kafka: "*",
		why: "the size of the host's disk is not the clients' business"},
	{api: "DescribeLogDirs", at: `all: (.*Topics\[(bank|__consumer_offsets)\].*|len\(.*Topics\))`, daybook: "*", kafka: "*",
		why: "other topics do not exist for the principal"},
	{api: "DescribeACLs", at: `.*`, daybook: "*", kafka: "*",
		why: "there are no rules to show: Daybook answers as a broker without an authorizer"},
	{api: "CreateACLs", at: `.*ErrorCode`, daybook: "54", kafka: "31",
		why: "the same"},
	{api: "DeleteACLs", at: `.*ErrorCode`, daybook: "54", kafka: "31",
		why: "the same"},

	// Writes, which both refuse.
	{api: "DeleteRecords", at: `unknown.*ErrorCode`, daybook: "3", kafka: "29",
		why: "Daybook says first that it does not exist"},
	{api: "CreatePartitions", at: `unknown: .*ErrorCode`, daybook: "3", kafka: "29",
		why: "the same"},

	// Records.
	{api: "Fetch", at: `.*: (len\(.*RecordBatches\)|.*RecordBatches\[\d+\])`, versions: "-3", daybook: "*", kafka: "*",
		why: "Kafka gives a converted set the bytes that its batches have at rest, and cuts it off there; Daybook what the limit allows"},
	{api: "Fetch", at: `.*RecordBatches cut off`, daybook: "*", kafka: "*",
		why: "Kafka cuts the last batch off at the limit, for clients to drop; Daybook sends whole ones"},
	{api: "Fetch", at: `(negative limits|no such isolation): .*`, daybook: "*", kafka: "*",
		why: "Kafka fails with an unknown error; Daybook takes a negative limit as 0, and all records as committed"},
	{api: "ListOffsets", at: `no such isolation: .*`, versions: "2-", daybook: "*", kafka: "*",
		why: "the same"},
	{api: "Fetch", at: `from a replica: .*`, daybook: "*", kafka: "*",
		why: "there are no replicas: the ID is not looked at, and the tag that replaced it is refused"},
	{api: "Fetch", at: `new session: SessionID`, versions: "7-", daybook: "0", kafka: "*",
		why: "Daybook never opens a session, which every client accepts"},
	{api: "ListOffsets", at: `(zero|before|after|the|in).*OldStyleOffsets`, versions: "-0", daybook: "*", kafka: "null",
		why: "Kafka looks at the time stamps of its files; Daybook answers with the record's offset, as from version 1 on"},
	{api: "ListOffsets", at: `in seconds, after the last: .*(Offset|Timestamp)`, versions: "1-", daybook: "*", kafka: "*",
		why: "up to 99,999,999,999 a time is in seconds, as some change data clients send it; Kafka takes it as 1970"},

	{api: "ListOffsets", at: `a (partition|topic) twice: .*`, daybook: "*", kafka: "*", only: Newest,
		why: "Kafka 4 tells the error once, Kafka 3 for each"},

	// Checkpoints.
	{api: "OffsetCommit", at: `a partition twice: .*`, daybook: "*", kafka: "*", only: Newest,
		why: "Kafka 4 answers each time, Kafka 3 once"},
	{api: "OffsetFetch", at: `(a partition twice|no partitions): .*`, daybook: "*", kafka: "*", only: Newest,
		why: "the same"},
	{api: "OffsetDelete", at: `(twice|afterwards): .*`, daybook: "*", kafka: "*", only: Newest,
		why: "Kafka 4 keeps a group without checkpoints for some time, Kafka 3 forgets it at once"},
	{api: "DescribeConfigs", at: `broker: .*advertised.listeners.*ConfigType`, daybook: "*", kafka: "*", only: Newest,
		why: "a list in Kafka 4, a text in Kafka 3"},
	{api: "OffsetCommit", at: `.*`, versions: "-0", daybook: "*", kafka: "*",
		why: "Kafka kept those of version 0 in ZooKeeper and now refuses them; Daybook keeps them as all others"},
	{api: "OffsetFetch", at: `.*`, versions: "-0", daybook: "*", kafka: "*",
		why: "the same"},
}

// notOffered are the APIs that Kafka 3.9 or 4 advertises and Daybook does not:
// transactions, the consumer protocol of KIP-848, share and streams groups,
// quotas and users that are changed over the wire, delegation tokens, and the
// running of a cluster.
const notOffered = "AddPartitionsToTxn|AddOffsetsToTxn|EndTxn|TxnOffsetCommit|WriteTxnMarkers|DescribeProducers|DescribeTransactions|ListTransactions|" +
	"ConsumerGroupHeartbeat|ConsumerGroupDescribe|" +
	"AlterClientQuotas|AlterUserSCRAMCredentials|ListConfigResources|" +
	"CreateDelegationToken|RenewDelegationToken|ExpireDelegationToken|DescribeDelegationToken|" +
	"ShareGroupHeartbeat|ShareGroupDescribe|ShareFetch|ShareAcknowledge|StreamsGroupHeartbeat|StreamsGroupDescribe|" +
	"(Initialize|Read|Write|Delete)ShareGroupState|ReadShareGroupStateSummary|(Describe|Alter|Delete)ShareGroupOffsets|" +
	"AlterReplicaLogDirs|ElectLeaders|AlterPartitionAssignments|UpdateFeatures|DescribeQuorum|UnregisterBroker|AddRaftVoter|RemoveRaftVoter"

// intended tells whether the table has the mismatch.
func intended(release, api string, version int16, m mismatch) bool {
	found := false
	for i := range differences {
		d := &differences[i]
		if d.api != api && d.api != "*" || d.only != release && d.only != "" || !d.covers(version) {
			continue
		}
		if fits(d.daybook, m.daybook) && fits(d.kafka, m.kafka) && regexp.MustCompile("^(?:"+d.at+")$").MatchString(m.label+": "+m.path) {
			d.seen, found = true, true
		}
	}
	return found
}

func (d *difference) covers(version int16) bool {
	from, to, _ := strings.Cut(d.versions, "-")
	low, err := strconv.Atoi(from)
	high, otherErr := strconv.Atoi(to)
	return (err != nil || int(version) >= low) && (otherErr != nil || int(version) <= high)
}

func fits(want, got string) bool { return want == "*" || want == got }

// filtered tells whether -run chose only some of the subtests.
func filtered() bool { return strings.Contains(flag.Lookup("test.run").Value.String(), "/") }
