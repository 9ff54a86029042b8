"""What /status says, which its schema describes."""

import json
import pathlib
import time

import jsonschema
import pytest

from harness import admin, upstreams
from harness.certs import ROOT, SERIALS
from harness.client import attempt, tcp_connect
from harness.wait import wait_for

SCHEMA = json.loads((pathlib.Path(ROOT)
                     / "cmd/lbproxyd/status.schema.json").read_text("utf-8"))
CHECKS = {"enabled": True, "interval": "20ms", "timeout": "1s", "rise": 1,
          "fall": 1}


def status(server, path="/status"):
    answer = admin.ask(server, path)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    tree = json.loads(answer.text)
    jsonschema.Draft202012Validator(SCHEMA).validate(tree)
    return tree


def echoed(peer, data):
    peer.send(data)
    return peer.recv_exactly(len(data))


@pytest.fixture
def up(upstream):
    return upstream(upstreams.echo)


@pytest.mark.spec("ADM-20")
def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate({"version": "1"})


@pytest.mark.spec("ADM-20")
def test_the_server(lb, up, poller):
    server = lb.proxy(up, server=admin.section())
    with server.connect() as peer:
        assert echoed(peer, b"x" * 10) == b"x" * 10
        tree = status(server)
        assert (tree["ready"], tree["draining"]) == (True, False)
        assert tree["event_loop"] == poller
        assert (tree["workers"], tree["generation"]) == (2, 1)
        assert (tree["connections"], tree["sessions"]) == (1, 1)
        assert tree["max_sessions"] == 400
        assert abs(tree["now"] - time.time()) < 10
    reason = server.wait_event("session")["reason"]
    tree = status(server)
    assert tree["counts"] == {
        "accepted": 1, "admitted": 1, "bytes_up": 10, "bytes_down": 10,
        "handshakes_full": 1, "handshakes_resumed": 0,
        "ended": {reason: 1}, "rejected": {}}
    assert abs(tree["process"]["descriptors"] - server.open_files()) <= 2


@pytest.mark.spec("ADM-21", "ADM-26")
def test_upstreams_and_why_they_are_down(lb, upstream):
    one, two = upstream(upstreams.echo), upstream(upstreams.echo)
    server = lb.proxy({"url": one.url, "weight": 7, "max_connections": 5},
                      {"url": two.url, "backup": True}, health=CHECKS,
                      server=admin.section())
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
        [table] = status(server)["apps"]
        assert (table["id"], table["ready"], table["sessions"]) == (
            "echo", True, 1)
        first, second = table["upstreams"]
        assert first == {
            "url": one.url, "state": "up", "draining": False,
            "choice": "next", "open": 1, "weight": 7, "max_connections": 5,
            "backup": False, "dial_failures": 0, "check_failures": 0}
        assert (second["backup"], second["state"], second["choice"]) == (
            True, "up", "backup")
    two.stop()
    line = server.wait_event("upstream_down")

    def is_told():
        told = status(server)["apps"][0]["upstreams"][1]
        return told["state"] == "down" and told
    told = wait_for(is_told, "an upstream that is down")
    assert told["cause"] == line["cause"]
    assert abs(told["changed"] - time.time()) < 10
    assert told["check_failures"] >= 1
    for _ in range(2):
        server.reload(server.tree)
        again = status(server)["apps"][0]["upstreams"][1]
        assert again["changed"] == told["changed"]
        assert again["cause"] == told["cause"]
    # One of another url begins anew.
    tree = {**server.tree, "app": [{**server.tree["app"][0], "upstream": [
        {"url": one.url}, {"url": "tcp://127.0.0.1:1"}]}]}
    tree["app"][0]["health"] = {"enabled": False}
    server.reload(tree)
    assert "cause" not in status(server)["apps"][0]["upstreams"][1]


@pytest.mark.spec("ADM-21")
def test_an_upstream_that_was_removed_and_one_without_an_address(lb, up):
    server = lb.proxy(up, "tcp://nothing.invalid:1", server=admin.section())
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
        states = [one["state"] for one in
                  status(server)["apps"][0]["upstreams"]]
        assert states == ["up", "no_address"]
        tree = {**server.tree, "app": [{**server.tree["app"][0], "upstream": [
            {"url": "tcp://127.0.0.1:1"}]}]}
        server.reload(tree)
        found = {one["url"]: one for one in
                 status(server)["apps"][0]["upstreams"]}
        assert found[up.url]["state"] == "removed"
        assert found[up.url]["open"] == 1
        assert len(found) == 2


@pytest.mark.spec("ADM-22")
def test_when_the_next_place_is_free(lb, up):
    server = lb.proxy(up, server=admin.section(), limits={
        "concurrent": 2, "connections": 3, "window": "1h"})

    def alice():
        tree = status(server)
        assert tree["clients_left_out"] == 0
        [one] = [one for one in tree["clients"] if one["client"] == "alice"]
        assert (one["app"], one["concurrent"], one["connections"],
                one["window_ms"]) == ("echo", 2, 3, 3_600_000)
        return one
    assert status(server)["clients"] == []
    with server.connect() as one:
        assert echoed(one, b"x") == b"x"
        told = alice()
        assert (told["open"], told["admitted"], told["next_place_ms"]) == (
            1, 1, 0)
        assert "refused_by" not in told
        with server.connect() as two:
            assert echoed(two, b"x") == b"x"
            told = alice()
            assert told["refused_by"] == "concurrent"
            assert "next_place_ms" not in told
        server.wait_event("session")
        with server.connect() as three:
            assert echoed(three, b"x") == b"x"
    server.wait_event("session", 3)
    told = alice()
    assert (told["open"], told["admitted"], told["refused_by"]) == (
        0, 3, "rate")
    assert 3_500_000 < told["next_place_ms"] <= 3_600_000
    assert status(server, "/status?clients=0")["clients"] == []


@pytest.mark.spec("ADM-22")
def test_a_place_that_is_told_is_given(lb, up):
    server = lb.proxy(up, server=admin.section(), limits={
        "connections": 1, "window": "1s"})
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
    server.wait_event("session")
    [told] = status(server)["clients"]
    due = time.monotonic() + told.get("next_place_ms", 0) / 1000
    wait_for(lambda: time.monotonic() >= due, "the time that was told")
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"


@pytest.mark.spec("ADM-23")
def test_rejects_with_their_explanation(lb, up):
    server = lb.proxy(up, server=admin.section(), limits={
        "connections": 1, "window": "1h"})
    attempt(server.address(), server.context("revoked", "1.2"))
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
    with server.connect() as peer:
        assert peer.recv() == b""

    def both():
        rejects = status(server)["rejects"]
        return len(rejects) == 2 and rejects
    last, first = wait_for(both, "two rejects")
    assert last["reason"] == "rate_limit"
    assert (last["app"], last["client"], last["serial"]) == (
        "echo", "alice", SERIALS["alice"])
    assert last["explanation"] == (
        "the client was admitted as often as it may be in the window")
    assert first["reason"] == "revoked" and "client" not in first
    assert first["peer"].startswith("127.0.0.1:")
    assert first["at"] <= last["at"] <= time.time() + 1


@pytest.mark.spec("ADM-24")
def test_a_flood_of_strangers_hides_no_client(lb, up):
    server = lb.proxy(up, server=admin.section(), limits={
        "connections": 1, "window": "1h"})
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
    for _ in range(2):
        with server.connect() as peer:
            assert peer.recv() == b""
    server.wait_event("reject", 2, reason="rate_limit")
    for _ in range(60):
        tcp_connect(server.address()).close()
    server.wait_rejected(60, reason="handshake_failed")
    rejects = status(server)["rejects"]
    assert [one["reason"] for one in rejects] == (
        ["handshake_failed"] * 16 + ["rate_limit"] * 2)


@pytest.mark.spec("ADM-25")
def test_days_left(lb, up, pki):
    server = lb.proxy(up, server=admin.section())
    found = {(one["kind"], one["key"], one["file"]): one
             for one in status(server)["expiring"]}
    for key in (("certificate", "tls.certificate", str(pki.of("server")[0])),
                ("ca", "tls.client_ca", str(pki.ca)),
                ("crl", "tls.crl", str(pki.crl))):
        one = found[key]
        assert one["days_left"] == (one["until"] - time.time()) // 86400
        assert not one["expired"]


@pytest.mark.spec("ADM-20")
def test_hostile_texts(lb, up, tmp_path):
    """What the configuration may say is one string each."""
    path = tmp_path / "\"\\<script>é.sock"
    server = lb.proxy(up, f"unix:{path}", server=admin.section())
    urls = [one["url"] for one in status(server)["apps"][0]["upstreams"]]
    assert urls == [up.url, f"unix:{path}"]
