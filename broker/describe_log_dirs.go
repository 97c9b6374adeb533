package broker

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// DescribeLogDirs shows the principal's topic in the one log directory, with
// its size as it is stored, compressed. The directory has a name of its own
// here: its path on the host is nothing that clients need.

const logDir = "data"

func describeLogDirsAPI() api {
	return serve(0, 5, `[ s [4] ]`, (*conn).describeLogDirs)
}

func (c *conn) describeLogDirs(_ context.Context, req *kmsg.DescribeLogDirsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrDescribeLogDirsResponse()
	resp.Version = req.Version
	dir := kmsg.NewDescribeLogDirsResponseDir()
	dir.Dir = logDir
	if p := c.partition(); p != nil && asksForLogDir(req, p.Topic()) {
		rp := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
		rp.Size = p.StoredBytes()
		rt := kmsg.NewDescribeLogDirsResponseDirTopic()
		rt.Topic = p.Topic()
		rt.Partitions = append(rt.Partitions, rp)
		dir.Topics = append(dir.Topics, rt)
	}
	resp.Dirs = append(resp.Dirs, dir)
	return resp, nil
}

// asksForLogDir tells if a request, which asks for all topics with null, is
// about the one partition of topic.
func asksForLogDir(req *kmsg.DescribeLogDirsRequest, topic string) bool {
	return req.Topics == nil || slices.ContainsFunc(req.Topics, func(t kmsg.DescribeLogDirsRequestTopic) bool {
		return t.Topic == topic && slices.Contains(t.Partitions, 0)
	})
}
