package broker

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// api is one API key with the versions of it that are served.
type api struct {
	key      int16
	min, max int16
	layout   layout // of the request
	// beforeLogin says that it is answered before the SASL exchange is done.
	beforeLogin bool
	new         func() kmsg.Request
	handle      func(context.Context, *conn, kmsg.Request) (kmsg.Response, error)
}

// serve makes an api of a request's layout, in the notation of parseLayout,
// and a handler. The handler's error ends the connection; a nil response is
// none. The context ends when the server is closed or the login revoked; one who
// waits has to call conn.watch, too. The request and its bytes
// are not the handler's to keep.
func serve[R any, P interface {
	*R
	kmsg.Request
}](min, max int16, notation string, handle func(*conn, context.Context, P) (kmsg.Response, error)) api {
	return api{
		key:    P(new(R)).Key(),
		min:    min,
		max:    max,
		layout: parseLayout(notation),
		new:    func() kmsg.Request { return P(new(R)) },
		handle: func(ctx context.Context, c *conn, req kmsg.Request) (kmsg.Response, error) {
			return handle(c, ctx, req.(P))
		},
	}
}

func (a api) allowBeforeLogin() api { a.beforeLogin = true; return a }

// register returns every API that is served; what is not here is not
// advertised.
func register() map[int16]api {
	apis := make(map[int16]api)
	for _, a := range []api{
		produceAPI(),
		fetchAPI(),
		listOffsetsAPI(),
		metadataAPI(),
		offsetCommitAPI(),
		offsetFetchAPI(),
		findCoordinatorAPI(),
		joinGroupAPI(),
		heartbeatAPI(),
		leaveGroupAPI(),
		syncGroupAPI(),
		saslHandshakeAPI(),
		apiVersionsAPI(),
		createTopicsAPI(),
		deleteTopicsAPI(),
		deleteRecordsAPI(),
		initProducerIDAPI(),
		offsetForLeaderEpochAPI(),
		describeACLsAPI(),
		createACLsAPI(),
		deleteACLsAPI(),
		describeConfigsAPI(),
		alterConfigsAPI(),
		describeLogDirsAPI(),
		saslAuthenticateAPI(),
		createPartitionsAPI(),
		describeGroupsAPI(),
		listGroupsAPI(),
		deleteGroupsAPI(),
		incrementalAlterConfigsAPI(),
		listPartitionReassignmentsAPI(),
		offsetDeleteAPI(),
		describeClientQuotasAPI(),
		describeUserSCRAMCredentialsAPI(),
		describeClusterAPI(),
		describeTopicPartitionsAPI(),
	} {
		apis[a.key] = a
	}
	return apis
}
