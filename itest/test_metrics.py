"""What /metrics says of what happened."""

import datetime
import re
import subprocess
import time

import pytest
from prometheus_client.parser import text_string_to_metric_families

from harness import admin, upstreams
from harness import server as srv
from harness.client import attempt, connect
from harness.ports import free_port
from harness.wait import BOUND, wait_for

SERVER = admin.section


def scrape(server, path="/metrics"):
    """Samples by name and labels, each of which is there once."""
    answer = admin.ask(server, path)
    assert answer.status == 200, answer.text
    found = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, key
            found[key] = sample.value
    return found


def value(server, name, path="/metrics", **labels):
    return scrape(server, path).get((name, frozenset(labels.items())))


def wait_value(server, want, name, **labels):
    wait_for(lambda: value(server, name, **labels) == want,
             f"{name}{labels} = {want}")


def echoed(peer, data):
    peer.send(data)
    return peer.recv_exactly(len(data))


@pytest.fixture
def up(upstream):
    return upstream(upstreams.echo)


@pytest.mark.spec("ADM-10")
def test_promtool_has_nothing_to_say(lb, up, need):
    promtool = need("promtool", "prometheus")
    server = lb.proxy(up, server=SERVER())
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
        for path in ("/metrics", "/metrics?clients=10"):
            answer = admin.ask(server, path)
            assert answer.headers["content-type"] == (
                "text/plain; version=0.0.4; charset=utf-8")
            done = subprocess.run([promtool, "check", "metrics"],
                                  input=answer.body, capture_output=True,
                                  timeout=BOUND * 4, check=False)
            assert (done.returncode, done.stdout, done.stderr) == (
                0, b"", b"")
            assert scrape(server, path)


@pytest.mark.spec("ADM-10")
def test_the_order_of_families(lb, up):
    """Each name begins once, and all its samples follow at once."""
    server = lb.proxy(up, server=SERVER())
    names, family = [], None
    for line in admin.ask(server, "/metrics").text.splitlines():
        if match := re.fullmatch(r"# HELP (\w+) \S.*\.", line):
            family = match[1]
            names.append(family)
        elif not re.fullmatch(rf"# TYPE {family} \w+", line):
            assert re.match(rf"{family}(_bucket|_sum|_count)?[ {{]", line)
    assert len(names) == len(set(names))
    for name in names:
        assert name.startswith(("lbproxy_", "process_")), name


@pytest.mark.spec("ADM-11")
def test_labels_of_any_text(lb, up, tmp_path):
    path = tmp_path / "a\"b\\é.sock"
    url = f"unix:{path}"
    server = lb.proxy(up, url, server=SERVER())
    assert value(server, "lbproxy_upstream_weight", app="echo",
                 upstream=url) == 1


@pytest.mark.spec("ADM-12")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_handshakes_full_and_resumed(lb, up, version):
    name = "lbproxy_handshake_duration_seconds"
    server = lb.proxy(up, server=SERVER())
    context, session = server.context(version=version), None
    for full, resumed in ((1, 0), (1, 1)):
        with connect(server.address(), context, session=session) as peer:
            assert echoed(peer, b"x") == b"x"
            session = peer.tls.session
        assert value(server, f"{name}_count", kind="full") == full
        assert value(server, f"{name}_count", kind="resumed") == resumed
    assert 0 < value(server, f"{name}_sum", kind="full") < BOUND
    assert value(server, f"{name}_bucket", kind="full", le="+Inf") == 1
    assert value(server, f"{name}_bucket", kind="full", le="0.0001") == 0


@pytest.mark.spec("ADM-12")
def test_the_time_of_a_connect(lb, upstream):
    slow = upstream(upstreams.echo)
    dead = f"tcp://127.0.0.1:{free_port()}"
    server = lb.proxy(dead, slow, server=SERVER())
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
    assert value(server, "lbproxy_connect_duration_seconds_count") == 1
    assert 0 < value(server, "lbproxy_connect_duration_seconds_sum") < BOUND
    assert value(server, "lbproxy_upstream_dial_failures_total", app="echo",
                 upstream=dead) == 1
    assert value(server, "lbproxy_upstream_dial_failures_total", app="echo",
                 upstream=slow.url) == 0


@pytest.mark.spec("ADM-12")
def test_the_lag_of_loops(lb, up):
    server = lb.proxy(up, server=SERVER(), health={
        "enabled": True, "interval": "10ms", "timeout": "1s"})
    wait_for(lambda: value(server, "lbproxy_loop_lag_seconds_count") > 5,
             "timers")
    assert value(server, "lbproxy_loop_lag_seconds_bucket", le="+Inf") > 5


@pytest.mark.spec("ADM-13")
def test_what_is_counted_of_a_session(lb, up):
    server = lb.proxy(up, server=SERVER())
    size = 300_000
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
        assert value(server, "lbproxy_sessions") == 1
        assert value(server, "lbproxy_connections") == 1
        assert value(server, "lbproxy_app_sessions", app="echo") == 1
        # Bytes count while the session goes on.
        for way in ("up", "down"):
            wait_value(server, 1, "lbproxy_relayed_bytes_total",
                       direction=way)
        got = []
        peer.exchange(b"a" * size, lambda data: got.append(data) or sum(
            map(len, got)) == size)
    server.wait_event("session", reason="done")
    for way in ("up", "down"):
        assert value(server, "lbproxy_relayed_bytes_total",
                     direction=way) == size + 1
    assert value(server, "lbproxy_connections_accepted_total") == 1
    assert value(server, "lbproxy_sessions_admitted_total") == 1
    assert value(server, "lbproxy_sessions_ended_total", reason="done") == 1
    assert value(server, "lbproxy_app_sessions", app="echo") == 0
    assert value(server, "lbproxy_sessions") == 0
    assert value(server, "lbproxy_sessions_limit") == 400


@pytest.mark.spec("ADM-13")
def test_rejects_by_reason(lb, up):
    server = lb.proxy(up, server=SERVER())
    clients = [table for table in server.tree["client"]
               if table["id"] != "alice"]
    server.reload({**server.tree, "client": clients})
    for who, reason, count in (("revoked", "revoked", 1),
                               ("alice", "unknown_client", 2)):
        for _ in range(count):
            attempt(server.address(), server.context(who))
        server.wait_rejected(count, reason=reason)
        wait_value(server, count, "lbproxy_rejects_total", reason=reason)
    assert value(server, "lbproxy_sessions_admitted_total") == 0
    assert value(server, "lbproxy_connections_accepted_total") == 3


@pytest.mark.spec("ADM-13")
def test_refusals_of_limits(lb, up):
    server = lb.proxy(up, server=SERVER(), limits={
        "concurrent": 1, "connections": 2, "window": "1h"})
    with server.connect() as one:
        assert echoed(one, b"x") == b"x"
        with server.connect() as two:
            assert two.recv() == b""
    server.wait_event("reject", reason="concurrent_limit")
    server.wait_event("session")
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
    server.wait_event("session", 2)
    for _ in range(2):
        with server.connect() as peer:
            assert peer.recv() == b""
    server.wait_event("reject", 2, reason="rate_limit")
    found = scrape(server)
    for limit, count in (("concurrent", 1), ("rate", 2)):
        assert found["lbproxy_app_limit_refusals_total", frozenset(
            {("app", "echo"), ("limit", limit)})] == count
        assert found["lbproxy_rejects_total", frozenset(
            {("reason", f"{limit}_limit")})] == count
    assert found["lbproxy_app_sessions_admitted_total",
                 frozenset({("app", "echo")})] == 2


@pytest.mark.spec("ADM-14")
def test_clients_are_opt_in_and_bounded(lb, up):
    server = lb.proxy(up, server=SERVER(), limits={
        "concurrent": 3, "connections": 9, "window": "1h"})
    assert "client=" not in admin.ask(server, "/metrics").text
    with server.connect("alice") as one, server.connect("bob") as two, \
            server.connect("bob") as three:
        for peer in (one, two, three):
            assert echoed(peer, b"x") == b"x"
        found = scrape(server, "/metrics?clients=10")
        for who, count in (("alice", 1), ("bob", 2)):
            labels = frozenset({("app", "echo"), ("client", who)})
            for name, want in (("sessions", count), ("admissions", count),
                               ("sessions_limit", 3),
                               ("admissions_limit", 9)):
                assert found[f"lbproxy_client_{name}", labels] == want
        assert found["lbproxy_clients_left_out", frozenset()] == 0
        text = admin.ask(server, "/metrics?clients=1").text
        assert 'client="bob"' in text and 'client="alice"' not in text
        assert "\nlbproxy_clients_left_out 1\n" in text
        assert "client=" not in admin.ask(server,
                                          "/metrics?clients=0").text
    for wrong in ("1001", "-1", "all", ""):
        assert admin.ask(server, f"/metrics?clients={wrong}").status == 400


@pytest.mark.spec("ADM-15")
def test_upstreams_over_a_reload(lb, upstream):
    one, two = upstream(upstreams.echo), upstream(upstreams.echo)
    checks = {"enabled": True, "interval": "20ms", "timeout": "1s",
              "rise": 1, "fall": 1}
    tables = [{"url": one.url, "weight": 3, "max_connections": 5},
              {"url": two.url}]
    server = lb.proxy(*tables, server=SERVER(), health=checks)
    labels = {"app": "echo", "upstream": one.url}
    assert value(server, "lbproxy_upstream_up", **labels) == 1
    assert value(server, "lbproxy_upstream_weight", **labels) == 3
    assert value(server, "lbproxy_upstream_connections_limit",
                 **labels) == 5
    with server.connect() as peer:
        assert echoed(peer, b"x") == b"x"
        assert value(server, "lbproxy_upstream_connections", **labels) == 1
        two.stop()
        server.wait_event("upstream_down")
        other = {"app": "echo", "upstream": two.url}
        wait_value(server, 0, "lbproxy_upstream_up", **other)
        failures = value(server, "lbproxy_upstream_check_failures_total",
                         **other)
        assert failures >= 1
        assert value(server, "lbproxy_app_ready", app="echo") == 1
        assert value(server, "lbproxy_config_generation") == 1
        server.reload(server.tree)
        assert value(server, "lbproxy_config_generation") == 2
        assert value(server, "lbproxy_upstream_check_failures_total",
                     **other) >= failures
        assert value(server, "lbproxy_upstream_connections", **labels) == 1
        one.stop()
    wait_value(server, 0, "lbproxy_ready")
    assert value(server, "lbproxy_app_ready", app="echo") == 0


def end_of(path, *kind):
    """When openssl says that it ends."""
    done = subprocess.run(["openssl", *kind, "-noout", "-in", str(path)],
                          capture_output=True, text=True, check=True)
    text = done.stdout.strip().split("=", 1)[1]
    when = datetime.datetime.strptime(text, "%b %d %H:%M:%S %Y %Z")
    return when.replace(tzinfo=datetime.timezone.utc).timestamp()


@pytest.mark.spec("ADM-16")
def test_what_expires(lb, up, pki):
    server = lb.proxy(up, server=SERVER())
    for name, key, path, kind in (
            ("certificate", "tls.certificate", pki.of("server")[0],
             ("x509", "-enddate")),
            ("ca", "tls.client_ca", pki.ca, ("x509", "-enddate")),
            ("crl", "tls.crl", pki.crl, ("crl", "-nextupdate"))):
        found = {labels: value for (metric, labels), value
                 in scrape(server).items()
                 if metric == f"lbproxy_{name}_expiry_timestamp_seconds"}
        ends = [value for labels, value in found.items()
                if dict(labels)["key"] == key
                and dict(labels)["file"] == str(path)]
        assert end_of(path, *kind) in ends, (found, path)


@pytest.mark.spec("ADM-16")
def test_what_expires_after_a_reload(lb, up, pki):
    server = lb.proxy(up, server=SERVER())
    assert "lbproxy_crl_expiry_timestamp_seconds{" in admin.ask(
        server, "/metrics").text
    tls = {key: value for key, value in server.tree["tls"].items()
           if key != "crl"}
    server.reload({**server.tree, "tls": tls})
    assert "lbproxy_crl_expiry_timestamp_seconds{" not in admin.ask(
        server, "/metrics").text


@pytest.mark.spec("ADM-17")
def test_the_process(lb, up):
    server = lb.proxy(up, server=SERVER())
    files = server.open_files()
    found = {name: value for (name, _), value in scrape(server).items()
             if name.startswith("process_")}
    # The connection that asks, and no more than that.
    assert files <= found["process_open_fds"] <= files + 2
    assert found["process_max_fds"] > 100
    assert abs(found["process_resident_memory_bytes"]
               - server.rss()) < 1 << 23
    assert found["process_virtual_memory_bytes"] >= server.rss()
    assert 0 < found["process_cpu_seconds_total"] < 60
    assert abs(time.time() - found["process_start_time_seconds"]) < 60
    assert value(server, "lbproxy_workers") == 2


@pytest.mark.spec("ADM-8", "ADM-13")
def test_scrapes_amid_reloads_and_traffic(lb, up):
    """Whatever is read while it changes is whole; sanitizers look on."""
    server = lb.proxy(up, server=SERVER())
    for _ in range(20):
        server.rewrite(server.tree)
        server.signal(1)
        with server.connect() as peer:
            assert echoed(peer, b"x") == b"x"
            scrape(server, "/metrics?clients=5")
    server.wait_event("session", 20)
    assert value(server, "lbproxy_sessions_admitted_total") == 20
