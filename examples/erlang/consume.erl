%% Processes the records of a Daybook task with brod, each at least once, until SIGTERM.
%%
%%   erl -noinput -s consume
-module(consume).
-behaviour(brod_group_subscriber_v2).
-behaviour(gen_event).
-export([start/0, init/2, handle_message/2]).
-export([init/1, handle_event/2, handle_call/2]).
-include_lib("brod/include/brod.hrl").

start() ->
    process_flag(trap_exit, true),
    ok = io:setopts(standard_io, [{encoding, unicode}]),
    {ok, _} = application:ensure_all_started(brod),
    ok = brod:start_client(brokers(), daybook, login(os:getenv("CA"))),
    {ok, Subscriber} = brod:start_link_group_subscriber_v2(
        #{client => daybook,
          group_id => list_to_binary(env("GROUP")),
          topics => [list_to_binary(env("TOPIC"))],
          cb_module => ?MODULE,
          init_data => [],
          message_type => message,
          consumer_config => [{begin_offset, earliest}],
          group_config => [{offset_commit_policy, commit_to_kafka_v2},
                           {offset_commit_interval_seconds, 5}]}),
    ok = gen_event:swap_handler(erl_signal_server, {erl_signal_handler, []}, {?MODULE, self()}),
    receive
        sigterm ->
            stop(Subscriber),
            halt(0);
        {'EXIT', Subscriber, Reason} ->
            io:format(standard_error, "~p~n", [Reason]),
            halt(1)
    end.

%% The subscriber's coordinator, which is linked to it, commits what was acknowledged and leaves the group.
stop(Subscriber) ->
    {links, Links} = process_info(Subscriber, links),
    Monitors = [monitor(process, Pid) || Pid <- Links, is_pid(Pid), Pid =/= self()],
    ok = brod_group_subscriber_v2:stop(Subscriber),
    [receive {'DOWN', Monitor, process, _, _} -> ok after 5000 -> ok end || Monitor <- Monitors].

init(_Partition, _InitData) -> {ok, []}.

%% Your code. Records can come twice, after a crash or a takeover; a tombstone's value is <<>>.
handle_message(#kafka_message{offset = Offset, key = Key, value = Value}, State) ->
    io:put_chars([integer_to_list(Offset), $\t, Key, $\t, Value, $\n]),
    {ok, commit, State}. % what is acknowledged so is committed every 5 s

brokers() ->
    [begin [Host, Port] = string:split(B, ":", trailing), {Host, list_to_integer(Port)} end
     || B <- string:split(env("BROKERS"), ",", all)].

login(false) ->
    [{sasl, {plain, username(), env("PASSWORD")}}];
login(CA) ->
    [{ssl, [{cacertfile, CA}, {verify, verify_peer}]},
     {sasl, {scram_sha_512, username(), env("PASSWORD")}}].

username() -> env("ACCOUNT") ++ "-" ++ env("GROUP").

env(Name) ->
    case os:getenv(Name) of
        false -> error({not_set, Name});
        Value -> Value
    end.

%% The handler of signals.
init({Reader, _}) -> {ok, Reader}.
handle_event(Signal, Reader) -> Reader ! Signal, {ok, Reader}.
handle_call(_, Reader) -> {ok, ok, Reader}.
