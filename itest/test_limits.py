"""The cap and the window of each client, over serials and workers."""

import copy
import threading
import time

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import SERIALS
from harness.client import connect
from harness.wait import SLOW


def talk(peer, word=b"hello"):
    peer.send(word)
    assert peer.recv_exactly(len(word)) == word


def end(peer):
    peer.finish()
    peer.expect_end("clean")
    peer.close()


def refused(server, who="alice", version=None, name=None, data=b""):
    """A client that must see close_notify and no data."""
    with server.connect(who, name=name, version=version) as peer:
        if data:
            peer.send(data)
        peer.expect_end("clean")
        return peer.wait_tcp_end()


@pytest.mark.spec("LIM-1", "SES-4", "SRV-13", "LOG-4")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_cap_holds_and_frees_at_close(lb, upstream, version):
    up = upstream(upstreams.echo)
    server = lb.proxy(up, limits={"concurrent": 2})
    first = server.connect(version=version)
    second = server.connect(version=version)
    talk(first)
    talk(second)
    assert refused(server, version=version) == "fin"
    line = server.wait_event("reject")
    assert line["reason"] == "concurrent_limit"
    assert (line["client"], line["serial"]) == ("alice", SERIALS["alice"])
    with server.connect("bob", version=version) as bob:
        talk(bob)
    end(first)
    server.wait_event("session", client="alice")
    third = server.connect(version=version)
    talk(third)
    assert up.accepted == 4, "a refused client reached the upstream"
    third.close()
    second.close()


@pytest.mark.spec("SRV-13", "SES-4")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("size", [10, 100_000])
def test_data_sent_early_does_not_destroy_the_refusal(lb, upstream, version,
                                                      size):
    up = upstream(upstreams.echo)
    server = lb.proxy(up, limits={"concurrent": 1})
    with server.connect(version=version) as first:
        talk(first)
        for _ in range(10):
            refused(server, version=version, data=b"x" * size)
        talk(first)
    server.wait_event("reject", count=10, reason="concurrent_limit")
    assert up.accepted == 1


@pytest.mark.spec("LIM-2", "LIM-3", "LIM-4", "LIM-6", "SES-4")
def test_the_window_is_exact_and_refusals_do_not_count(lb, upstream):
    up = upstream(upstreams.echo)
    window = 1.0 * SLOW
    server = lb.proxy(up, limits={
        "connections": 3, "window": f"{int(window * 1000)}ms"})
    context = server.context("alice", "1.3")
    before = time.monotonic()
    for _ in range(3):
        with connect(server.address(), context) as peer:
            talk(peer)
    assert time.monotonic() - before < window, "this machine is too slow"
    refusals = 0
    while True:
        asked = time.monotonic()
        with connect(server.address(), context) as peer:
            peer.send(b"x")
            if peer.recv():
                break
            assert peer.ending == "clean"
            refusals += 1
        assert asked - before < window + 1.0, "refusals count"
    assert refusals > 0
    assert time.monotonic() - before >= window, "admitted too early"
    server.wait_event("reject", count=refusals, reason="rate_limit")
    assert up.accepted == 4


@pytest.mark.spec("LIM-4")
def test_the_cap_is_judged_before_the_rate(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), limits={
        "concurrent": 1, "connections": 1, "window": "1h"})
    with server.connect() as peer:
        talk(peer)
        refused(server)
        server.wait_event("reject", reason="concurrent_limit")
        end(peer)
    server.wait_event("session")
    refused(server)
    server.wait_event("reject", reason="rate_limit")


@pytest.mark.spec("APP-3", "LIM-1")
def test_two_serials_share_one_budget(lb, upstream):
    clients = [
        srv.client("alice", [SERIALS["alice"], SERIALS["alice-renewed"]],
                   ["echo"]),
        srv.client("bob", [SERIALS["bob"]], ["echo"])]
    server = lb.proxy(upstream(upstreams.echo), clients=clients,
                      limits={"concurrent": 1})
    with server.connect("alice") as peer:
        talk(peer)
        refused(server, "alice-renewed")
        line = server.wait_event("reject")
        assert line["client"] == "alice"
        assert line["serial"] == SERIALS["alice-renewed"]
        with server.connect("bob") as bob:
            talk(bob)
        end(peer)
    server.wait_event("session", client="alice")
    with server.connect("alice-renewed") as peer:
        talk(peer)


@pytest.mark.spec("APP-2", "LIM-1")
def test_a_client_overrides_the_apps_limits(lb, upstream):
    clients = [
        srv.client("alice", [SERIALS["alice"]], ["echo"],
                   echo={"concurrent": 3}),
        srv.client("bob", [SERIALS["bob"]], ["echo"])]
    server = lb.proxy(upstream(upstreams.echo), clients=clients,
                      limits={"concurrent": 1})
    peers = [server.connect("alice") for _ in range(3)]
    for peer in peers:
        talk(peer)
    refused(server, "alice")
    with server.connect("bob") as bob:
        talk(bob)
        refused(server, "bob")
    for peer in peers:
        peer.close()


@pytest.mark.spec("APP-2")
def test_each_app_has_its_own_budget(lb, upstream):
    up = upstream(upstreams.echo)
    server = lb.start([srv.app("a", [up], limits={"concurrent": 1}),
                       srv.app("b", [up], limits={"concurrent": 1})])
    with server.connect(name="a") as one, server.connect(name="b") as two:
        talk(one)
        talk(two)
        refused(server, name="a")
        refused(server, name="b")


@pytest.mark.workers
@pytest.mark.spec("SRV-23", "LIM-1", "LIM-2")
def test_the_budget_holds_over_all_workers(lb, upstream):
    up = upstream(upstreams.echo)
    server = lb.proxy(up, limits={"concurrent": 5, "connections": 8,
                                  "window": "1h"}, server={"workers": 4})
    context = server.context("alice", "1.3")
    admitted, refusals, errors = [], [], []

    def one():
        try:
            peer = connect(server.address(), context)
            peer.send(b"x")
            (admitted if peer.recv() else refusals).append(peer)
        except Exception as error:  # told to the test's own thread
            errors.append(error)

    def many(count):
        threads = [threading.Thread(target=one) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30 * SLOW)
        assert not errors, errors[:3]

    many(24)
    assert (len(admitted), len(refusals)) == (5, 19)
    assert {peer.ending for peer in refusals} == {"clean"}
    server.wait_event("reject", count=19, reason="concurrent_limit")
    for peer in admitted + refusals:
        peer.close()
    server.wait_event("session", count=5)
    admitted.clear()
    refusals.clear()
    many(10)
    assert (len(admitted), len(refusals)) == (3, 7)
    for peer in admitted + refusals:
        peer.close()
    server.wait_event("reject", count=7, reason="rate_limit")
    assert up.accepted == 8


@pytest.mark.spec("SES-6", "LIM-6")
@pytest.mark.parametrize("how", ["reset", "truncate", "upstream"])
def test_every_kind_of_end_gives_the_place_back(lb, upstream, how):
    up = upstream()
    server = lb.proxy(up, limits={"concurrent": 1})
    for number in range(1, 4):
        with server.connect() as peer:
            far = up.accept()
            # A reset before the dial is seen to succeed would fail it.
            far.send(b"x")
            peer.recv_exactly(1)
            if how == "upstream":
                far.reset()
                peer.expect_end("reset")
            else:
                getattr(peer, how)()
                far.expect_end("reset")
            server.wait_event("session", count=number)


@pytest.mark.spec("LIM-6", "SES-5", "SES-6")
def test_an_admitted_attempt_counts_without_an_upstream(lb, upstream):
    up = upstream(upstreams.echo)
    up.stop()
    server = lb.proxy(up, limits={"concurrent": 1, "connections": 2,
                                  "window": "1h"})
    for number in (1, 2):
        refused(server)
        server.wait_event("session", count=number, reason="no_upstream")
    refused(server)
    server.wait_event("reject", reason="rate_limit")


@pytest.mark.spec("APP-9")
def test_a_rate_lowered_and_raised_again_forgets_nothing(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo),
                      limits={"connections": 3, "window": "1h"})
    for number in range(1, 3):
        with server.connect() as peer:
            peer.finish()
            peer.expect_end("clean")
        server.wait_event("session", count=number)
    for rate in (1, 5, 4, 3):
        tree = copy.deepcopy(server.tree)
        tree["app"][0]["limits"]["connections"] = rate
        server.reload(tree)
    with server.connect() as peer:
        peer.send(b"the third")
        assert peer.recv_exactly(9) == b"the third"
    with server.connect() as peer:
        peer.expect_end("clean")
    server.wait_rejected(1, reason="rate_limit")
