"""The benchmark itself: it has a figure only for what was done whole."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading

import pytest

from harness.certs import ROOT
from harness.wait import BOUND

BENCH = ROOT / "itest/bench/bench"


def bench(directory, part, *options):
    """One round of a part of the work; what it wrote."""
    done = subprocess.run(
        [sys.executable, BENCH, "--part", part, "--rounds", "1", "--build",
         directory, "--lbproxyd", os.environ["LBPROXYD"], *options],
        capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads((directory / "bench.json").read_text())


@pytest.mark.long(30)
def test_a_round_of_it(tmp_path, need):
    need("nginx", "nginx-light")
    need("haproxy", "haproxy")
    need("stunnel4", "stunnel4")
    peers = ["lbproxyd", "nginx", "nginx-tuned", "haproxy", "haproxy-tuned",
             "stunnel", "plain", "openssl"]
    shown, report = bench(tmp_path, "40", "--proxies", ",".join(peers),
                          "--measures", "handshake-1.2,resumed")
    for measure in report["measures"].values():
        rows = measure["proxies"]
        assert list(rows) == peers
        assert all(row["spread"] or name == "plain"
                   for name, row in rows.items()), rows
        assert measure["ratio_to_best"]["rounds"] == 1
        ours, best = (min(rows[name]["spread"]["median"] for name in names)
                      for names in (["lbproxyd"], peers[1:-2]))
        assert measure["ratio_to_best"]["median"] == ours / best
    assert "to the best peer as it comes" in shown
    assert report["errors"] == []
    plot = (tmp_path / "bench.svg").read_text()
    assert "<title>nginx-tuned: " in plot


def test_reloads_lose_no_connection(tmp_path, need):
    need("nginx", "nginx-light")
    # Five reloads a second, in a second or two.
    _, report = bench(tmp_path, "8", "--proxies", "lbproxyd,nginx,stunnel",
                      "--measures", "reloads")
    rows = report["measures"]["reloads"]["proxies"]
    assert report["errors"] == []
    assert [name for name in rows if rows[name]["spread"]] == [
        "lbproxyd", "nginx"]


class Garbler:
    """Passes bytes on both ways; one of those to one side, once that has
    had so many, is another."""

    def __init__(self, port, to_client, at):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.to = port
        self.garbles = {"client": at} if to_client else {"upstream": at}
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        client, _ = self.listener.accept()
        upstream = socket.create_connection(("127.0.0.1", self.to), BOUND)
        for pair in (("upstream", client, upstream),
                     ("client", upstream, client)):
            threading.Thread(target=self.move, args=pair, daemon=True).start()

    def move(self, whom, source, target):
        at = self.garbles.get(whom, 1 << 62)
        with contextlib.suppress(OSError):
            while piece := bytearray(source.recv(65536)):
                if at < len(piece):
                    piece[at] ^= 1
                at = at - len(piece) if at >= len(piece) else 1 << 62
                target.sendall(piece)
        # Whoever sees the wrong byte ends, and then so does the other one.
        for sock in (source, target):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    """The load tool and its upstream, of the benchmark's own sources."""
    directory = tmp_path_factory.mktemp("tools")
    made = {}
    for name, sources in (("load", ["load.c", "conn.c"]),
                          ("upstream", ["upstream.c"])):
        made[name] = directory / name
        subprocess.run(["cc", "-std=c11", "-O1", "-D_GNU_SOURCE", "-o",
                        made[name], *(ROOT / "itest/bench" / source
                                      for source in sources),
                        "-lssl", "-lcrypto"], check=True)
    return made


@pytest.mark.parametrize("to_client,says", [
    (True, "an answer was changed"), (False, "a request was changed")])
@pytest.mark.parametrize("at", [40, 100_000])
def test_a_byte_that_is_wrong_is_a_failure(tools, pki, to_client, says, at):
    certificate, key = pki.of("alice")
    with subprocess.Popen([tools["upstream"], "1"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as upstream:
        port = int(upstream.stdout.readline().split()[1])
        garbler = Garbler(port, to_client, at)
        with subprocess.Popen(
                [tools["load"], "-p", str(garbler.port), "-A", pki.ca, "-C",
                 certificate, "-K", key, "-t", "none", "-u", "200000", "-d",
                 "200000", "exchange"], stdin=subprocess.PIPE, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as load:
            said, why = load.communicate("\n\n", timeout=BOUND)
        _, why_there = upstream.communicate(timeout=BOUND)
    assert "done" not in said
    assert load.returncode == 1
    assert says in why + why_there
