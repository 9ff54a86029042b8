"""--check --show: the configuration in effect."""

import os
import re
import subprocess
import tomllib

import pytest

from harness import server as srv
from harness.home import Home

BARE = r"""
[tls]
certificate = "{cert}"
private_key = "{key}"
client_ca = "{ca}"
[[app]]
id = "a.b"
listen = ["127.0.0.1:9"]
[[app.upstream]]
url = "tcp://127.0.0.1:1"
"""
# What has a default, besides what a text gives.
DEFAULTS = {
    "server": {"event_loop": "auto", "max_connections": 400,
               "max_handshakes": 256, "watch": "off"},
    "tls": {"min_version": "1.2", "expired_sessions": "close",
            "groups": "X25519:P-256"},
    "log": {"level": "info"},
    "timeouts": {"handshake": "5s", "connect": "3s", "idle": "10m",
                 "lifetime": "off", "keepalive": "1m", "resolve": "30s",
                 "drain_delay": "0s", "drain": "30s"},
}
APP_DEFAULTS = {
    "proxy_protocol": False, "accept_proxy": [], "alpn": [],
    "unclean_end": "reset", "limits": {},
    "timeouts": {"connect": "3s", "idle": "10m", "lifetime": "off"},
    "health": {"enabled": True, "interval": "2s", "timeout": "1s",
               "rise": 2, "fall": 3},
}
UPSTREAM_DEFAULTS = {"weight": 1, "max_connections": 0, "backup": False}


def show(path, status=0):
    done = srv.run("-c", path, "--check", "--show")
    assert done.returncode == status, done.stderr
    return done.stdout


@pytest.fixture
def bare(pki):
    return BARE.format(cert=pki.ca_dir / "server.pem",
                       key=pki.ca_dir / "server.key", ca=pki.ca)


@pytest.mark.spec("CFG-110", "CFG-113")
def test_every_default(tmp_path, bare):
    """By Python's own parser, against defaults that are written here."""
    path = srv.write_config(tmp_path, bare)
    given = tomllib.loads(bare)
    shown = tomllib.loads(show(path))
    app = {**APP_DEFAULTS, "id": "a.b", "listen": ["127.0.0.1:9"],
           "upstream": [{**UPSTREAM_DEFAULTS, "url": "tcp://127.0.0.1:1"}]}
    assert shown == {**DEFAULTS, "tls": {**DEFAULTS["tls"], **given["tls"]},
                     "app": [app]}


@pytest.mark.spec("CFG-110", "SRV-2")
def test_a_bad_configuration_is_not_shown(tmp_path, bare):
    path = srv.write_config(tmp_path, bare + "\nx = 1\n")
    assert show(path, 2) == ""
    path = srv.write_config(tmp_path, bare.replace("server.key", "none"))
    assert show(path, 2) == ""


def rich(pki, directory, home):
    """Everything that is not as by default, in two files."""
    tree = srv.config(home.pki, [
        srv.app("web", ["tcp://[::1]:1", {
            "url": "tls://127.0.0.1:2", "ca": pki.upstream_ca,
            "max_connections": 5, "backup": True}, "unix:/run/é\"\\.sock"],
            listen=["127.0.0.1:9", "[::1]:9"], unclean_end="end",
            alpn=["h2", "é"], accept_proxy=["10.0.0.0/8", "2001:db8::/32",
                                            "::/0", "192.0.2.1"],
            limits={"concurrent": 5, "connections": 9, "window": "1500ms"},
            timeouts={"idle": "off", "lifetime": "36h"},
            health={"enabled": False}),
        srv.app("x.y", ["tcp://127.0.0.1:1"], listen=["127.0.0.1:10"])],
        clients=[srv.client("a", ["0a:0b", "c"], ["web", "x.y"],
                            web={"window": "7s"})],
        server={"workers": 3, "event_loop": "epoll", "admin": "[::1]:7"},
        log={"level": "debug"}, timeouts={"connect": "2h", "idle": "90s"})
    text = srv.to_toml(tree) + "\n"
    (directory / "more.toml").write_text(
        "[[client]]\nid = 'b'\nuris = ['spiffe://x/y']\ndns = ['D.e']\n"
        "apps = ['x.y']\nlimits.'x.y' = { connections = 3 }\n")
    return srv.write_config(directory, 'include = ["more*.toml"]\n' + text)


@pytest.mark.spec("CFG-111", "CFG-113")
def test_it_loads_as_the_same(pki, tmp_path):
    """By tomllib: what was given is there, and what is shown of what was
    shown is the same."""
    path = rich(pki, tmp_path, Home(pki, tmp_path))
    first = show(path)
    again = srv.write_config(tmp_path, first, name="again.toml")
    second = show(again)
    assert tomllib.loads(first) == tomllib.loads(second)
    shown = tomllib.loads(first)
    assert "include" not in shown
    given = tomllib.loads(path.read_text(encoding="utf-8"))
    given["client"] += tomllib.loads(
        (tmp_path / "more.toml").read_text())["client"]
    check_given(shown, given)
    assert shown["app"][0]["timeouts"] == {
        "connect": "2h", "idle": "off", "lifetime": "36h"}
    assert shown["client"][0]["limits"]["web"] == {
        "concurrent": 5, "connections": 9, "window": "7s"}
    assert shown["client"][1]["limits"] == {
        "x.y": {"connections": 3, "window": "1m"}}


NETWORKS = {"2001:db8::/32": "2001:db8:0:0:0:0:0:0/32",
            "::/0": "0:0:0:0:0:0:0:0/0", "192.0.2.1": "192.0.2.1/32",
            "0a:0b": "0A:0B", "c": "0C"}


def check_given(shown, given):
    """Each value of one tree is in the other."""
    if isinstance(given, dict):
        for key, value in given.items():
            if key != "include":
                check_given(shown[key], value)
    elif isinstance(given, list):
        assert len(shown) == len(given)
        for one, other in zip(shown, given):
            check_given(one, other)
    else:
        assert shown == NETWORKS.get(given, given)


@pytest.mark.spec("CFG-112")
def test_where_values_come_from(pki, tmp_path):
    """Each place that a comment names has the key; others are defaults."""
    path = rich(pki, tmp_path, Home(pki, tmp_path))
    texts = {str(each): each.read_text(encoding="utf-8").splitlines()
             for each in (path, tmp_path / "more.toml")}
    places = 0
    for line in show(path).splitlines():
        found = re.fullmatch(r"(\w+) = .+?\s# (\S+, )?(.+)", line)
        if not found:
            assert re.match(r"$|\[|# ", line), line
            continue
        key, place = found[1], found[3]
        if place.startswith("default"):
            continue
        name, number = place.rsplit(":", 1)
        assert re.search(rf"\b{key}\b", texts[name][int(number) - 1]), line
        places += 1
    assert places > 40


@pytest.mark.spec("CFG-114")
def test_what_it_never_prints(pki, tmp_path):
    directory = tmp_path / "\u202eé"
    directory.mkdir()
    path = rich(pki, directory, Home(pki, directory))
    done = subprocess.run(
        [srv.LBPROXYD, "-c", path, "--check", "--show"],
        capture_output=True, timeout=30, check=True)
    assert all(0x20 <= byte < 0x7F or byte == 0x0A for byte in done.stdout)
    assert b"PRIVATE" not in done.stdout
    key = (pki.ca_dir / "server.key").read_bytes()
    assert key.splitlines()[1] not in done.stdout


@pytest.mark.spec("SRV-300")
def test_without_check(tmp_path, bare):
    path = srv.write_config(tmp_path, bare)
    done = srv.run("-c", path, "--show")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--check" in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.spec("SRV-300")
@pytest.mark.parametrize("closed", [False, True])
def test_output_that_cannot_be_written(tmp_path, bare, closed):
    path = srv.write_config(tmp_path, bare)
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [srv.LBPROXYD, "-c", path, "--check", "--show"], stdout=full,
            stderr=subprocess.PIPE, timeout=30, check=False,
            preexec_fn=(lambda: os.close(1)) if closed else None)
    assert done.returncode == (0 if closed else 1)
    assert (b"cannot write to standard output" in done.stderr) != closed
