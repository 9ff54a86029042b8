"""The helpers themselves: each kind of end must be told from the others."""

import ast
import pathlib
import re
import ssl
import threading
import tomllib

import pytest

from harness import client, log_lines, server, upstreams
from harness.certs import ROOT, SERIALS, certs_gen
from harness.peer import Ended, Peer
from harness.wait import wait_for

# Suites of other programs, which have their own ways to cite, and of tools.
ELSEWHERE = {"test_bench.py", "test_harness.py", "test_toml.py",
             "test_certs_gen.py", "test_config_mistakes.py"}
KINDS = ["tcp", "tls1.2", "tls1.3"]


@pytest.fixture(params=KINDS)
def pair(request, pki, upstream):
    """Two connected peers without a proxy between them."""
    if request.param == "tcp":
        up = upstream()
        near = Peer(client.tcp_connect(("127.0.0.1", up.port)))
    else:
        up = upstream(context=upstreams.server_context(pki.of("server"),
                                                       pki.ca))
        context = client.client_context(pki.ca, pki.of("alice"),
                                        request.param[3:])
        near = client.connect(("127.0.0.1", up.port), context)
    far = up.accept()
    yield near, far
    near.close()
    far.close()


def test_bytes_and_clean_ends(pair):
    near, far = pair
    near.send(b"question")
    near.finish()
    assert far.read_to_end() == b"question"
    assert far.ending == "clean"
    far.send(b"answer")
    assert near.recv_exactly(6) == b"answer"
    assert near.silent()
    far.finish()
    near.expect_end("clean")


def line(event, level="info", **fields):
    return {"ts": "", "level": level, "event": event, **fields}


HEALTH = {"app": "a", "upstream": "u", "cause": "c"}


@pytest.mark.parametrize("bad", [
    line("stopped", cut=0, more=1), line("drain"),
    line("stopped", "warn", cut=0), line("stopped"),
    line("upstream_down", **HEALTH), line("upstream_up", app="a"),
    line("error", "info", message="m"), line("error", "error", caused="c"),
    line("reject", app="a", peer="p", reason="r", detail="d"),
    line("reject", peer="p", reason="r", suppressed=1, app="a")])
def test_lines_of_the_log_that_are_not_as_they_should_be(bad):
    with pytest.raises(AssertionError):
        log_lines.check(bad, False)


def test_lines_of_the_log_that_are():
    for good in (line("stopped", cut=0), line("error", "warn", message="m"),
                 line("upstream_down", "warn", **HEALTH),
                 line("stopped", fields_omitted=1)):
        log_lines.check(good, False)
    reject = line("reject", app="a", peer="p", reason="r", worker=0)
    log_lines.check(reject, True)
    del reject["worker"]
    with pytest.raises(AssertionError):
        log_lines.check(reject, True)


@pytest.mark.parametrize("pair", KINDS[1:], indirect=True)
def test_end_without_fin_is_clean_only_for_tls(pair):
    near, far = pair
    near.finish(fin=False)
    far.expect_end("clean")
    far.send(b"late")
    assert near.recv_exactly(4) == b"late"
    far.finish()
    near.expect_end("clean")
    assert near.wait_tcp_end() == "fin"


def test_truncated_and_reset(pair):
    near, far = pair
    far.send(b"x")
    near.recv_exactly(1)
    near.shutdown_tcp()
    far.expect_end("truncated" if hasattr(near, "tls") else "clean")
    far.reset()
    near.expect_end("reset")
    with pytest.raises(Ended):
        near.recv_exactly(1)


def test_reset_is_seen_after_a_failed_send(pair):
    near, far = pair
    far.reset()
    near.send(b"x" * 100)
    near.send(b"y" * 100)
    near.expect_end("reset")


def test_exchange_checks_both_ways(pair, upstream):
    near, far = pair
    data = bytes(range(256)) * 2048
    got = bytearray()

    def consume(part):
        got.extend(part)
        return len(got) == len(data)

    thread = threading.Thread(target=upstreams.echo, args=(far,))
    thread.start()
    near.exchange(data, consume)
    near.finish()
    thread.join(5)
    assert got == data
    near.expect_end("clean")


def test_send_until_blocked_stops(pair):
    near, _ = pair
    taken = near.send_until_blocked(bytes(65536), 1 << 30, quiet=0.2)
    assert 0 < taken < 1 << 30


@pytest.mark.parametrize("who,version,phase", [
    (None, "1.2", "handshake"), (None, "1.3", "read"),
    ("stranger", "1.2", "handshake"), ("stranger", "1.3", "read"),
])
def test_an_attempt_shows_where_the_alert_came(pki, upstream, who, version,
                                               phase):
    up = upstream(context=upstreams.server_context(pki.of("server"), pki.ca))
    cert = pki.of(who) if who else None
    context = client.client_context(pki.ca, cert, version)
    seen, peer = client.attempt(("127.0.0.1", up.port), context)
    assert (seen, peer.ending) == (phase, "alert"), peer.describe()
    wait_for(lambda: up.failed_handshakes, "the failed handshake")


def test_a_full_backlog_does_not_connect():
    with upstreams.FullBacklog() as full:
        with pytest.raises(TimeoutError):
            client.tcp_connect(("127.0.0.1", full.port), timeout=0.2)


def test_an_upstream_stops_and_comes_back(upstream):
    up = upstream(upstreams.echo)
    up.stop()
    with pytest.raises(ConnectionRefusedError):
        client.tcp_connect(("127.0.0.1", up.port))
    up.start()
    with Peer(client.tcp_connect(("127.0.0.1", up.port))) as peer:
        peer.send(b"again")
        assert peer.recv_exactly(5) == b"again"
    assert up.accepted == 1


def test_serials_are_as_the_configuration_says(pki):
    for name, serial in SERIALS.items():
        text = certs_gen("serial", pki.of(name)[0])
        assert f'"{serial}"' in text or text.strip() == serial, (name, text)


def test_toml_reads_back(pki):
    tree = server.config(pki, [
        server.app("a", ["tcp://127.0.0.1:1", {"url": "x", "weight": 2}],
                   limits={"concurrent": 1}),
        server.app("b", ["tcp://127.0.0.1:2"])])
    tree["client"].append(server.client("x", ["01"], ["a"],
                                        a={"concurrent": 3}))
    read = tomllib.loads(server.to_toml(tree))
    assert [one["id"] for one in read["app"]] == ["a", "b"]
    assert read["app"][0]["upstream"][1]["weight"] == 2
    assert read["app"][1]["health"] == {"enabled": False}
    assert read["client"][-1]["limits"]["a"]["concurrent"] == 3


def citations(path):
    """Each test of a file with the SPEC ids that it cites."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not (isinstance(node, ast.FunctionDef)
                and node.name.startswith("test_")):
            continue
        ids = []
        for mark in node.decorator_list:
            if ast.unparse(mark).startswith("pytest.mark.spec("):
                ids += [ast.literal_eval(one) for one in mark.args]
        yield node.name, ids


def test_every_server_test_cites_the_spec():
    spec = (ROOT / "SPEC.md").read_text(encoding="utf-8")
    known = set(re.findall(r"\*\*\[([A-Z]+-\d+)\]\*\*", spec))
    for path in sorted(pathlib.Path(__file__).parent.glob("test_*.py")):
        if path.name in ELSEWHERE:
            continue
        for name, ids in citations(path):
            assert ids, f"{path.name}: {name} cites no SPEC id"
            assert set(ids) <= known, f"{path.name}: {name} cites {ids}"


def test_python_is_new_enough():
    assert ssl.OPENSSL_VERSION_INFO >= (3, 0), ssl.OPENSSL_VERSION
