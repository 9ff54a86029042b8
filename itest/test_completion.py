"""Completion in bash, by the keys of a terminal."""

import os
import re
import subprocess
import urllib.request

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import CERTS_GEN, ROOT, certs_gen
from harness.ports import free_port
from harness.readline import completions

FILES = {"lbproxyd": ROOT / "cmd/lbproxyd/lbproxyd.bash",
         "lbproxyctl": ROOT / "cmd/lbproxyctl/lbproxyctl.bash",
         "certs-gen": ROOT / "certs-gen/certs-gen.bash"}
COMMANDS = ["status", "sessions", "top", "drain", "resume", "kill", "reload",
            "explain"]
# A program that answers what a file has, and notes how it was called.
ANSWERS = """#!/bin/sh
printf '%s\\n' "$*" >>'{home}/calls'
case "$*" in
*'--json status') {answer} ;;
esac
"""


@pytest.fixture
def typed(tmp_path):
    """What there is for the last word of a line."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/certs-gen").symlink_to(CERTS_GEN)
    (tmp_path / "bin/lbproxyd").symlink_to(srv.LBPROXYD)

    def complete(line):
        return completions(FILES[line.split()[0]], line, tmp_path,
                           PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    return complete


@pytest.fixture
def answers(tmp_path, typed):
    """A lbproxyctl that gives an answer of our own."""
    def make(text=None, answer=None):
        path = tmp_path / "bin/lbproxyctl"
        (tmp_path / "answer").write_text(text or "")
        path.write_text(ANSWERS.format(
            home=tmp_path, answer=answer or f"cat '{tmp_path}/answer'"))
        path.chmod(0o755)
    return make


# --- words, options, files ---------------------------------------------------

@pytest.mark.spec("INS-7")
@pytest.mark.parametrize("line, found", [
    ("lbproxyctl ", COMMANDS),
    ("lbproxyctl --json re", ["resume", "reload"]),
    ("lbproxyctl -c some.toml st", ["status"]),
    ("lbproxyctl -", ["-c", "--config", "-s", "--json", "--version",
                      "--help"]),
    ("lbproxyctl -c ", ["some.toml", "sub/", "bin/", "'other one.toml'"]),
    ("lbproxyctl -s some", ["some.toml"]),
    ("lbproxyctl explain ", ["--cert", "--serial", "--reject", "--app"]),
    ("lbproxyctl explain --cert so", ["some.toml"]),
    ("lbproxyctl kill ", ["--client"]),
    ("lbproxyd --s", ["--show"]),
    ("lbproxyd ", ["-c", "--config", "-t", "--check", "--show", "--version",
                   "-h", "--help"]),
    ("lbproxyd --check --config s", ["some.toml", "sub/"]),
    ("certs-gen ", ["ca", "server", "client", "upstream", "intermediate",
                    "revoke", "crl", "list", "serial", "--help"]),
    ("certs-gen client s", ["sub/"]),
    ("certs-gen serial s", ["some.toml", "sub/"]),
    ("certs-gen client sub alice --eku ", ["server", "client", "none"]),
    ("certs-gen client sub alice --to", ["--toml"]),
    ("certs-gen list --", ["--help"])])
def test_words_and_files(typed, tmp_path, line, found):
    (tmp_path / "some.toml").touch()
    (tmp_path / "other one.toml").touch()
    (tmp_path / "sub").mkdir()
    words = re.findall(r"'[^']*'|(?:\\.|\S)+", typed(line))
    assert sorted(word.replace("\\ ", " ").strip("'").rstrip("/")
                  for word in words) == sorted(
        word.strip("'").rstrip("/") for word in found)


@pytest.mark.spec("INS-7")
@pytest.mark.parametrize("command", [
    "ca", "server", "client", "upstream", "intermediate", "revoke", "crl",
    "list", "serial"])
def test_the_options_of_certs_gen(typed, command):
    said = subprocess.run([CERTS_GEN, command, "--none"], text=True,
                          capture_output=True, check=False).stderr
    options = said.split("there are: ")[1].split()
    assert typed(f"certs-gen {command} --").split() == sorted(options)


@pytest.mark.spec("INS-7")
def test_what_can_be_revoked(typed, tmp_path):
    certs_gen("ca", tmp_path / "pki")
    for name in ("alice", "anna", "bob", "gone"):
        certs_gen("client", tmp_path / "pki", name)
    certs_gen("revoke", tmp_path / "pki", "gone")
    assert typed("certs-gen revoke pki ").split() == ["alice", "anna", "bob"]
    assert typed("certs-gen revoke --quiet pki a").split() == ["alice",
                                                               "anna"]
    assert typed("certs-gen revoke pki alice ") == ""


# --- what a server has -------------------------------------------------------

@pytest.mark.spec("INS-8")
def test_what_a_server_has(lb, upstream, typed, answers, tmp_path):
    """Its own status, by whatever way it comes."""
    port = free_port()
    up = [upstream(upstreams.echo) for _ in range(3)]
    server = lb.start(
        [srv.app("web", up[:2], limits={"concurrent": 5}),
         srv.app("db", [up[2], "unix:/run/a;b"])],
        server={"admin": f"127.0.0.1:{port}"})
    with server.connect("alice", "web") as alice, \
            server.connect("bob", "web") as bob:
        for peer in (alice, bob):
            # To its upstream and back: it has been let in.
            peer.send(b"hello")
            assert peer.recv_exactly(5) == b"hello"
        url = f"http://127.0.0.1:{port}/status"
        with urllib.request.urlopen(url, timeout=10) as got:
            answers(got.read().decode())
    web, other = sorted(one.url for one in up[:2])
    assert typed("lbproxyctl drain ").split() == ["db", "web"]
    assert typed("lbproxyctl explain --app w") == "web"
    assert typed("lbproxyctl kill --client ").split() == ["alice", "bob"]
    assert typed("lbproxyctl --json kill --client a") == "alice"
    assert typed("lbproxyctl drain web ").split() == [web, other]
    # Readline replaces what follows the last colon.
    whole = web.rsplit(":", 1)
    assert typed(f"lbproxyctl resume web {whole[0]}:{whole[1][:4]}").split(
        )[0] == web
    assert typed(f"lbproxyctl -c ~/x.toml drain db {up[2].url[:-1]}") == \
        up[2].url
    assert typed("lbproxyctl drain db u") == r"unix:/run/a\;b"
    assert typed("lbproxyctl drain none ") == ""
    assert typed(f"lbproxyctl drain web {web} ") == ""
    home = os.environ.get("HOME", "/root")
    calls = (tmp_path / "calls").read_text().splitlines()
    assert set(calls) == {"--json status", f"-c {home}/x.toml --json status"}
    typed("lbproxyctl -s a.sock drain ")
    assert (tmp_path / "calls").read_text().endswith("-s a.sock --json status\n")


@pytest.mark.spec("INS-8")
@pytest.mark.parametrize("answer", [
    "exit 3", "sleep 60", "echo no JSON", "printf '{}'",
    """printf '{"apps":'""", "head -c 100000 /dev/urandom"])
def test_no_answer_of_use(typed, answers, answer):
    answers(answer=answer)
    for line in ("lbproxyctl drain ", "lbproxyctl kill --client ",
                 "lbproxyctl drain web "):
        assert typed(line) == ""


# --- what nobody carries out -------------------------------------------------

ODD = ["$(touch${IFS}x)", "`touch${IFS}x`", "a;touch${IFS}x", "*", "a'b", "&"]


@pytest.mark.spec("INS-9")
def test_what_a_server_says_is_not_carried_out(typed, answers, tmp_path):
    apps = ",".join(f'{{"id":"{name}","upstreams":[{{"url":"unix:/{name}",'
                    '"cause":"\\"url\\":\\"x"}]}' for name in ODD)
    clients = ",".join(f'{{"app":"a","client":"{name}"}}' for name in ODD)
    answers(f'{{"apps":[{apps}],"clients":[{clients}],'
            '"clients_left_out":0}')
    for line in ("lbproxyctl drain ", "lbproxyctl kill --client "):
        words = typed(line)
        echoed = subprocess.run(["bash", "-c", f"printf '%s\\n' {words}"],
                                cwd=tmp_path, capture_output=True, text=True,
                                check=True).stdout
        assert sorted(echoed.splitlines()) == sorted(ODD)
    assert typed("lbproxyctl drain '*' ") == ""
    assert typed("lbproxyctl drain * ") == r"unix:/\*"
    assert not (tmp_path / "x").exists()


@pytest.mark.spec("INS-9")
def test_what_a_record_says_is_not_carried_out(typed, tmp_path):
    certs_gen("ca", tmp_path / "pki")
    certs_gen("client", tmp_path / "pki", "alice")
    index = tmp_path / "pki/ca.db/index"
    index.write_text(index.read_text().replace(
        ":alice:", ":$(touch${IFS}x):"))
    assert typed("certs-gen revoke pki ") == ""
    assert not (tmp_path / "x").exists()
