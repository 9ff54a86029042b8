"""Completion in bash, by the keys of a terminal."""

import os
import re
import subprocess

import pytest

from harness import control, upstreams
from harness import server as srv
from harness.certs import CERTS_GEN, ROOT, certs_gen
from harness.readline import completions
from harness.wait import BOUND

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
    ("lbproxyctl -", ["-c", "--config", "-s", "--socket", "--json",
                      "--version", "-h", "--help"]),
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
@pytest.mark.parametrize("name, program", [
    ("lbproxyctl", control.CTL), ("lbproxyd", srv.LBPROXYD)],
    ids=["lbproxyctl", "lbproxyd"])
def test_the_words_of_the_help(typed, name, program):
    """All commands and options that it tells of are offered, and no others."""
    told = subprocess.run([program, "--help"], text=True, check=True,
                          capture_output=True).stdout.split("Exit status")[0]
    options = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", told))
    offered = {word for line in ("-", "explain --", "kill --")
               for word in typed(f"{name} {line}").split()}
    assert offered == options
    if name == "lbproxyctl":
        commands = re.findall(r"^  ([a-z]+)", told, re.M)
        assert set(typed("lbproxyctl ").split()) == set(commands)


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

@pytest.fixture
def patient(tmp_path):
    """The second that a completion waits, longer."""
    path = tmp_path / "bin/timeout"
    path.write_text(f"#!/bin/sh\nshift\nexec /usr/bin/timeout {BOUND} \"$@\"\n")
    path.chmod(0o755)


@pytest.mark.spec("INS-8")
def test_what_a_server_has(lb, upstream, typed, answers, patient):
    answers(answer=f"exec '{control.CTL}' \"$@\"")
    up = [upstream(upstreams.echo) for _ in range(3)]
    server = lb.start(
        [srv.app("web", up[:2], limits={"concurrent": 5}),
         srv.app("db", [up[2], "unix:/run/a;b"])], server=control.section())
    web, other = sorted(one.url for one in up[:2])
    ctl = f"lbproxyctl -c {server.path} "
    with server.connect("alice", "web") as alice, \
            server.connect("bob", "web") as bob:
        for peer in (alice, bob):
            # To its upstream and back: it has been let in.
            peer.send(b"hello")
            assert peer.recv_exactly(5) == b"hello"
        assert typed(ctl + "kill --client ").split() == ["alice", "bob"]
        assert typed(ctl + "--json kill --client a") == "alice"
    assert typed(ctl + "drain ").split() == ["db", "web"]
    assert typed(ctl + "explain --app w") == "web"
    assert typed(ctl + "drain web ").split() == [web, other]
    # Readline replaces what follows the last colon.
    assert typed(ctl + f"resume web {web[:-1]}").split()[0] == web
    assert typed(ctl + f"drain db {up[2].url[:-1]}") == up[2].url
    assert typed(ctl + "drain db u") == r"unix:/run/a\;b"
    assert typed(ctl + "drain none ") == ""
    assert typed(ctl + f"drain web {web} ") == ""
    by_socket = f"lbproxyctl --socket {control.path(server)} drain "
    assert typed(by_socket).split() == ["db", "web"]


@pytest.mark.spec("INS-8")
def test_which_server_is_asked(typed, answers, tmp_path):
    answers()
    home = os.environ.get("HOME", "/root")
    for options, asked in (("", ""), ("-s a.sock ", "-s a.sock "),
                           ("--json -c ~/x.toml ", f"-c {home}/x.toml ")):
        typed(f"lbproxyctl {options}drain ")
        calls = (tmp_path / "calls").read_text().splitlines()
        assert calls[-1] == f"{asked}--json status"


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
