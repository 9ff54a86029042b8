"""certs-gen: the certificate authority in a directory. Source: SPEC CRT-*."""

import datetime
import os
import re
import shutil
import signal
import ssl
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parent.parent / "certs-gen" / "certs-gen"
LBPROXYD = os.environ.get(
    "LBPROXYD", str(TOOL.parent.parent / "build/lbproxyd"))
COMMANDS = ("ca", "server", "client", "upstream", "intermediate", "revoke",
            "crl", "list", "serial")
LOOPBACK = {"DNS:localhost", "IP Address:127.0.0.1",
            "IP Address:0:0:0:0:0:0:0:1"}
LIMIT_S = 60


def run(*args, **kwargs):
    kwargs.setdefault("timeout", LIMIT_S)
    return subprocess.run([str(TOOL), *map(str, args)], text=True,
                          capture_output=True, **kwargs)


def make(*args, **kwargs):
    """Runs a command that has to succeed silently; its standard output."""
    done = run(*args, **kwargs)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def refused(*args, **kwargs):
    """Runs a command that has to fail with status 1; what it says."""
    done = run(*args, **kwargs)
    assert done.returncode == 1, done
    assert done.stdout == ""
    return done.stderr


def openssl(*args, **kwargs):
    return subprocess.run(["openssl", *map(str, args)], text=True,
                          capture_output=True, check=True, timeout=LIMIT_S,
                          **kwargs).stdout


def verify(ca, leaf, purpose, *more):
    """openssl's verdict on a certificate, with the CRL: None or the error."""
    done = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-crl_check", "-purpose",
         purpose, "-CAfile", ca / "ca.pem", "-CRLfile", ca / "ca.crl", *more,
         leaf], text=True, capture_output=True, timeout=LIMIT_S)
    if done.returncode == 0:
        return None
    return re.search(r"error \d+ at \d+ depth lookup: (.*)",
                     done.stderr + done.stdout).group(1)


def text_of(cert):
    return openssl("x509", "-in", cert, "-noout", "-text")


def extension(cert, name):
    """The extension's "critical" flag and its value, or None."""
    found = re.search(rf"X509v3 {name}:( critical)? *\n +(.*)", text_of(cert))
    return found and (bool(found[1]), found[2].strip())


def sans(cert):
    return set(extension(cert, "Subject Alternative Name")[1].split(", "))


def serial_of(cert):
    return openssl("x509", "-in", cert, "-noout", "-serial") \
        .strip().removeprefix("serial=")


def moment(text):
    return datetime.datetime.strptime(text, "%b %d %H:%M:%S %Y %Z")


def ends(cert):
    out = openssl("x509", "-in", cert, "-noout", "-startdate", "-enddate")
    return tuple(moment(line.split("=")[1]) for line in out.splitlines())


def crl_of(ca):
    """The CRL's number, its ends and the serials in it."""
    out = openssl("crl", "-in", ca / "ca.crl", "-noout", "-text")
    number = int(re.search(r"CRL Number: \n +(\d+)", out)[1])
    span = tuple(moment(re.search(rf"{which} Update: (.*)", out)[1])
                 for which in ("Last", "Next"))
    return number, span, re.findall(r"Serial Number: (\w+)", out)


def listed(ca):
    """The rows of list as name -> (kind, serial, end, status)."""
    lines = make("list", ca).splitlines()
    assert lines[0].split() == ["NAME", "KIND", "SERIAL", "NOT-AFTER",
                                "STATUS"]
    rows = [line.split() for line in lines[1:]]
    return {row[0]: tuple(row[1:]) for row in rows}


def tree(top):
    """Every path under top with its mode and content."""
    return {str(p.relative_to(top)):
            (stat.S_IMODE(p.lstat().st_mode),
             p.read_bytes() if p.is_file() else None)
            for p in sorted(top.rglob("*"))}


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def shim(where, program, body):
    """An environment in which a script stands in for a program."""
    real = subprocess.run(["sh", "-c", f"command -v {program}"], text=True,
                          capture_output=True, check=True).stdout.strip()
    where.mkdir()
    script = where / program
    script.write_text(f"#!/bin/sh\nreal={real}\nhere='{where}'\n{body}\n")
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{where}:{os.environ['PATH']}"}


COUNT = 'echo call >>"$here/calls"\n'
FAIL_AT = COUNT + 'if [ "$(wc -l <"$here/calls")" -eq %d ]; then\n' \
    'echo injected failure >&2; exit 1; fi\nexec "$real" "$@"'


@pytest.fixture(scope="module")
def first_ca(tmp_path_factory):
    top = tmp_path_factory.mktemp("first") / "certs"
    make("ca", top)
    return top


@pytest.fixture
def ca(first_ca, tmp_path):
    return shutil.copytree(first_ca, tmp_path / "certs")


# --- usage -------------------------------------------------------------------

@pytest.mark.spec("CRT-1")
@pytest.mark.parametrize("args", [["--help"], ["-h"], ["help"]] + [
    [c, flag] for c in COMMANDS for flag in ("--help", "-h")])
def test_help_is_printed(args, tmp_path):
    out = make(*args, cwd=tmp_path)
    assert out.startswith("usage: certs-gen ")
    assert max(len(line) for line in out.splitlines()) < 80
    assert args[0] not in COMMANDS or f"certs-gen {args[0]}" in out
    assert not list(tmp_path.iterdir())


@pytest.mark.spec("CRT-1")
def test_main_help_names_every_command():
    out = make("--help")
    assert all(re.search(rf"^  {c} ", out, re.M) for c in COMMANDS)


@pytest.mark.spec("CRT-1", "CRT-2")
@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_option(command):
    done = run(command, "--no-such-option")
    options = done.stderr.split("there are: ")[1].split()
    out = make(command, "--help")
    assert all(o in out for o in options if o != "--help")


def options_in(text):
    return set(re.findall(r"--[a-z][a-z-]*", text))


@pytest.mark.spec("CRT-40")
def test_the_manual_has_what_help_shows():
    manual = (TOOL.parent / "certs-gen.1").read_text()
    shown = {"--help"}
    for command in COMMANDS:
        shown |= options_in(run(command, "--help").stdout)
    dashes = manual.replace("Fl -", "--")
    described = set(re.findall(r"^\.It (?:Fl q , )?(--[a-z-]+)",
                               dashes.replace("Fl q , --", "--"), re.M))
    assert described | {"--help"} == shown
    assert "--help" in dashes
    commands = re.findall(r"^\.It Cm (\w+) Ar", manual, re.M)
    assert sorted(commands) == sorted(COMMANDS)


@pytest.mark.spec("CRT-2")
@pytest.mark.parametrize("args, hint", [
    ([], "intermediate, revoke"),
    (["sever", "DIR", "x"], "server"),
    (["ca"], "DIR"),
    (["ca", ""], "DIR"),
    (["ca", "DIR", "x"], "DIR"),
    (["client", "DIR"], "DIR NAME"),
    (["revoke", "DIR"], "NAME|SERIAL"),
    (["revoke", "DIR", "a/b"], "serial in hex"),
    (["serial"], "FILE"),
    (["list", "DIR", "--rsa"], "--help"),
    (["client", "DIR", "x", "--sans", "DNS:a"], "--san"),
    (["client", "DIR", "x", "--days"], "value"),
    (["client", "DIR", "x", "--days", "0"], "1 to 36500"),
    (["client", "DIR", "x", "--days", "-1"], "1 to 36500"),
    (["client", "DIR", "x", "--days=36501"], "1 to 36500"),
    (["client", "DIR", "x", "--days", "1d"], "1 to 36500"),
    (["client", "DIR", "x", "--rsa", "1024"], "2048 to 8192"),
    (["client", "DIR", "x", "--rsa=big"], "2048 to 8192"),
    (["client", "DIR", "x", "--eku", "both"], "server, client or none"),
    (["client", "DIR", "x", "--san", ""], "DNS:host"),
    (["client", "DIR", "x", "--san", "localhost"], "DNS:host"),
    (["client", "DIR", "x", "--san", "DNS:a,"], "DNS:host"),
    (["client", "DIR", "x", "--san", "DNS:a b"], "DNS:host"),
    (["client", "DIR", "x", "--san", "DNS:a\nb"], "a?b"),
    (["client", "DIR", "x", "--san", "IP:1.2.3"], "IP:address"),
    (["client", "DIR", "x", "--san", "IP:1.2.3.256"], "IP:address"),
    (["client", "DIR", "x", "--san", "IP:fe80::g"], "IP:address"),
    (["client", "DIR", "x", "--san", "URI:a"], "URI:uri"),
    (["client", "DIR", "x", "--san", "URI:a:b#c"], "URI:uri"),
    (["client", "DIR", "x", "--quiet=yes"], "no value"),
    (["ca", "DIR", "--name", "a/b"], "letters"),
    (["ca", "DIR", "--name", "$x"], "letters"),
    (["ca", "DIR", "--name", ""], "letters"),
    (["ca", "DIR", "--crl-days", "0"], "1 to 36500"),
    (["crl", "DIR", "--crl-days", "3", "--next-update", "+1d"],
     "not both"),
    (["client", "DIR", "x", "--days", "3", "--not-after", "+1d"],
     "not both"),
])
def test_bad_usage_is_one_line_with_a_hint(args, hint, tmp_path):
    done = run(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("certs-gen: ")
    assert hint in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.spec("CRT-2", "CRT-16")
@pytest.mark.parametrize("name", [
    "", ".", "..", "../x", "a/b", "a b", "-x", ".x", "_x", "a\nb", "é", "a$b",
    "x" * 65])
def test_names_are_restricted(ca, name):
    before = tree(ca)
    for command in ("server", "client", "upstream", "intermediate"):
        done = run(command, ca, "--", name)
        assert done.returncode == 2
        assert "letters, digits" in done.stderr
    assert tree(ca) == before


@pytest.mark.spec("CRT-16")
@pytest.mark.parametrize("name", ["a", "7", "A.b_c-d", "x" * 64])
def test_names_that_are_accepted(ca, name):
    make("client", ca, name)
    assert f"Subject: CN = {name}\n" in text_of(ca / f"{name}.pem")
    # what PrintableString cannot hold must not become a T61String
    assert f"UTF8STRING        :{name}\n" in openssl(
        "asn1parse", "-in", ca / f"{name}.pem")


# --- certificates ------------------------------------------------------------

@pytest.mark.spec("CRT-4", "CRT-27")
def test_ca_has_its_files_and_extensions(tmp_path):
    ca = tmp_path / "deep" / "er"
    make("ca", ca)
    cert = ca / "ca.pem"
    assert {p.name for p in ca.iterdir()} == {"ca.pem", "ca.key", "ca.crl",
                                              "ca.db"}
    assert extension(cert, "Basic Constraints") == (True, "CA:TRUE")
    assert extension(cert, "Key Usage") == (True, "Certificate Sign, CRL Sign")
    assert extension(cert, "Subject Key Identifier")
    assert "Subject: CN = lbproxy CA\n" in text_of(cert)
    openssl("verify", "-x509_strict", "-CAfile", cert, cert)
    ssl.create_default_context(cafile=cert).load_cert_chain(cert,
                                                            ca / "ca.key")
    assert mode(ca / "ca.db") == 0o700


@pytest.mark.spec("CRT-27")
def test_ca_name_and_existing_directory(tmp_path):
    (tmp_path / "other").write_text("mine")
    make("ca", tmp_path, "--name", "Team 7 CA")
    assert "Issuer: CN = Team 7 CA\n" in text_of(tmp_path / "ca.pem")
    assert (tmp_path / "other").read_text() == "mine"


@pytest.mark.spec("CRT-4")
def test_first_crl_is_valid_and_empty(ca):
    number, (last, until), serials = crl_of(ca)
    assert (number, until - last) == (1, datetime.timedelta(days=30))
    assert serials == []
    text = openssl("crl", "-in", ca / "ca.crl", "-noout", "-text")
    assert "Version 2 " in text
    assert extension(ca / "ca.pem", "Subject Key Identifier")[1] in text
    done = subprocess.run(["openssl", "crl", "-in", ca / "ca.crl", "-CAfile",
                           ca / "ca.pem", "-noout"], capture_output=True)
    assert b"verify OK" in done.stderr


@pytest.mark.spec("CRT-28")
@pytest.mark.parametrize("kind, usage, good, bad", [
    ("server", "Server", "sslserver", "sslclient"),
    ("upstream", "Server", "sslserver", "sslclient"),
    ("client", "Client", "sslclient", "sslserver")])
def test_what_a_leaf_is_for(ca, kind, usage, good, bad):
    make(kind, ca, "x")
    cert = ca / "x.pem"
    assert extension(cert, "Extended Key Usage") == (
        False, f"TLS Web {usage} Authentication")
    assert verify(ca, cert, good) is None
    assert "purpose" in verify(ca, cert, bad)


@pytest.mark.spec("CRT-5")
@pytest.mark.parametrize("kind", ["server", "upstream", "client"])
def test_leaf_extensions(ca, kind):
    make(kind, ca, "x")
    cert = ca / "x.pem"
    assert "Subject: CN = x\n" in text_of(cert)
    assert "Version: 3 " in text_of(cert)
    assert extension(cert, "Basic Constraints") == (True, "CA:FALSE")
    assert extension(cert, "Key Usage") == (True, "Digital Signature")
    assert extension(cert, "Subject Key Identifier")
    assert extension(cert, "Authority Key Identifier")[1] == \
        extension(ca / "ca.pem", "Subject Key Identifier")[1]


@pytest.mark.spec("CRT-6")
def test_default_names(ca):
    for kind in ("server", "upstream", "client"):
        make(kind, ca, kind)
    assert sans(ca / "server.pem") == LOOPBACK
    assert sans(ca / "upstream.pem") == LOOPBACK | {"DNS:upstream"}
    assert sans(ca / "client.pem") == {"DNS:client"}


@pytest.mark.spec("CRT-6")
def test_names_given(ca):
    make("upstream", ca, "db", "--san", "DNS:db.internal,IP:192.0.2.7",
         "--san=DNS:*.example.org,IP:2001:db8::1")
    cert = ca / "db.pem"
    assert sans(cert) == {"DNS:db.internal", "IP Address:192.0.2.7",
                          "DNS:*.example.org",
                          "IP Address:2001:DB8:0:0:0:0:0:1"}
    assert verify(ca, cert, "sslserver", "-verify_hostname",
                  "db.internal") is None
    assert "mismatch" in verify(ca, cert, "sslserver", "-verify_hostname",
                                "localhost")


@pytest.mark.spec("CRT-6")
def test_uris(ca):
    make("client", ca, "alice", "--san", "URI:spiffe://corp/ns/a~b",
         "--san=URI:urn:x?=%20&y@+!*-,DNS:alice.corp")
    assert sans(ca / "alice.pem") == {
        "URI:spiffe://corp/ns/a~b", "URI:urn:x?=%20&y@+!*-",
        "DNS:alice.corp"}


@pytest.mark.spec("CRT-3", "CRT-6")
def test_an_address_that_openssl_rejects(ca):
    before = tree(ca)
    said = refused("server", ca, "x", "--san", "IP:1::2::3")
    assert "bad ip address" in said
    assert tree(ca) == before


@pytest.mark.spec("CRT-5", "CRT-7")
def test_keys_are_p256_or_rsa(tmp_path):
    ca = tmp_path / "rsa-ca"
    make("ca", ca, "--rsa")
    make("client", ca, "ec")
    make("server", ca, "rsa", "--rsa")
    make("client", ca, "rsa3072", "--rsa", "3072")
    make("client", ca, "--rsa", "after")
    usage = (True, "Digital Signature, Key Encipherment")
    for name, key in (("ca", "2048 bit"), ("rsa", "2048 bit"),
                      ("rsa3072", "3072 bit"), ("after", "2048 bit"),
                      ("ec", "256 bit")):
        text = text_of(ca / f"{name}.pem")
        assert f"Public-Key: ({key})" in text
        assert ("rsaEncryption" in text) == (name != "ec")
        assert "Signature Algorithm: sha256WithRSAEncryption" in text
        ssl.create_default_context().load_cert_chain(ca / f"{name}.pem",
                                                     ca / f"{name}.key")
        if name not in ("ca", "ec"):
            assert extension(ca / f"{name}.pem", "Key Usage") == usage
    assert "NIST CURVE: P-256" in text_of(ca / "ec.pem")
    assert verify(ca, ca / "ec.pem", "sslclient") is None
    assert verify(ca, ca / "rsa.pem", "sslserver") is None


@pytest.mark.spec("CRT-7")
def test_a_p256_ca_signs_with_sha256(ca):
    assert "NIST CURVE: P-256" in text_of(ca / "ca.pem")
    assert "Signature Algorithm: ecdsa-with-SHA256" in text_of(ca / "ca.pem")


@pytest.mark.spec("CRT-15")
@pytest.mark.parametrize("eku, usage", [
    ("server", (False, "TLS Web Server Authentication")),
    ("client", (False, "TLS Web Client Authentication")), ("none", None)])
def test_eku_can_be_made_wrong(ca, eku, usage):
    for kind in ("client", "server"):
        make(kind, ca, kind, "--eku", eku)
        assert extension(ca / f"{kind}.pem", "Extended Key Usage") == usage


# --- files -------------------------------------------------------------------

@pytest.mark.spec("CRT-8")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_modes_under_any_umask(tmp_path, umask):
    ca = tmp_path / "ca"
    make("ca", ca, umask=umask)
    make("client", ca, "alice", umask=umask)
    make("intermediate", ca, "sub", umask=umask)
    make("revoke", ca, "alice", umask=umask)
    keys = sorted(ca.rglob("*.key"))
    public = sorted([*ca.rglob("*.pem"), *ca.rglob("*.crl")])
    assert len(keys) == 3 and len(public) == 5
    assert {mode(p) for p in keys} == {0o600}
    assert {mode(p) for p in public} == {0o644}
    assert {mode(p) for p in ca.rglob("ca.db")} == {0o700}


@pytest.mark.spec("CRT-8")
def test_a_key_is_never_readable_in_between(tmp_path):
    spy = 'find . -type f -name "*key*" -perm /077 >>"$here/open"\n' \
        'find . -name .certs-gen.lock -perm /077 >>"$here/open"\n'
    body = '"$real" "$@"; rc=$?\n' + spy + \
        'find . -type f -name "*key*" >>"$here/seen"\nexit $rc'
    env = shim(tmp_path / "bin", "openssl", body)
    mv = shim(tmp_path / "bin2", "mv", spy.replace("$here", str(
        tmp_path / "bin")) + 'exec "$real" "$@"')
    env["PATH"] = mv["PATH"].split(":")[0] + ":" + env["PATH"]
    ca = tmp_path / "ca"
    make("ca", ca, env=env, umask=0)
    make("client", ca, "alice", env=env, umask=0)
    make("intermediate", ca, "sub", env=env, umask=0)
    assert (tmp_path / "bin" / "seen").read_text().count(".lock/key") >= 5
    assert (tmp_path / "bin" / "open").read_text() == ""


@pytest.mark.spec("CRT-9")
@pytest.mark.parametrize("taken", ["x.pem", "x.key"])
@pytest.mark.parametrize("how", ["file", "directory", "dangling link"])
def test_a_leaf_overwrites_nothing(ca, taken, how):
    path = ca / taken
    if how == "file":
        path.write_text("mine")
    elif how == "directory":
        path.mkdir()
    else:
        path.symlink_to("nowhere")
    before = tree(ca)
    assert f"{path} exists" in refused("client", ca, "x")
    assert tree(ca) == before


@pytest.mark.spec("CRT-9")
@pytest.mark.parametrize("taken", ["ca.pem", "ca.key", "ca.crl", "ca.db"])
def test_a_ca_overwrites_nothing(tmp_path, taken):
    (tmp_path / taken).write_text("mine")
    before = tree(tmp_path)
    assert f"{tmp_path / taken} exists" in refused("ca", tmp_path)
    assert tree(tmp_path) == before


@pytest.mark.spec("CRT-9")
def test_existing_names_are_refused(ca):
    make("client", ca, "alice")
    (ca / "sub").mkdir()
    before = tree(ca)
    refused("ca", ca)
    refused("server", ca, "alice")
    refused("server", ca, "ca")
    assert f"{ca}/sub exists" in refused("intermediate", ca, "sub")
    assert tree(ca) == before


@pytest.mark.spec("CRT-3")
def test_a_directory_without_a_ca(tmp_path):
    for args in (["client", tmp_path, "x"], ["revoke", tmp_path, "x"],
                 ["crl", tmp_path], ["list", tmp_path],
                 ["client", tmp_path / "none", "x"]):
        said = refused(*args)
        assert "certs-gen ca makes" in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())


def commands_that_write(ca):
    return {"ca": ["ca", ca.parent / "new" / "ca"],
            "client": ["client", ca, "x"],
            "intermediate": ["intermediate", ca, "x"],
            "revoke": ["revoke", ca, "alice"],
            "crl": ["crl", ca]}


@pytest.mark.spec("CRT-3", "CRT-26")
@pytest.mark.parametrize("program", ["openssl", "mv", "cp", "awk"])
@pytest.mark.parametrize("command", ["ca", "client", "intermediate",
                                     "revoke", "crl"])
def test_whatever_fails_leaves_no_trace(ca, tmp_path, command, program):
    make("client", ca, "alice")
    (tmp_path / "new").mkdir()
    args = commands_that_write(ca)[command]
    before = tree(tmp_path)
    (tmp_path / "bin").mkdir()
    for n in range(1, 50):
        env = shim(tmp_path / "bin" / str(n), program, FAIL_AT % n)
        done = run(*args, env=env)
        calls = tmp_path / "bin" / str(n) / "calls"
        if not calls.exists() or len(calls.read_text().split()) < n:
            break
        assert (done.returncode, done.stdout) == (1, ""), n
        assert "injected failure" in done.stderr
        after = {k: v for k, v in tree(tmp_path).items()
                 if not k.startswith("bin")}
        assert after == before, n
    assert done.returncode == 0, done.stderr
    assert n > 1 or (program, command) == ("cp", "ca")


@pytest.mark.spec("CRT-26")
@pytest.mark.parametrize("sig", [signal.SIGHUP, signal.SIGINT,
                                 signal.SIGTERM])
@pytest.mark.parametrize("command", ["ca", "client", "revoke"])
def test_an_interrupted_run_leaves_no_trace(ca, tmp_path, command, sig):
    make("client", ca, "alice")
    (tmp_path / "new").mkdir()
    before = tree(tmp_path)
    env = shim(tmp_path / "bin", "openssl",
               '[ "$1" = req ] && exec "$real" "$@"\n'
               'echo there >"$here/fifo"; read -r never <"$here/fifo"')
    os.mkfifo(tmp_path / "bin" / "fifo")
    args = [str(TOOL), *map(str, commands_that_write(ca)[command])]
    # A suite in the background ignores SIGINT, and a shell cannot undo that.
    with subprocess.Popen(args, env=env, start_new_session=True,
                          preexec_fn=lambda: signal.signal(sig, signal.SIG_DFL),
                          stderr=subprocess.DEVNULL) as child:
        assert (tmp_path / "bin" / "fifo").read_text() == "there\n"
        os.killpg(child.pid, sig)
        assert child.wait(timeout=LIMIT_S) == 128 + sig
    after = {k: v for k, v in tree(tmp_path).items()
             if not k.startswith("bin")}
    assert after == before


@pytest.mark.spec("CRT-21")
@pytest.mark.parametrize("name", ["a b", "it's $HOME", "-dash", "a;b#c=[d]",
                                  'q"\\', "2048"])
def test_any_characters_in_the_path(tmp_path, name):
    dashes = ["--"] if name.startswith("-") else []
    make("ca", *dashes, name, cwd=tmp_path)
    out = make("client", *dashes, name + "/", "alice", cwd=tmp_path)
    assert out.startswith(f"# wrote {name}/alice.pem, ")
    make("intermediate", *dashes, name, "sub", cwd=tmp_path)
    make("client", *dashes, f"./{name}/sub", "eve", cwd=tmp_path)
    make("revoke", *dashes, name, "alice", cwd=tmp_path)
    cert = f"{name}/alice.pem"
    serial = make("serial", *dashes, cert, cwd=tmp_path).strip()
    assert listed(tmp_path / name)["alice"][1] == serial
    assert verify(tmp_path / name, tmp_path / cert, "sslclient") == \
        "certificate revoked"


@pytest.mark.spec("CRT-21")
def test_runs_from_inside_and_through_a_link(ca, tmp_path):
    make("client", ".", "one", cwd=ca)
    (tmp_path / "tool").symlink_to(TOOL)
    subprocess.run([tmp_path / "tool", "client", ca.name, "two"],
                   cwd=tmp_path, check=True, capture_output=True,
                   env={**os.environ, "CDPATH": "/:/tmp"})
    assert list(listed(ca)) == ["ca", "one", "two"]


@pytest.mark.spec("CRT-22")
def test_runs_at_once_wait_for_each_other(ca):
    names = [f"c{i}" for i in range(8)]
    runs = [subprocess.Popen([str(TOOL), "client", str(ca), name],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for name in names]
    outs = [r.communicate(timeout=LIMIT_S)[0] for r in runs]
    assert [r.returncode for r in runs] == [0] * len(names), outs
    rows = listed(ca)
    assert set(rows) == {"ca", *names}
    for name in names:
        assert rows[name][1] == make("serial", ca / f"{name}.pem").strip()


@pytest.mark.spec("CRT-22")
def test_a_lock_left_behind_is_reported(ca):
    gone = subprocess.Popen(["true"])
    gone.wait()
    lock = ca / ".certs-gen.lock"
    lock.mkdir()
    (lock / "pid").write_text(f"{gone.pid}\n")
    said = refused("client", ca, "x")
    assert f"{lock} was left by process {gone.pid}" in said
    assert not (ca / "x.pem").exists()
    (lock / "pid").unlink()
    lock.rmdir()
    make("client", ca, "x")


@pytest.mark.spec("CRT-23")
def test_output_on_success(tmp_path):
    ca = tmp_path / "a b"
    assert re.fullmatch(rf"# wrote {ca}/ca.pem, .*\n", make("ca", ca))
    assert re.fullmatch(
        rf'# wrote {ca}/x.pem, x.key; valid until \d{{4}}-\d\d-\d\d\n'
        r'serials = \["[0-9A-F:]+"\]\n', make("client", ca, "x"))
    for args in (["server", ca, "s"], ["crl", ca], ["revoke", ca, "x"],
                 ["intermediate", ca, "i"]):
        assert re.fullmatch(r"# wrote .*\n", make(*args))
        assert make(args[0], ca, *(["s"] if args[0] == "revoke" else
                                   ["y" + a for a in args[2:]]), "-q") == ""
    out = make("client", ca, "z", "--quiet", "--serial", "1A2B3C")
    assert out == 'serials = ["1A:2B:3C"]\n'


# --- a whole table -----------------------------------------------------------

APP = """
[tls]
certificate = "certs/server.pem"
private_key = "certs/server.key"
client_ca = "certs/ca.pem"
[[app]]
id = "web"
listen = ["127.0.0.1:9001"]
upstream = [{ url = "tcp://127.0.0.1:8080" }]
[[app]]
id = "#]'s"
listen = ["127.0.0.1:9002"]
upstream = [{ url = "tcp://127.0.0.1:8080" }]"""


def checked(path):
    """What lbproxyd says of a configuration."""
    done = subprocess.run([LBPROXYD, "-c", path, "--check"], text=True,
                          capture_output=True, timeout=LIMIT_S)
    return done.returncode, done.stderr


@pytest.mark.spec("CRT-35")
@pytest.mark.parametrize("last", ["", "\n", "    # a comment"])
@pytest.mark.parametrize("name, apps", [
    ("alice", ["web"]), ("1.2-x_Y", ["#]'s"]), ("true", ["#]'s", "web"])])
def test_a_table_of_a_client_is_appended(ca, last, name, apps):
    make("server", ca, "server")
    options = [f"--app={app}" for app in apps]
    out = make("client", ca, name, "--toml", *options, "--days", 30)
    assert "wrote" not in out
    path = ca.parent / "lbproxy.toml"
    path.write_text(APP + last + out)
    assert checked(path) == (0, "")
    assert tomllib.loads(path.read_text())["client"] == [
        {"id": name, "serials": [make("serial", ca / f"{name}.pem").strip()],
         "apps": apps}]
    assert f"valid until {ends(ca / f'{name}.pem')[1]:%Y-%m-%d}" in out


@pytest.mark.spec("CRT-35")
@pytest.mark.parametrize("name", ["a b", "a\nb", "a\x1b[1m", "\udcff"])
def test_a_table_has_nothing_of_the_path(ca, name):
    top = ca.rename(ca.parent / name)
    out = make("client", top, "x", "--toml", "--app", "web")
    assert set(tomllib.loads(out)["client"][0]) == {"id", "serials", "apps"}
    assert out.isascii() and out.count("\n") == 5


@pytest.mark.spec("CRT-36")
@pytest.mark.parametrize("options, hint", [
    (["--toml"], "--app"), (["--app", "web"], "--toml"),
    (["--toml", "--app", "web", "--app", "web"], "once"),
    (["--toml", "--app", ""], "1 to 64"),
    (["--toml", "--app", "a b"], "1 to 64"),
    (["--toml", "--app", 'a"b'], "1 to 64"),
    (["--toml", "--app", "a\\b"], "1 to 64"),
    (["--toml", "--app", "\u00e9"], "1 to 64"),
    (["--toml", "--app", "a\n"], "1 to 64"),
    (["--toml", "--app", "a" * 65], "1 to 64"),
    (["--toml=yes", "--app", "web"], "no value")])
def test_what_no_table_is_printed_of(ca, options, hint):
    is_bad_usage(ca, options, hint)


@pytest.mark.spec("CRT-36")
def test_ids_of_any_apps(ca):
    apps = ["a" * 64, "".join(map(chr, range(35, 90))), "]![}'`~^_{|"]
    out = make("client", ca, "x", "--toml",
               *(part for app in apps for part in ("--app", app)))
    assert tomllib.loads(out)["client"][0]["apps"] == apps


@pytest.mark.spec("CRT-24")
@pytest.mark.parametrize("kind", ["server", "client", "upstream"])
def test_a_leaf_takes_two_runs_of_openssl(ca, tmp_path, kind):
    env = shim(tmp_path / "bin", "openssl", COUNT + 'exec "$real" "$@"')
    make(kind, ca, "x", env=env)
    assert (tmp_path / "bin" / "calls").read_text().count("call") == 2


# --- serials -----------------------------------------------------------------

@pytest.mark.spec("CRT-10", "CRT-13")
@pytest.mark.parametrize("given, canonical", [
    ("1A2B3C", "1A:2B:3C"), ("1a:2b:3c", "1A:2B:3C"), ("1", "01"),
    ("00:00:1a", "1A"), ("0:1a2b", "1A:2B"), ("1a2b:3c", "1A:2B:3C"),
    ("0100", "01:00"), ("80", "80"), ("7F" + "00" * 19, None),
    ("FF" * 20, None), ("00" * 5 + "ab" * 20, None), ("1e5", "01:E5")])
def test_chosen_serials(ca, given, canonical):
    if canonical is None:
        digits = given.upper()[-40:]
        canonical = ":".join(re.findall("..", digits))
    out = make("client", ca, "x", "--serial", given)
    assert out.splitlines()[-1] == f'serials = ["{canonical}"]'
    assert serial_of(ca / "x.pem") == canonical.replace(":", "")
    assert make("serial", ca / "x.pem") == canonical + "\n"
    assert listed(ca)["x"][1] == canonical
    assert verify(ca, ca / "x.pem", "sslclient") is None


@pytest.mark.spec("CRT-2", "CRT-10")
@pytest.mark.parametrize("given", [
    "", "0", "00:00", "-1", "0x1A", "1G", "1A 2B", ":1A", "1A:", "1A::2B",
    "1A:2", "1A:2B3", "01" + "00" * 20, "1A\n2B", "١"])
def test_serials_that_are_refused(ca, given):
    before = tree(ca)
    done = run("client", ca, "x", "--serial", given)
    assert done.returncode == 2
    assert "at most 20 octets in hex" in done.stderr
    assert tree(ca) == before


@pytest.mark.spec("CRT-13")
def test_a_client_ends_with_its_serial(ca):
    line = make("client", ca, "x").splitlines()[-1]
    serial = re.fullmatch(r'serials = \["([0-9A-F]{2}(:[0-9A-F]{2})*)"\]',
                          line)[1]
    assert int(serial.replace(":", ""), 16) == int(serial_of(ca / "x.pem"), 16)
    assert make("serial", ca / "x.pem") == serial + "\n"


@pytest.mark.spec("CRT-11")
def test_random_serials(ca):
    seen = set()
    for i in range(8):
        make("client", ca, f"c{i}")
        number = int(serial_of(ca / f"c{i}.pem"), 16)
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        assert 9 <= len(octets) <= 20 and 0 < octets[0] < 0x80
        seen.add(octets[-8:])
    assert len(seen) == 8
    for at in range(8):
        assert len({octets[at] for octets in seen}) > 1


@pytest.mark.spec("CRT-12")
@pytest.mark.parametrize("again", ["1A2B3C", "1a:2b:3c", "00:1a:2b:3c"])
def test_a_serial_is_used_once(ca, again):
    make("client", ca, "alice", "--serial", "1A2B3C")
    for state in ("valid", "revoked"):
        before = tree(ca)
        for kind in ("client", "server", "upstream", "intermediate"):
            said = refused(kind, ca, "x", "--serial", again)
            assert "1A:2B:3C was used before" in said
        assert tree(ca) == before
        if state == "valid":
            make("revoke", ca, "alice")


@pytest.mark.spec("CRT-12")
def test_other_used_serials(tmp_path):
    ca = tmp_path / "ca"
    make("ca", ca, "--serial", "05")
    refused("client", ca, "x", "--serial", "5")
    make("client", ca, "old", "--serial", "06", "--not-after", "-1d")
    refused("client", ca, "x", "--serial", "6")
    make("intermediate", ca, "sub", "--serial", "07")
    make("client", ca / "sub", "x", "--serial", "06")
    # these two are the same number to a program that reads 1E02 as 1 x 10^2
    make("client", ca, "p", "--serial", "1E02")
    make("client", ca, "q", "--serial", "0100")
    make("revoke", ca, "1E:02")
    assert crl_of(ca)[2] == ["1E02"]
    assert listed(ca)["q"] == ("client", "01:00", listed(ca)["q"][2], "valid")


def foreign(where, serial):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-keyout", where / "key",
            "-out", where / "cert", "-subj", "/CN=x", "-set_serial", serial)
    return where / "cert"


@pytest.mark.spec("CRT-29")
@pytest.mark.parametrize("serial, shown", [
    ("1", "01"), ("0x1a2b3c", "1A:2B:3C"), ("0x80", "80"),
    ("0x" + "FE" * 20, ":".join(["FE"] * 20))])
def test_serial_of_a_foreign_certificate(tmp_path, serial, shown):
    cert = foreign(tmp_path, serial)
    assert make("serial", cert) == shown + "\n"
    assert make("serial", "-", input=cert.read_text()) == shown + "\n"
    assert make("serial", "cert", cwd=tmp_path) == shown + "\n"


@pytest.mark.spec("CRT-29")
@pytest.mark.parametrize("serial", ["0", "-5", "0x01" + "00" * 20])
def test_a_serial_of_no_use_is_refused(tmp_path, serial):
    said = refused("serial", foreign(tmp_path, serial))
    assert "positive and at most 20 octets" in said


@pytest.mark.spec("CRT-3", "CRT-29")
def test_serial_of_what_is_no_certificate(ca, tmp_path):
    assert "no certificate" in refused("serial", ca / "ca.key")
    assert "cannot read" in refused("serial", ca)
    assert "cannot read" in refused("serial", tmp_path / "none")


# --- validity ----------------------------------------------------------------

@pytest.mark.spec("CRT-14")
def test_default_validity(ca):
    make("client", ca, "x")
    make("intermediate", ca, "sub")
    make("client", ca, "week", "--days", "7")
    now = datetime.datetime.utcnow()
    for cert, days in ((ca / "ca.pem", 3650), (ca / "x.pem", 365),
                       (ca / "sub" / "ca.pem", 1825), (ca / "week.pem", 7)):
        start, end = ends(cert)
        assert abs(now - start) < datetime.timedelta(minutes=10)
        assert end - start == datetime.timedelta(days=days)


@pytest.mark.spec("CRT-30")
@pytest.mark.parametrize("start, end, real_start, real_end", [
    ("20260131235958Z", "20270228010203Z", "2026-01-31T23:59:58",
     "2027-02-28T01:02:03"),
    ("2024-02-29", "2099-12-31T23:59:59Z", "2024-02-29T00:00:00",
     "2099-12-31T23:59:59"),
    ("1960-01-01", "1970-01-01", "1960-01-01T00:00:00",
     "1970-01-01T00:00:00"),
    ("1950-01-01", "9999-12-31T23:59:59Z", "1950-01-01T00:00:00",
     "9999-12-31T23:59:59"),
    ("2049-12-31T23:59:59Z", "2050-01-01", "2049-12-31T23:59:59",
     "2050-01-01T00:00:00")])
def test_given_validity(ca, start, end, real_start, real_end):
    make("client", ca, "x", "--not-before", start, "--not-after", end)
    assert [e.isoformat() for e in ends(ca / "x.pem")] == [real_start,
                                                           real_end]
    assert listed(ca)["x"][2] == real_end + "Z"


@pytest.mark.spec("CRT-14")
@pytest.mark.parametrize("start", [
    "2023-12-31", "2024-02-28", "2026-11-22", "1999-03-01", "2100-02-28"])
@pytest.mark.parametrize("days", [1, 59, 365, 366, 36500])
def test_days_are_counted_from_the_start(ca, start, days):
    make("client", ca, "x", "--not-before", start, "--days", days)
    real = datetime.datetime.fromisoformat(start)
    assert ends(ca / "x.pem") == (real, real + datetime.timedelta(days=days))


@pytest.mark.parametrize("args, start_s, end_s", [
    pytest.param(*values, marks=pytest.mark.spec(rule))
    for rule, *values in (
        ("CRT-30", ["--not-before", "-90s", "--not-after", "+5m"], -90, 300),
        ("CRT-30", ["--not-before", "+2h"], 7200, 7200 + 365 * 86400),
        ("CRT-30", ["--not-after", "+400d"], 0, 400 * 86400),
        ("CRT-31", ["--not-after", "-1d"], -2 * 86400, -86400),
        ("CRT-30", ["--not-after", "+2h"], 0, 7200))])
def test_relative_validity(ca, args, start_s, end_s):
    before = datetime.datetime.utcnow().replace(microsecond=0)
    make("client", ca, "x", *args)
    after = datetime.datetime.utcnow()
    for got, offset in zip(ends(ca / "x.pem"), (start_s, end_s)):
        delta = datetime.timedelta(seconds=offset)
        assert before + delta <= got <= after + delta


def is_bad_usage(ca, args, hint):
    before = tree(ca)
    done = run("client", ca, "x", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert hint in done.stderr and done.stderr.count("\n") == 1
    assert tree(ca) == before


@pytest.mark.spec("CRT-32")
@pytest.mark.parametrize("start", ["2027-01-01", "2027-01-02"])
def test_an_end_that_is_no_end(ca, start):
    is_bad_usage(ca, ["--not-before", start, "--not-after", "2027-01-01"],
                 "after --not-before")


@pytest.mark.spec("CRT-2", "CRT-30")
@pytest.mark.parametrize("args, hint", [
    (["--not-after", ""], "2027-01-31"),
    (["--not-after", "tomorrow"], "2027-01-31"),
    (["--not-after", "5d"], "+90s"),
    (["--not-after", "+5w"], "+90s"),
    (["--not-after", "2026-02-29"], "2027-01-31"),
    (["--not-after", "2026-13-01"], "2027-01-31"),
    (["--not-after", "2100-02-29"], "2027-01-31"),
    (["--not-after", "20270431000000Z"], "2027-01-31"),
    (["--not-after", "20270401240000Z"], "2027-01-31"),
    (["--not-after", "270401000000Z"], "2027-01-31"),
    (["--not-before", "1949-12-31"], "2027-01-31"),
    (["--not-before", "-99999d"], "1950"),
    (["--not-after", "+99999999d"], "9999")])
def test_bad_validity(ca, args, hint):
    is_bad_usage(ca, args, hint)


@pytest.mark.spec("CRT-14", "CRT-19")
def test_expired_and_not_yet_valid(ca):
    make("client", ca, "old", "--not-after", "-1d")
    make("client", ca, "new", "--not-before", "+1d")
    assert verify(ca, ca / "old.pem", "sslclient") == "certificate has expired"
    assert verify(ca, ca / "new.pem", "sslclient") == \
        "certificate is not yet valid"
    assert listed(ca)["old"][3] == "expired"
    assert listed(ca)["new"][3] == "not-yet-valid"


# --- revocation and the list -------------------------------------------------

@pytest.mark.spec("CRT-17")
@pytest.mark.parametrize("by", ["alice", "1A2B3C", "1a:2b:3c", "00:1A2B3C"])
def test_revoke(ca, by):
    make("client", ca, "alice", "--serial", "1A2B3C")
    make("client", ca, "bob")
    assert verify(ca, ca / "alice.pem", "sslclient") is None
    out = make("revoke", ca, by, "--crl-days", "7")
    assert "1A:2B:3C is revoked" in out
    number, (last, until), serials = crl_of(ca)
    assert (number, serials) == (2, ["1A2B3C"])
    assert until - last == datetime.timedelta(days=7)
    assert verify(ca, ca / "alice.pem", "sslclient") == "certificate revoked"
    assert verify(ca, ca / "bob.pem", "sslclient") is None
    assert listed(ca)["alice"][3] == "revoked"
    assert listed(ca)["bob"][3] == "valid"


@pytest.mark.spec("CRT-17")
def test_revocations_add_up(ca):
    for i, kind in enumerate(("client", "server", "intermediate")):
        make(kind, ca, kind, "--serial", f"0{i + 1}")
    for i, kind in enumerate(("server", "client", "intermediate")):
        make("revoke", ca, kind)
        assert crl_of(ca)[0] == i + 2
    assert sorted(crl_of(ca)[2]) == ["01", "02", "03"]
    assert crl_of(ca)[1][1] - crl_of(ca)[1][0] == datetime.timedelta(days=30)


@pytest.mark.spec("CRT-33")
def test_revocations_that_are_refused(ca):
    make("client", ca, "alice", "--serial", "1A")
    make("revoke", ca, "alice")
    before = tree(ca)
    assert "already revoked" in refused("revoke", ca, "alice")
    assert "already revoked" in refused("revoke", ca, "1a")
    assert "no certificate" in refused("revoke", ca, "nobody")
    assert "no certificate" in refused("revoke", ca, "1B")
    assert "cannot revoke itself" in refused("revoke", ca, "ca")
    assert "cannot revoke itself" in refused(
        "revoke", ca, serial_of(ca / "ca.pem"))
    assert tree(ca) == before


@pytest.mark.spec("CRT-34")
def test_a_serial_with_a_colon_is_no_name(ca):
    make("client", ca, "1A", "--serial", "05")
    make("client", ca, "x", "--serial", "1A")
    make("revoke", ca, "00:1A")
    assert crl_of(ca)[2] == ["1A"]
    assert "already revoked" in refused("revoke", ca, "0:1A")


@pytest.mark.spec("CRT-17", "CRT-33")
def test_names_and_serials_that_fit_several(ca):
    make("client", ca, "1A", "--serial", "05")
    make("client", ca, "x", "--serial", "1A")
    said = refused("revoke", ca, "1A")
    assert "several" in said and "05 1A" in said
    make("revoke", ca, "x")
    make("revoke", ca, "1A")
    assert sorted(crl_of(ca)[2]) == ["05", "1A"]


@pytest.mark.spec("CRT-17")
def test_a_name_used_again(ca):
    make("client", ca, "alice", "--serial", "01")
    make("revoke", ca, "alice")
    (ca / "alice.pem").unlink()
    (ca / "alice.key").unlink()
    make("client", ca, "alice", "--serial", "02")
    make("revoke", ca, "alice")
    assert sorted(crl_of(ca)[2]) == ["01", "02"]


@pytest.mark.spec("CRT-18")
def test_crl_is_renewed(ca):
    make("client", ca, "alice", "--serial", "1A")
    make("client", ca, "bob")
    make("revoke", ca, "alice")
    make("crl", ca, "--crl-days", "90")
    number, (last, until), serials = crl_of(ca)
    assert (number, serials) == (3, ["1A"])
    assert until - last == datetime.timedelta(days=90)
    make("crl", ca, "--next-update", "-1d")
    assert crl_of(ca)[2] == ["1A"]
    assert verify(ca, ca / "bob.pem", "sslclient") == "CRL has expired"
    make("crl", ca, "--last-update", "+1d")
    assert verify(ca, ca / "bob.pem", "sslclient") == "CRL is not yet valid"
    make("crl", ca)
    assert verify(ca, ca / "bob.pem", "sslclient") is None
    done = run("crl", ca, "--next-update", "soon")
    assert done.returncode == 2 and "--next-update 'soon'" in done.stderr


@pytest.mark.spec("CRT-19")
def test_list(ca):
    make("server", ca, "s", "--serial", "01", "--not-after", "2051-02-03")
    make("client", ca, "c-with-a-long-name", "--serial", "1A2B3C")
    make("upstream", ca, "u", "--serial", "03")
    make("intermediate", ca, "i", "--serial", "04")
    rows = listed(ca)
    assert list(rows) == ["ca", "s", "c-with-a-long-name", "u", "i"]
    assert [row[0] for row in rows.values()] == [
        "ca", "server", "client", "upstream", "intermediate"]
    assert rows["s"] == ("server", "01", "2051-02-03T00:00:00Z", "valid")
    assert rows["c-with-a-long-name"][1] == "1A:2B:3C"
    for name, row in rows.items():
        path = ca / name / "ca.pem" if name == "i" else ca / f"{name}.pem"
        assert row[2] == ends(path)[1].isoformat() + "Z"
    lines = make("list", ca).splitlines()
    column = lines[0].index("STATUS")
    assert all(line[column:] == "valid" for line in lines[1:])


# --- intermediates -----------------------------------------------------------

@pytest.mark.spec("CRT-20")
def test_intermediate(ca, tmp_path):
    make("intermediate", ca, "sub", "--name", "Sub CA")
    sub = ca / "sub"
    cert = sub / "ca.pem"
    assert {p.name for p in sub.iterdir()} == {"ca.pem", "ca.key", "ca.crl",
                                               "ca.db"}
    assert "Issuer: CN = lbproxy CA\n" in text_of(cert)
    assert "Subject: CN = Sub CA\n" in text_of(cert)
    assert extension(cert, "Basic Constraints") == (True, "CA:TRUE")
    assert extension(cert, "Key Usage") == (True, "Certificate Sign, CRL Sign")
    assert extension(cert, "Authority Key Identifier")
    assert verify(ca, cert, "any") is None
    make("client", sub, "eve")
    assert (sub / "eve.pem").read_text().count("BEGIN CERTIFICATE") == 2
    assert (sub / "eve.pem").read_text().endswith(cert.read_text())
    with_chain = ("-untrusted", sub / "eve.pem", "-CRLfile", sub / "ca.crl")
    assert verify(ca, sub / "eve.pem", "sslclient", *with_chain) is None
    assert verify(ca, sub / "eve.pem", "sslclient") == \
        "unable to get local issuer certificate"
    make("revoke", sub, "eve")
    assert verify(ca, sub / "eve.pem", "sslclient", *with_chain) == \
        "certificate revoked"
    assert listed(ca)["sub"][:1] == ("intermediate",)
    assert list(listed(sub)) == ["eve"]


@pytest.mark.spec("CRT-20")
def test_intermediate_of_an_intermediate(ca):
    make("intermediate", ca, "one")
    make("intermediate", ca / "one", "two")
    make("client", ca / "one" / "two", "eve")
    leaf = ca / "one" / "two" / "eve.pem"
    chain = leaf.read_text().split("-----BEGIN")[2:]
    assert ["-----BEGIN" + part for part in chain] == [
        (ca / "one" / "two" / "ca.pem").read_text(),
        (ca / "one" / "ca.pem").read_text()]
    openssl("verify", "-x509_strict", "-CAfile", ca / "ca.pem", "-untrusted",
            leaf, leaf)


@pytest.mark.spec("CRT-25")
@pytest.mark.parametrize("closed", [
    [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]])
def test_closed_standard_descriptors_are_no_files(tmp_path, closed):
    def close():
        for fd in closed:
            os.close(fd)

    top = tmp_path / "ca"
    done = run("ca", top, preexec_fn=close)
    assert (done.returncode, done.stderr) == (0, "")
    openssl("pkey", "-in", top / "ca.key", "-noout", "-check")
    openssl("x509", "-in", top / "ca.pem", "-noout")
    openssl("crl", "-in", top / "ca.crl", "-noout")
