"""Which upstream a session goes to, while they come and go."""

import collections

import pytest

from harness import upstreams
from harness.wait import SLOW, wait_for

NAMES = "abc"
ONCE_DOWN = {"interval": "100ms", "timeout": "500ms", "rise": 2, "fall": 2}


@pytest.fixture
def three(upstream):
    return [upstream(upstreams.name_server(name)) for name in NAMES]


def who(peer):
    return peer.recv_exactly(1).decode()


class Crowd:
    """Open sessions by the upstream they went to."""

    def __init__(self, server):
        self.server = server
        self.peers = collections.defaultdict(list)
        self.closed = 0

    def add(self, count):
        for _ in range(count):
            peer = self.server.connect()
            self.peers[who(peer)].append(peer)

    def close(self, name, count):
        for _ in range(count):
            peer = self.peers[name].pop()
            peer.finish()
            peer.expect_end("clean")
            peer.close()
        self.closed += count
        self.server.wait_event("session", count=self.closed)

    def counts(self):
        return tuple(len(self.peers[name]) for name in NAMES)

    def end(self):
        for peers in self.peers.values():
            for peer in peers:
                peer.close()


@pytest.fixture
def crowd_of():
    made = []

    def make(server):
        made.append(Crowd(server))
        return made[-1]

    yield make
    for crowd in made:
        crowd.end()


@pytest.mark.workers
@pytest.mark.spec("BAL-1", "BAL-2", "BAL-3", "BAL-6", "SRV-23")
def test_fair_counts_and_refill(lb, three, crowd_of):
    crowd = crowd_of(lb.proxy(*three))
    crowd.add(12)
    assert crowd.counts() == (4, 4, 4)
    crowd.close("b", 3)
    crowd.close("c", 1)
    assert crowd.counts() == (4, 1, 3)
    crowd.add(4)
    assert crowd.counts() == (4, 4, 4)


@pytest.mark.spec("BAL-1", "BAL-3")
def test_fair_counts_by_weight(lb, three, crowd_of):
    tables = [{"url": up.url, "weight": weight}
              for up, weight in zip(three, (1, 2, 4))]
    crowd = crowd_of(lb.proxy(*tables))
    crowd.add(14)
    assert crowd.counts() == (2, 4, 8)
    crowd.close("c", 8)
    crowd.add(7)
    assert crowd.counts() == (2, 4, 7)


@pytest.mark.spec("BAL-2")
def test_ties_go_to_the_one_chosen_longest_ago(lb, three):
    server = lb.proxy(*three)
    seen = ""
    for number in range(1, 8):
        with server.connect() as peer:
            seen += who(peer)
            peer.finish()
            peer.expect_end("clean")
        server.wait_event("session", count=number)
    assert seen == "abcabca"


@pytest.mark.spec("SES-5", "APP-4", "BAL-4")
def test_a_failed_dial_goes_to_the_next(lb, three):
    three[0].stop()
    server = lb.proxy(*three)
    seen = ""
    for number in range(1, 7):
        with server.connect() as peer:
            seen += who(peer)
            peer.finish()
            peer.expect_end("clean")
        server.wait_event("session", count=number)
    assert sorted(seen) == list("bbbccc"), seen
    line = server.wait_event("session", reason="done")
    assert line["upstream"] in (three[1].url, three[1].address), line


@pytest.mark.spec("SES-5", "BAL-4", "APP-4", "LOG-3")
def test_all_down_is_close_notify_and_no_data(lb, three):
    for up in three:
        up.stop()
    server = lb.proxy(*three)
    for version in ("1.2", "1.3"):
        with server.connect(version=version) as peer:
            peer.send(b"anybody there?")
            peer.expect_end("clean")
            peer.finish()
    lines = [server.wait_event("session", count=n) for n in (1, 2)]
    assert {line["reason"] for line in lines} == {"no_upstream"}
    assert "upstream" not in lines[0], lines[0]
    three[1].start()
    with server.connect() as peer:
        assert who(peer) == "b"


@pytest.mark.workers
@pytest.mark.spec("HLT-2", "HLT-4", "SRV-27", "SRV-28", "APP-5", "APP-7",
                  "LOG-2")
def test_checks_take_an_upstream_out_and_back(lb, three, crowd_of):
    server = lb.proxy(*three, health=ONCE_DOWN)
    three[1].stop()
    down = server.wait_event("upstream_down")
    assert down["level"] == "warn"
    assert down["app"] == "echo"
    assert down["upstream"] in (three[1].url, three[1].address)
    crowd = crowd_of(server)
    crowd.add(4)
    assert crowd.counts() == (2, 0, 2)
    three[1].start()
    up = server.wait_event("upstream_up")
    assert up["upstream"] == down["upstream"]
    crowd.add(2)
    assert crowd.counts() == (2, 2, 2)
    assert len(server.events("upstream_down")) == 1
    assert len(server.events("upstream_up")) == 1


@pytest.mark.spec("HLT-2", "SES-5", "APP-5", "SRV-28", "BAL-4")
def test_all_out_and_one_back(lb, three):
    server = lb.proxy(*three, health=ONCE_DOWN)
    for up in three:
        up.stop()
    server.wait_event("upstream_down", count=3)
    with server.connect() as peer:
        peer.expect_end("clean")
        peer.finish()
    assert server.wait_event("session")["reason"] == "no_upstream"
    three[2].start()
    server.wait_event("upstream_up")
    with server.connect() as peer:
        assert who(peer) == "c"


@pytest.mark.spec("HLT-2", "APP-4")
def test_dials_count_for_health_as_checks_do(lb, three):
    three[0].stop()
    server = lb.proxy(*three, health={
        "interval": "1h", "timeout": "1s", "rise": 2, "fall": 3})
    # The check at the start is one failure, the dials make the others.
    for _ in range(9):
        with server.connect() as peer:
            assert who(peer) in "bc"
    assert server.wait_event("upstream_down")["upstream"].endswith(
        three[0].address)


@pytest.mark.spec("HLT-9", "HLT-1")
def test_without_checks_an_upstream_stays_in(lb, upstream):
    up = upstream(upstreams.name_server("a"))
    up.stop()
    server = lb.proxy(up)
    for _ in range(5):
        with server.connect() as peer:
            peer.expect_end("clean")
    up.start()
    with server.connect() as peer:
        assert who(peer) == "a"
    assert not server.events("upstream_down")


@pytest.mark.spec("SRV-27", "HLT-6")
def test_a_check_sends_nothing_and_closes(lb, upstream):
    up = upstream()
    server = lb.proxy(up, health=ONCE_DOWN)
    for _ in range(3):
        far = up.accept()
        assert far.read_to_end() == b""
        far.close()
    assert not server.events("upstream_down")
    assert not server.events("session")


@pytest.mark.spec("SRV-27", "SRV-14")
def test_a_check_of_a_tls_upstream_makes_its_handshake(lb, pki, upstream):
    good = upstream(upstreams.echo, context=upstreams.server_context(
        pki.of_upstream("loopback")))
    wrong = upstream(upstreams.echo, context=upstreams.server_context(
        pki.of_upstream("db")))
    server = lb.proxy({"url": good.url, "ca": pki.upstream_ca},
                      {"url": wrong.url, "ca": pki.upstream_ca},
                      health=ONCE_DOWN)
    line = server.wait_event("upstream_down")
    assert wrong.address in line["upstream"]
    wait_for(lambda: len(good.peers) >= 3, "three checks of the good one")
    assert len(server.events("upstream_down")) == 1


@pytest.mark.spec("SRV-27")
def test_a_check_fails_at_its_timeout(lb, upstream):
    with upstreams.FullBacklog() as full:
        server = lb.proxy(
            upstream(upstreams.name_server("a")), full.url,
            health={"interval": "100ms", "timeout": "100ms", "rise": 1,
                    "fall": 2})
        line = server.wait_event("upstream_down")
        assert str(full.port) in line["upstream"]


@pytest.mark.workers
@pytest.mark.spec("HLT-3", "HLT-5", "SRV-28")
def test_health_is_logged_once_for_each_change(lb, upstream):
    up = upstream(upstreams.name_server("a"))
    server = lb.proxy(up, health={**ONCE_DOWN, "interval": "50ms"})
    for number in (1, 2):
        up.stop()
        server.wait_event("upstream_down", count=number)
        up.start()
        server.wait_event("upstream_up", count=number)
    accepted = up.accepted
    up.wait_accepted(accepted + 5, 5 * SLOW)
    events = [line["event"] for line in server.log
              if line["event"].startswith("upstream_")]
    assert events == ["upstream_down", "upstream_up"] * 2


@pytest.mark.long(10)
@pytest.mark.spec("HLT-7", "HLT-8")
def test_checks_are_spread_over_the_interval(lb, upstream):
    ups = [upstream() for _ in range(3)]
    interval = 0.9 * SLOW
    lb.proxy(*ups, health={"interval": f"{int(interval * 1000)}ms",
                           "timeout": "800ms", "rise": 1, "fall": 1})
    for up in ups:
        up.wait_accepted(3, 5 * interval)
    base = ups[0].times[0]
    for number, up in enumerate(ups):
        for turn in range(3):
            due = base + interval * (number / 3 + turn)
            late = up.times[turn] - due
            assert abs(late) < interval / 6, (number, turn, late)
