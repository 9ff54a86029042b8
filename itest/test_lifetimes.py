"""How long a session may last, and an app's own timeouts."""

import time

import pytest

from harness import server as srv
from harness.peer import Ended
from harness.wait import SLOW

LIFETIME = 2.0 * SLOW


def ms(value):
    return f"{int(value * 1000)}ms"


def lasts(peer, far, server, client):
    """Bytes go both ways until both sides are reset; says after how long."""
    peer.send(b"x")
    far.recv_exactly(1)
    far.send(b"y")
    peer.recv_exactly(1)
    peer.expect_end("reset")
    far.expect_end("reset")
    line = server.wait_event("session", client=client)
    assert line["reason"] == "lifetime"
    assert (line["bytes_up"], line["bytes_down"]) == (1, 1)
    return line["duration_ms"] / 1000


@pytest.mark.spec("SES-60", "SES-61", "CFG-60", "SRV-170")
@pytest.mark.parametrize("tls", ["1.2", "1.3"])
def test_a_lifetime_ends_a_session_with_resets(lb, upstream, tls):
    up = upstream()
    server = lb.proxy(up, timeouts={"lifetime": ms(LIFETIME)})
    begun = time.monotonic()
    with server.connect("alice", version=tls) as peer:
        took = lasts(peer, up.accept(), server, "alice")
    assert took >= 0.9 * LIFETIME
    assert 0.9 * LIFETIME <= time.monotonic() - begun < 1.5 * LIFETIME


@pytest.mark.spec("SES-60")
def test_movement_does_not_prolong_a_lifetime(lb, upstream):
    up = upstream()
    server = lb.proxy(up, timeouts={"lifetime": ms(LIFETIME)})
    begun = time.monotonic()
    with server.connect() as peer:
        far = up.accept()
        with pytest.raises(Ended):
            while time.monotonic() - begun < 5 * LIFETIME:
                peer.send(b"x")
                far.recv_exactly(1)
                time.sleep(LIFETIME / 100)
        assert time.monotonic() - begun < 1.5 * LIFETIME
        assert far.ending == "reset"
        peer.expect_end("reset")
    assert server.wait_event("session")["reason"] == "lifetime"


@pytest.mark.spec("SES-61", "SRV-170")
def test_sessions_that_begin_together_do_not_end_together(lb, upstream):
    """Ten shares that all lie within a tenth of their range: 1 in 10^8."""
    up = upstream()
    server = lb.proxy(up, timeouts={"lifetime": ms(LIFETIME)})
    peers = [server.connect() for _ in range(10)]
    for peer in peers:
        up.accept()
    for peer in peers:
        peer.expect_end("reset", timeout=2 * LIFETIME)
        peer.close()
    server.wait_event("session", count=10, reason="lifetime")
    took = [line["duration_ms"] / 1000 for line in server.events("session")]
    assert min(took) >= 0.9 * LIFETIME
    assert max(took) - min(took) > 0.01 * LIFETIME


@pytest.mark.spec("SRV-170", "CFG-61")
def test_an_app_has_timeouts_of_its_own(lb, upstream):
    """Each app overrides one of the two that [timeouts] has."""
    up = upstream()
    apps = [srv.app("brief", [up], timeouts={"idle": "off"}),
            srv.app("idle", [up], timeouts={"idle": ms(0.3 * SLOW),
                                            "lifetime": "off"}),
            srv.app("long", [up], timeouts={"idle": "off",
                                            "lifetime": "off"})]
    server = lb.start(apps, timeouts={"idle": "10m",
                                      "lifetime": ms(LIFETIME)})
    with server.connect(name="brief") as brief, \
            server.connect(name="idle") as idle, \
            server.connect(name="long") as long:
        idle.expect_end("reset")
        brief.expect_end("reset")
        long.send(b"x")
        assert not server.events("session", app="long")
    assert server.wait_event("session", app="brief")["reason"] == "lifetime"
    assert (server.wait_event("session", app="idle")["reason"]
            == "idle_timeout")
