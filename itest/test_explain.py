"""lbproxyctl explain: who somebody is, whether it may enter, what decides."""

import json
import os
import re
import subprocess
import time

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import ROOT, SERIALS, UNLISTED, certs_gen
from harness.client import attempt

CTL = os.environ.get("LBP_CTL", str(ROOT / "build/lbproxyctl"))
SPEC = (ROOT / "SPEC.md").read_text()
NAMES = ["alice", "alice-renewed", "bob", "carol", "unlisted", "expired",
         "future", "revoked", "usage", "below", "stranger"]


def ctl(*args, status=None, **options):
    done = subprocess.run([CTL, *map(str, args)], text=True, timeout=60,
                          capture_output=True, check=False, **options)
    if status is not None:
        assert done.returncode == status, done.stdout + done.stderr
    return done


def explain(path, *args, status=None):
    """As JSON, after the same as text has had the same status."""
    plain = ctl("-c", path, "explain", *args, status=status)
    done = ctl("-c", path, "--json", "explain", *args,
               status=plain.returncode)
    answer = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert answer["let_in"] == (done.returncode == 0)
    for decision in answer["decisions"]:
        for each in decision["spec"].split(", "):
            assert f"**[{each}]**" in SPEC, each
        for key in ("reason", "place", "spec"):
            assert key not in decision or decision[key] in plain.stdout
    assert answer.get("client", "no client") in plain.stdout
    return answer


def line_at(place):
    """The text of a line that was named as FILE:LINE."""
    name, number = place.rsplit(":", 1)
    with open(name, encoding="utf-8") as text:
        return text.read().splitlines()[int(number) - 1]


@pytest.fixture
def path(pki, tmp_path):
    """alice may use both apps, bob one; carol is known by a URI and shares
    a name with bob."""
    tree = srv.config(pki, [
        srv.app("web", ["tcp://127.0.0.1:1"],
                limits={"concurrent": 5, "connections": 9}),
        srv.app("db", ["tcp://127.0.0.1:1"])], clients=[
            srv.client("alice", [SERIALS["alice"], SERIALS["expired"]],
                       ["web", "db"], web={"concurrent": 2}),
            srv.client("bob", [SERIALS["bob"]], ["web"])])
    return srv.write_config(tmp_path, tree)


@pytest.mark.spec("EXP-3")
def test_the_server_says_the_same(lb, pki, upstream):
    """Every kind of certificate, shown to a server and to lbproxyctl; and
    what the server has logged of it."""
    server = lb.proxy(upstream(upstreams.echo), clients=[
        srv.client("alice", [SERIALS["alice"]], ["echo"]),
        srv.client("bob", [SERIALS["bob"]], ["echo"]),
        srv.client("gone", [SERIALS["revoked"], "DE:AD:02"], ["echo"])])
    reasons = set()
    for name in NAMES:
        answer = explain(server.path, "--cert", pki.of(name)[0])
        reason = answer["decisions"][0].get("reason")
        reasons.add(reason)
        if answer["let_in"]:
            assert reason is None
            with server.connect(name) as peer:
                peer.send(b"x")
                assert peer.recv_exactly(1) == b"x"
            continue
        count = len(server.events("reject")) + 1
        attempt(server.address(), server.context(name))
        server.wait_event("reject", count)
        line = server.events("reject")[-1]
        assert line["reason"] == reason, (name, answer)
        assert answer["decisions"][0].get("detail") in (
            None, line.get("detail"))
        again = explain(server.path, "--reject", json.dumps(line), status=1)
        assert again["decisions"][0]["reason"] == reason
        assert again["decisions"][0]["app"] == "echo"
    assert reasons == {None, "unknown_client", "expired", "not_yet_valid",
                       "revoked", "wrong_usage", "untrusted"}


@pytest.mark.spec("EXP-1", "EXP-2", "EXP-7")
def test_who_may_enter(pki, path):
    answer = explain(path, "--cert", pki.of("alice")[0], status=0)
    assert answer["client"] == "alice"
    assert "serials" in line_at(answer["names"][0]["place"])
    assert answer["names"][0]["client"] == "alice"
    web, db = answer["decisions"]
    assert (web["app"], web["let_in"]) == ("web", True)
    assert (db["app"], db["let_in"]) == ("db", True)
    assert 'apps = ["web", "db"]' in line_at(web["place"])


@pytest.mark.spec("EXP-8")
def test_limits(pki, path):
    web, db = explain(path, "--cert", pki.of("alice")[0])["decisions"]
    assert web["limits"] == {"concurrent": 2, "connections": 9,
                             "window_ms": 60000}
    assert db["limits"]["connections"] == 0
    text = ctl("-c", path, "explain", "--cert", pki.of("alice")[0]).stdout
    places = dict(re.findall(r"(concurrent|connections): \d+, (.+)", text))
    assert "concurrent = 2" in line_at(places["concurrent"])
    assert "connections = 9" in line_at(places["connections"])


@pytest.mark.spec("EXP-1", "EXP-7")
def test_who_may_not(pki, path):
    bob = pki.of("bob")[0]
    answer = explain(path, "--cert", bob, status=0)
    assert [each["let_in"] for each in answer["decisions"]] == [True, False]
    answer = explain(path, "--cert", bob, "--app", "db", status=1)
    assert answer["decisions"][0]["reason"] == "not_allowed"
    assert 'apps = ["web"]' in line_at(answer["decisions"][0]["place"])
    answer = explain(path, "--cert", pki.of("unlisted")[0], status=1)
    assert answer["decisions"][0]["reason"] == "unknown_client"
    assert "client" not in answer
    assert answer["names"][0]["serial"] == UNLISTED
    assert line_at(answer["decisions"][0]["place"]) == 'id = "alice"'


@pytest.mark.spec("EXP-2", "EXP-3")
def test_names_of_two_clients(pki, path, tmp_path):
    """With each name stands whose it is."""
    text = path.read_text().replace(
        'id = "bob"', 'id = "bob"\nuris = ["spiffe://x/y"]')
    path.write_text(text)
    certs_gen("client", pki.ca_dir, f"both-{os.getpid()}", "--serial",
              SERIALS["carol"] + ":77", "--san",
              "URI:spiffe://x/y,DNS:alice.test")
    cert = pki.of(f"both-{os.getpid()}")[0]
    answer = explain(path, "--cert", cert, status=0)
    assert answer["client"] == "bob"
    assert [name.get("client") for name in answer["names"]] == \
        [None, "bob", None]
    path.write_text(text.replace('id = "alice"',
                                 'id = "alice"\ndns = ["ALICE.test"]'))
    answer = explain(path, "--cert", cert, status=1)
    assert answer["decisions"][0]["reason"] == "ambiguous"
    assert [name.get("client") for name in answer["names"]] == \
        [None, "bob", "alice"]


@pytest.mark.spec("EXP-4")
def test_serials(path):
    answer = explain(path, "--serial", SERIALS["alice"].lower(), status=0)
    assert answer["client"] == "alice"
    answer = explain(path, "--serial", "DEAD", status=1)
    assert answer["decisions"][0]["reason"] == "revoked"
    assert "crl = " in line_at(answer["decisions"][0]["place"])
    answer = explain(path, "--serial", "99", "--app", "web", status=1)
    assert answer["decisions"][0]["reason"] == "unknown_client"
    for bad in ("", "0", "xyz", "2026/01"):
        assert ctl("-c", path, "explain", "--serial", bad,
                   status=2).stdout == ""


@pytest.mark.spec("EXP-4", "EXP-5")
def test_serials_of_several_cas(pki, tmp_path):
    tree = srv.config(pki, [srv.app("web", ["tcp://127.0.0.1:1"])],
                      clients=[srv.client("a", ["one/77"], ["web"]),
                               srv.client("b", ["two/77", "two/78"],
                                          ["web"])],
                      tls={"client_ca": None, "crl": None})
    path = srv.write_config(tmp_path, tree)
    path.write_text(path.read_text().replace("[log]", f"""
[[tls.client_ca]]
id = "one"
file = "{pki.ca}"
[[tls.client_ca]]
id = "two"
file = "{pki.other_ca}"
[log]"""))
    for serial, client in (("77", "a"), ("one/77", "a"), ("two/77", "b")):
        answer = explain(path, "--serial", serial, status=0)
        assert answer["client"] == client
    explain(path, "--serial", "78", status=1)
    for unknown in ("three/78", "on/78", "tow/78", "/78"):
        done = ctl("-c", path, "explain", "--serial", unknown, status=2)
        assert "no [[tls.client_ca]] has this id" in done.stderr
    # The log has no CA's id.
    line = {"reason": "rate_limit", "serial": "78", "app": "web"}
    answer = explain(path, "--reject", json.dumps(line), status=1)
    assert answer["decisions"][0]["reason"] == "rate_limit"


def reject(path, status, **line):
    return explain(path, "--reject", json.dumps(line), status=status)


@pytest.mark.spec("EXP-5", "EXP-6", "EXP-7")
@pytest.mark.parametrize("reason, key", [
    ("concurrent_limit", "concurrent = 2"), ("rate_limit", "connections = 9"),
    ("max_connections", "max_connections = 400"),
    ("handshake_timeout", "handshake = "), ("expired", "client_ca = "),
    ("crl_expired", "crl = ")])
def test_a_line_names_its_key(path, reason, key):
    answer = reject(path, 1, reason=reason, client="alice", app="web")
    assert answer["client"] == "alice"
    only, = answer["decisions"]
    assert (only["app"], only["reason"]) == ("web", reason)
    assert key in line_at(only["place"])


@pytest.mark.spec("EXP-6")
def test_a_line_is_decided_anew(path):
    """What the configuration alone decides may have changed since."""
    answer = reject(path, 0, reason="not_allowed", client="alice", app="db")
    assert answer["decisions"][0]["let_in"]
    answer = reject(path, 0, reason="unknown_client", app="web",
                    serial=SERIALS["bob"])
    assert answer["client"] == "bob"
    answer = reject(path, 1, reason="rate_limit", client="bob", app="db")
    assert answer["decisions"][0]["reason"] == "not_allowed"
    answer = reject(path, 1, reason="rate_limit", app="db",
                    serial=SERIALS["revoked"])
    assert answer["decisions"][0]["reason"] == "revoked"
    answer = reject(path, 0, reason="revoked", app="db", client="alice")
    assert answer["decisions"][0]["let_in"]


@pytest.mark.spec("EXP-5")
def test_a_line_that_says_little(path):
    answer = reject(path, 1, reason="handshake_failed", peer="192.0.2.1:5")
    assert "client" not in answer and answer["names"] == []
    assert "place" not in answer["decisions"][0]
    answer = reject(path, 1, reason="handshake_evicted", app="gone")
    assert "place" not in answer["decisions"][0]
    text = ctl("-c", path, "explain", "--reject",
               '{"reason": "handshake_evicted"}').stdout
    assert "default of server.max_handshakes" in text


@pytest.mark.spec("EXP-5", "EXP-6")
def test_a_line_of_somebody_by_name(path):
    """The client that it names is gone, or it names none."""
    uri = "spiffe://example/carol"
    answer = reject(path, 1, reason="unknown_client", client="gone",
                    name=uri, app="web")
    assert answer["names"] == [{"uri": uri}]
    assert answer["decisions"][0]["reason"] == "unknown_client"
    answer = reject(path, 1, reason="ambiguous", name="carol.example",
                    app="web")
    assert answer["names"] == [{"dns": "carol.example"}]
    answer = reject(path, 1, reason="rate_limit", client="gone", name="")
    assert answer["names"] == [] and "client" not in answer
    answer = reject(path, 1, reason="not_allowed", serial="no serial")
    assert answer["names"] == []


@pytest.mark.spec("EXP-5")
def test_an_app_that_is_given_goes_before_that_of_a_line(path):
    answer = explain(path, "--app", "db", "--reject", json.dumps(
        {"reason": "not_allowed", "client": "alice", "app": "web"}), status=0)
    assert [d["app"] for d in answer["decisions"]] == ["db"]


@pytest.mark.spec("EXP-1")
@pytest.mark.parametrize("line", [
    "", "x", "{", "{}", '{"reason": "what"}', '{"reason": "none"}',
    '{"event": "ready"}', '\x1b]0;t\x07'])
def test_what_is_no_line(path, line):
    done = ctl("-c", path, "explain", "--reject", line, status=2)
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1
    assert "\x1b" not in done.stderr


@pytest.mark.spec("EXP-1")
def test_what_is_no_certificate(pki, path, tmp_path):
    (tmp_path / "empty").write_text("")
    for name in (tmp_path / "none", tmp_path, tmp_path / "empty",
                 pki.of("alice")[1], "/dev/null"):
        done = ctl("-c", path, "explain", "--cert", name, status=2)
        assert done.stdout == "" and len(done.stderr.splitlines()) == 1


@pytest.mark.spec("EXP-3")
def test_too_much_to_send(pki, path, tmp_path):
    """As the server judges a message before OpenSSL parses it."""
    pem = pki.of("alice")[0].read_text()
    many = tmp_path / "many.pem"
    many.write_text(pem * 5)
    answer = explain(path, "--cert", many, status=1)
    assert answer["decisions"][0]["reason"] == "bad_certificate"
    many.write_text(pem * 4)
    explain(path, "--cert", many, status=0)


@pytest.mark.spec("CTL-1")
@pytest.mark.parametrize("args", [
    [], ["what"], ["explain"], ["explain", "--cert", "a", "--serial", "1"],
    ["explain", "x", "--serial", "1"], ["--what"], ["explain", "--cert"],
    ["-c"], ["explain", "--app", "web"]])
def test_a_bad_command_line(path, args):
    done = ctl(*args, status=2)
    assert done.stdout == "" and len(done.stderr.splitlines()) == 1
    assert "--help" in done.stderr


@pytest.mark.spec("CTL-1")
def test_help_and_version():
    shown = ctl("--help", status=0)
    for word in ("explain", "--cert", "--serial", "--reject", "--app",
                 "--json", "-c"):
        assert word in shown.stdout
    assert re.match(r"lbproxyctl \d+\.\d+", ctl("--version", status=0).stdout)


@pytest.mark.spec("CTL-2")
def test_a_bad_configuration(tmp_path, path):
    path.write_text("x = 1\n")
    done = ctl("-c", path, "explain", "--serial", "1", status=2)
    assert f"{path}:1:1: error: unknown key 'x'" in done.stderr
    assert done.stdout == ""
    if not os.path.exists("/etc/lbproxy/lbproxyd.toml"):
        done = ctl("explain", "--serial", "1", status=2)
        assert "/etc/lbproxy/lbproxyd.toml:1:1: error: " in done.stderr
    done = ctl("-c", path, "explain", "--serial", "1", "--app", "no",
               status=2)


@pytest.mark.spec("EXP-1")
def test_an_unknown_app(path):
    done = ctl("-c", path, "explain", "--serial", "1", "--app", "no",
               status=2)
    assert "--app" in done.stderr and done.stdout == ""


@pytest.mark.spec("EXP-9")
def test_json_of_many_apps(pki, tmp_path):
    apps = [srv.app(f"a{i}", ["tcp://127.0.0.1:1"],
                    listen=[f"127.0.0.1:{i + 1}"]) for i in range(300)]
    tree = srv.config(pki, apps, clients=[srv.client(
        "a", ["1"], [app["id"] for app in apps])])
    path = srv.write_config(tmp_path, tree)
    answer = explain(path, "--serial", "1", status=0)
    assert len(answer["decisions"]) == 300


@pytest.mark.spec("EXP-1")
def test_it_needs_no_server_and_little_time(path):
    began = time.monotonic()
    ctl("-c", path, "explain", "--serial", "1", status=1)
    assert time.monotonic() - began < 5
