"""The server against a small model of it, in sequences that nobody wrote.

The model is made of SPEC.md's rules, not of the server's code: who is let in
(limits, drain, strangers), which upstream serves, what either peer sees of
bytes and ends, what the log says of each connection, and that nothing is left
over. hypothesis draws the sequences. ITEST_LONG=1 draws new ones, and many,
and makes those that fail short.
"""

import collections
import os
import signal
import sys
import traceback

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis import stateful
from hypothesis.errors import HypothesisException

from harness import server as srv
from harness import upstreams
from harness.certs import SERIALS
from harness.client import attempt, begin, tcp_connect
from harness.ports import free_port
from harness.wait import wait_for

LONG = bool(os.environ.get("ITEST_LONG"))
CAP, MOST = 3, 5  # of a client's sessions, and of all
RATE = {"alice": None, "bob": 7}  # in an hour
WEIGHTS = [1, 2, 3]
STRANGERS = {None: "no_certificate", "revoked": "revoked",
             "unlisted": "unknown_client", "carol": "not_allowed",
             "below": "untrusted", "expired": "expired"}
RARELY = st.sampled_from([False, False, True])
HARMLESS = [signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGUSR2,
            signal.SIGALRM, signal.SIGCHLD, signal.SIGRTMIN]

hypothesis.settings.register_profile(
    "model", deadline=None, database=None, print_blob=False,
    derandomize=not LONG, max_examples=2000 if LONG else 40,
    stateful_step_count=80 if LONG else 50,
    # What fails waits for what does not come, so to shrink it takes long.
    phases=[hypothesis.Phase.generate,
            *([hypothesis.Phase.shrink] if LONG else [])],
    suppress_health_check=list(hypothesis.HealthCheck))


class Balancer:
    """[BAL-1] to [BAL-4], by looking at all of them."""

    def __init__(self):
        self.open = [0] * len(WEIGHTS)
        self.last = [-1] * len(WEIGHTS)
        self.choices = 0

    def choose(self, tried):
        left = [n for n in range(len(WEIGHTS)) if n not in tried]
        if not left:
            return None
        best = min(left, key=lambda n: (self.open[n] / WEIGHTS[n],
                                        self.last[n], n))
        self.choices += 1
        self.last[best] = self.choices
        self.open[best] += 1
        return best


class Session:
    """One that was admitted and has an upstream."""

    def __init__(self, who, peer, far, upstream):
        self.who = who
        self.peer = peer
        self.far = far
        self.upstream = upstream
        self.name = peer.local
        self.up = self.down = 0
        self.client_ended = self.upstream_ended = False


class Model(stateful.RuleBasedStateMachine):
    def __init__(self, pki, poller, directory):
        super().__init__()
        self.pki = pki
        self.poller = poller
        self.directory = directory
        self.ups = [upstreams.Upstream() for _ in WEIGHTS]
        self.is_up = [True] * len(WEIGHTS)
        self.listen = [f"127.0.0.1:{free_port()}" for _ in "12"]
        self.contexts = {}
        self.begin()

    def begin(self):
        """A new server, which knows of nothing."""
        self.balancer = Balancer()
        self.sessions = []
        self.waiting = None
        self.open = collections.Counter()
        self.admitted = collections.Counter()
        self.rejects = collections.Counter()
        self.ended = {}
        self.tickets = {}
        self.draining = self.over = False
        self.server = self.start()
        self.files = self.server.open_files()

    def start(self):
        tables = [{"url": up.url, "weight": weight}
                  for up, weight in zip(self.ups, WEIGHTS)]
        apps = [srv.app("echo", tables, self.listen[:1],
                        limits={"concurrent": CAP}),
                srv.app("other", [tables[0]], self.listen[1:])]
        bob = {"concurrent": CAP, "connections": RATE["bob"], "window": "1h"}
        clients = [
            srv.client("alice", [SERIALS["alice"]], ["echo"]),
            srv.client("bob", [SERIALS["bob"]], ["echo"], echo=bob),
            srv.client("carol", [SERIALS["carol"]], ["other"]),
            srv.client("gone", [SERIALS["revoked"], SERIALS["expired"]],
                       ["echo"])]
        tree = srv.config(self.pki, apps, clients, self.poller,
                          server={"max_connections": MOST},
                          timeouts={"handshake": "1m", "drain": "1h"})
        path = srv.write_config(self.directory, tree)
        return srv.Lbproxyd(self.pki, path, tree).wait_ready()

    @property
    def address(self):
        return self.server.address("echo")

    def alive(self):
        return not self.over

    def open_to_all(self):
        return not self.over and not self.draining and self.waiting is None

    # Clients that come.

    def is_full(self):
        return len(self.sessions) >= MOST

    @stateful.precondition(open_to_all)
    @stateful.rule(who=st.sampled_from(["alice", "bob"]),
                   version=st.sampled_from(["1.2", "1.3"]),
                   resumes=st.booleans())
    def a_client_comes(self, who, version, resumes):
        ticket = self.tickets.get((who, version)) if resumes else None
        context = self.context(who, version)
        peer = begin(self.address, context, session=ticket)
        if self.is_full():
            # [SRV-20]: it waits until one of the others ends.
            with pytest.raises(TimeoutError):
                peer.handshake(timeout=0.03)
            self.waiting = peer, who, version, ticket
        else:
            self.let_in(peer, who, version, ticket)

    def context(self, who, version):
        """One for each, as TLS sessions are not for another one."""
        key = who, version
        if key not in self.contexts:
            self.contexts[key] = self.server.context(who, version)
        return self.contexts[key]

    def let_in(self, peer, who, version, ticket):
        assert peer.handshake(), peer.describe()
        assert peer.tls.session_reused == (ticket is not None)
        refusal = self.refusal(who)
        if refusal:
            self.expect_clean_end(peer)
            self.rejects[refusal] += 1
            self.server.wait_rejected(self.rejects[refusal], reason=refusal)
            return
        self.admitted[who] += 1
        upstream = self.dial()
        if upstream is None:
            name = peer.local
            self.expect_clean_end(peer)
            self.expect_line(name, client=who, reason="no_upstream",
                             bytes_up=0, bytes_down=0)
            return
        self.serve(peer, who, version, upstream)

    def refusal(self, who):
        """[LIM-1] to [LIM-4]: the cap comes before the rate."""
        if self.open[who] >= CAP:
            return "concurrent_limit"
        if RATE[who] and self.admitted[who] >= RATE[who]:
            return "rate_limit"
        return None

    def dial(self):
        """[SES-5]: the next best until one accepts."""
        tried = set()
        while True:
            chosen = self.balancer.choose(tried)
            if chosen is None or self.is_up[chosen]:
                return chosen
            self.balancer.open[chosen] -= 1
            tried.add(chosen)

    def serve(self, peer, who, version, upstream):
        far = self.ups[upstream].accept()
        session = Session(who, peer, far, upstream)
        self.sessions.append(session)
        self.open[who] += 1
        # The dial is done when its first byte is there.
        self.send_down(session, b"welcome")
        self.tickets[who, version] = peer.tls.session

    def expect_clean_end(self, peer):
        peer.expect_end("clean")
        peer.finish()
        peer.close()

    @stateful.precondition(open_to_all)
    @stateful.rule(who=st.sampled_from(list(STRANGERS)),
                   version=st.sampled_from(["1.2", "1.3"]), chance=RARELY)
    def a_stranger_comes(self, who, version, chance):
        if self.is_full() or not chance:
            return
        _, peer = attempt(self.address, self.context(who, version))
        assert peer.ending == "alert", peer.describe()
        reason = STRANGERS[who]
        self.rejects[reason] += 1
        self.server.wait_rejected(self.rejects[reason], reason=reason)

    @stateful.precondition(lambda self: self.alive() and self.draining)
    @stateful.rule()
    def nobody_comes_in_a_drain(self):
        with pytest.raises(ConnectionRefusedError):
            tcp_connect(self.address)

    # What goes on in sessions.

    def has_sessions(self):
        return not self.over and bool(self.sessions)

    def pick(self, data, wanted=lambda session: True):
        found = [session for session in self.sessions if wanted(session)]
        if not found:
            return None
        return data.draw(st.sampled_from(range(len(found))).map(
            lambda number: found[number]))

    def send_down(self, session, data):
        session.far.send(data)
        assert session.peer.recv_exactly(len(data)) == data
        session.down += len(data)

    @stateful.precondition(has_sessions)
    @stateful.rule(data=st.data(), size=st.sampled_from(
        [1, 100, 16384, 16385, 70_000]))
    def bytes_go_up(self, data, size):
        session = self.pick(data, lambda one: not one.client_ended)
        if session:
            piece = os.urandom(size)
            session.peer.send(piece)
            assert session.far.recv_exactly(size) == piece
            session.up += size

    @stateful.precondition(has_sessions)
    @stateful.rule(data=st.data(), size=st.sampled_from(
        [1, 100, 16384, 16385, 70_000]))
    def bytes_come_down(self, data, size):
        session = self.pick(data, lambda one: not one.upstream_ended)
        if session:
            self.send_down(session, os.urandom(size))

    @stateful.precondition(has_sessions)
    @stateful.rule(data=st.data())
    def a_client_ends(self, data):
        session = self.pick(data, lambda one: not one.client_ended)
        if session:
            session.peer.finish()
            session.far.expect_end("clean")
            session.client_ended = True
            self.end_if_done(session)

    @stateful.precondition(has_sessions)
    @stateful.rule(data=st.data())
    def an_upstream_ends(self, data):
        session = self.pick(data, lambda one: not one.upstream_ended)
        if session:
            session.far.finish()
            session.peer.expect_end("clean")
            session.upstream_ended = True
            self.end_if_done(session)

    def end_if_done(self, session):
        if session.client_ended and session.upstream_ended:
            self.close(session, "done")

    @stateful.precondition(has_sessions)
    @stateful.rule(data=st.data(), how=st.sampled_from(["reset", "truncate"]),
                   chance=RARELY)
    def a_client_breaks_off(self, data, how, chance):
        session = self.pick(data)
        if not chance or how == "truncate" and session.client_ended:
            return
        getattr(session.peer, how)()
        if not session.client_ended:
            session.far.expect_end("reset")
        self.close(session, {"reset": "client_reset",
                             "truncate": "client_truncated"}[how])

    @stateful.precondition(has_sessions)
    @stateful.rule(data=st.data(), chance=RARELY)
    def an_upstream_breaks_off(self, data, chance):
        session = self.pick(data, lambda one: not one.upstream_ended)
        if session and chance:
            session.far.reset()
            session.peer.expect_end("reset")
            self.close(session, "upstream_reset")

    def close(self, session, reason):
        """A session is over; who waited has its place."""
        session.peer.close()
        session.far.close()
        self.sessions.remove(session)
        self.open[session.who] -= 1
        self.balancer.open[session.upstream] -= 1
        self.expect_line(session.name, client=session.who, reason=reason,
                         upstream=self.ups[session.upstream].url,
                         bytes_up=session.up, bytes_down=session.down)
        if self.waiting and not self.draining:
            waiting, self.waiting = self.waiting, None
            self.let_in(*waiting)

    def expect_line(self, name, **fields):
        """[SES-17], [LOG-3]: one line, which has all of it."""
        line = self.server.wait_event("session", peer=name)
        assert {key: line.get(key) for key in fields} == fields
        self.ended[name] = line

    # Upstreams and signals.

    @stateful.precondition(alive)
    @stateful.rule(number=st.sampled_from(range(len(WEIGHTS))))
    def an_upstream_changes(self, number):
        if self.is_up[number]:
            self.ups[number].stop_listening()
        else:
            self.ups[number].start()
        self.is_up[number] = not self.is_up[number]

    @stateful.precondition(alive)
    @stateful.rule(number=st.sampled_from(HARMLESS))
    def a_signal_changes_nothing(self, number):
        self.server.signal(number)

    @stateful.precondition(alive)
    @stateful.rule()
    def it_is_stopped_for_a_moment(self):
        self.server.signal(signal.SIGSTOP)
        self.server.signal(signal.SIGCONT)

    @stateful.precondition(has_sessions)
    @stateful.rule(number=st.sampled_from([signal.SIGTERM, signal.SIGINT]),
                   chance=RARELY)
    def a_drain_begins(self, number, chance):
        if self.draining or not chance:
            return
        self.server.signal(number)
        self.draining = True
        self.server.wait_event("drain")
        wait_for(lambda: not listens(self.address[1]), "no listener is left")
        if self.waiting:
            # It was never accepted.
            self.waiting[0].recv()
            assert self.waiting[0].ending in ("reset", "truncated")
            self.waiting[0].close()
            self.waiting = None

    @stateful.precondition(lambda self: self.alive() and self.draining)
    @stateful.rule(chance=RARELY)
    def a_second_signal_comes(self, chance):
        if chance:
            self.stop()

    @stateful.precondition(lambda self: self.over)
    @stateful.rule()
    def a_new_one_takes_its_place(self):
        """At the same addresses, at once [SRV-148]."""
        self.check_balance()
        self.server.end()
        self.begin()

    # What always holds.

    @stateful.invariant()
    def descriptors_are_those_of_sessions(self):
        if not self.over and not self.draining:
            wait_for(lambda: self.server.open_files()
                     == self.files + 2 * len(self.sessions),
                     f"descriptors for {len(self.sessions)} sessions")

    @stateful.invariant()
    def it_runs_while_it_should(self):
        if self.draining and not self.sessions and not self.over:
            self.server.wait_exit(0)
            self.over = True
        elif not self.over:
            assert self.server.process.poll() is None

    def teardown(self):
        error = sys.exc_info()[1]
        has_failed = (isinstance(error, Exception) and
                      not isinstance(error, HypothesisException))
        try:
            if has_failed:
                self.show(error)
                return
            if not self.over:
                self.stop()
            self.check_balance()
        finally:
            if self.waiting:
                self.waiting[0].close()
            for session in self.sessions:
                session.peer.close()
            for up in self.ups:
                up.stop()
            self.server.end()

    def show(self, error):
        """hypothesis shows its last run alone, which may be another one."""
        traceback.print_exception(error)
        print(self.server.log_text()[-6000:])

    def stop(self):
        """[SRV-24]: at once if it is empty, else by a second signal."""
        if not self.draining:
            self.server.signal(signal.SIGTERM)
            self.server.wait_event("drain")
        if self.sessions:
            self.server.signal(signal.SIGTERM)
        self.server.wait_exit(1 if self.sessions else 0)
        for session in self.sessions:
            if not session.upstream_ended:
                session.peer.expect_end("reset")
            if not session.client_ended:
                session.far.expect_end("reset")
            session.peer.close()
            session.far.close()
            self.expect_line(session.name, reason="shutdown",
                             bytes_up=session.up, bytes_down=session.down)
        self.sessions = []
        self.over = True

    def check_balance(self):
        """Each connection has its line, and nobody else has one."""
        lines = self.server.events("session")
        assert sorted(line["peer"] for line in lines) == sorted(self.ended)
        found = collections.Counter()
        for line in self.server.events("reject"):
            found[line["reason"]] += line.get("suppressed", 1)
        assert found == self.rejects
        assert self.server.log[-1]["event"] == "stopped"
        self.server.check_log()


def listens(port):
    """As the kernel knows it: to try would be one more connection."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return any(row[1].endswith(f":{port:04X}") and row[3] == "0A"
               for row in rows)


@pytest.mark.long(25)
@pytest.mark.workers
@pytest.mark.spec("SES-1", "SES-4", "SES-5", "SES-6", "SES-7", "SES-8",
                  "SES-13", "LIM-1", "LIM-2", "LIM-4", "LIM-6",
                  "BAL-1", "BAL-2", "BAL-4", "BAL-6", "SRV-12", "SRV-17",
                  "SRV-20", "SRV-24", "SRV-84", "SRV-148", "FLW-1", "FLW-5",
                  "FLW-8", "LOG-3")
def test_the_server_is_as_its_model(pki, poller, tmp_path):
    hypothesis.configuration.set_hypothesis_home_dir(tmp_path)
    stateful.run_state_machine_as_test(
        lambda: Model(pki, poller, tmp_path),
        settings=hypothesis.settings.get_profile("model"))
