"""Watch: new certificates, keys, CAs and lists are taken without a signal."""

import os
import shutil
import signal
import ssl
import subprocess

import pytest

from harness import upstreams
from harness.certs import CERTS_GEN
from harness.client import attempt, client_context, connect
from harness.wait import holds_for, wait_for

WATCH = {"watch": "50ms"}


def talk(peer, data=b"hello"):
    peer.send(data)
    assert peer.recv_exactly(len(data)) == data


def certs_gen(*args):
    subprocess.run([CERTS_GEN, *map(str, args)], check=True,
                   stdout=subprocess.DEVNULL)


def shown(server):
    """The certificate that the server shows, in DER."""
    with server.connect() as peer:
        return peer.tls.getpeercert(True)


def der_of(path):
    return ssl.PEM_cert_to_DER_cert(path.read_text().split("-----END")[0]
                                    + "-----END CERTIFICATE-----\n")


@pytest.fixture
def files(pki, tmp_path):
    """Server certificates of the run's CA, each with its key."""
    ca = tmp_path / "ca"
    shutil.copytree(pki.ca_dir, ca)
    for name in ("old", "new"):
        certs_gen("server", ca, name)
        directory = tmp_path / name
        directory.mkdir()
        for kind in ("pem", "key"):
            shutil.copy(ca / f"{name}.{kind}", directory / f"tls.{kind}")
        shutil.copy(pki.crl, directory / "tls.crl")
    return tmp_path


def start(lb, upstream, directory, **sections):
    tls = {"certificate": str(directory / "tls.pem"),
           "private_key": str(directory / "tls.key"),
           "crl": str(directory / "tls.crl")}
    return lb.proxy(upstream(upstreams.echo), server=WATCH, tls=tls,
                    **sections)


@pytest.mark.spec("WAT-1", "WAT-5", "WAT-6")
def test_a_symlink_that_is_swapped(lb, upstream, files):
    """As Kubernetes replaces what it mounts."""
    data = files / "..data"
    data.symlink_to("old")
    server = start(lb, upstream, data)
    assert shown(server) == der_of(files / "old/tls.pem")
    with server.connect() as peer:
        talk(peer)
        (files / "..next").symlink_to("new")
        os.replace(files / "..next", data)
        line = server.wait_event("reload")
        assert (line["ok"], line["cause"]) == (True, "watch")
        assert shown(server) == der_of(files / "new/tls.pem")
        talk(peer)


@pytest.mark.spec("WAT-1", "WAT-3")
def test_a_directory_that_is_gone_for_a_while(lb, upstream, files):
    """Paths from there lead nowhere then, and what is in use stays."""
    server = start(lb, upstream, files / "old")
    away = files.with_name(f"{files.name}-away")
    assert server.path.parent == files
    files.rename(away)
    wait_for(lambda: server.events("reload", ok=False), "a refused reload")
    assert server.events("error")[0]["message"].startswith(
        "cannot open its directory")
    away.rename(files)
    with server.connect() as peer:
        talk(peer)
    shutil.copy(files / "new" / "tls.pem", files / "old")
    shutil.copy(files / "new" / "tls.key", files / "old")
    server.wait_event("reload", ok=True)
    assert shown(server) == der_of(files / "new/tls.pem")


@pytest.mark.spec("WAT-5", "RLD-14")
def test_nothing_is_taken_during_a_drain(lb, upstream, files):
    server = start(lb, upstream, files / "old")
    with server.connect() as peer:
        talk(peer)
        server.signal(signal.SIGTERM)
        server.wait_event("drain")
        for name in ("tls.pem", "tls.key"):
            shutil.copy(files / "new" / name, files / "old")
        holds_for(lambda: not server.events("reload"), "it drains", 0.5)
        talk(peer)
    server.wait_exit(0)
    assert not server.events("reload")


@pytest.mark.spec("WAT-1")
def test_times_and_names_do_not_count(lb, upstream, files):
    server = start(lb, upstream, files / "old")
    for name in ("tls.pem", "tls.key", "tls.crl"):
        path = files / "old" / name
        shutil.copy(path, files / "copy")
        os.replace(files / "copy", path)
        os.utime(path, (1, 1))
    replaced = files / "old" / "tls.crl"
    # The same size and times, and other content.
    before = os.stat(replaced)
    certs_gen("revoke", files / "ca", "B0:B0")
    longer = (files / "ca" / "ca.crl").read_bytes()
    replaced.write_bytes(longer)
    os.utime(replaced, ns=(before.st_atime_ns, before.st_mtime_ns))
    server.wait_event("reload", ok=True)
    assert len(server.events("reload")) == 1


@pytest.mark.spec("WAT-3", "WAT-4")
def test_what_is_half_written_is_not_taken(lb, upstream, files):
    server = start(lb, upstream, files / "old")
    old, new = files / "old", files / "new"
    with server.connect() as peer:
        talk(peer)
        # The certificate comes first, and its key a while later.
        shutil.copy(new / "tls.pem", old / "tls.pem")
        line = server.wait_event("reload")
        assert (line["ok"], line["generation"]) == (False, 1)
        errors = server.events("error", level="error")
        assert any("tls.private_key" in error["message"]
                   or "tls.certificate" in error["message"]
                   for error in errors)
        talk(peer)
        # It is not complained of again and again.
        for _ in range(20):
            server.connect().close()
        assert len(server.events("reload")) == 1
        shutil.copy(new / "tls.key", old / "tls.key")
        server.wait_event("reload", ok=True)
        assert shown(server) == der_of(new / "tls.pem")


@pytest.mark.spec("WAT-3")
def test_what_is_gone_for_a_while(lb, upstream, files):
    """A file that cannot be read is another content, too."""
    server = start(lb, upstream, files / "old")
    crl = files / "old/tls.crl"
    crl.rename(files / "away")
    line = server.wait_event("reload")
    assert (line["ok"], line["cause"]) == (False, "watch")
    assert any("tls.crl" in error["message"]
               for error in server.events("error", level="error"))
    with server.connect() as peer:
        talk(peer)
    certs_gen("revoke", files / "ca", "0A:11:CE")
    shutil.copy(files / "ca" / "ca.crl", crl)
    server.wait_event("reload", ok=True, cause="watch")
    assert attempt(server.address(), server.context()) is not None


@pytest.mark.spec("WAT-7")
def test_what_is_in_use_is_not_loaded_again(lb, upstream, files):
    server = start(lb, upstream, files / "old")
    server.reload()
    shutil.copy(files / "new/tls.pem", files / "old/tls.pem")
    shutil.copy(files / "new/tls.key", files / "old/tls.key")
    server.reload()
    assert shown(server) == der_of(files / "new/tls.pem")
    shutil.copy(files / "ca/old.pem", files / "old/tls.pem")
    shutil.copy(files / "ca/old.key", files / "old/tls.key")
    # The signals' content was in use by then.
    server.wait_event("reload", 1, cause="watch", ok=True)
    assert shown(server) == der_of(files / "ca/old.pem")
    assert len(server.events("reload", ok=True)) == 3


@pytest.mark.spec("WAT-5")
def test_the_configuration_itself_is_not_read(lb, upstream, files):
    server = start(lb, upstream, files / "old")
    server.rewrite("nonsense")
    certs_gen("revoke", files / "ca", "0A:11:CE")
    with server.connect() as peer, server.connect("bob") as bob:
        talk(peer)
        shutil.copy(files / "ca" / "ca.crl", files / "old" / "tls.crl")
        server.wait_event("reload", ok=True, cause="watch")
        peer.expect_end("reset")
        talk(bob)
    server.wait_event("session", client="alice", reason="revoked")
    assert attempt(server.address(), server.context()) is not None


@pytest.mark.spec("WAT-6")
def test_nothing_is_watched_by_default(lb, upstream, files):
    old = files / "old"
    server = lb.proxy(upstream(upstreams.echo),
                      tls={"certificate": str(old / "tls.pem"),
                           "private_key": str(old / "tls.key")})
    shutil.copy(files / "new/tls.pem", old / "tls.pem")
    shutil.copy(files / "new/tls.key", old / "tls.key")
    for _ in range(20):
        assert shown(server) == der_of(files / "ca/old.pem")
    assert not server.events("reload")
    # A reload may begin it.
    tree = dict(server.tree, server=dict(server.tree["server"], **WATCH))
    server.reload(tree)
    shutil.copy(files / "ca/old.pem", old / "tls.pem")
    shutil.copy(files / "ca/old.key", old / "tls.key")
    server.wait_event("reload", cause="watch", ok=True)


@pytest.mark.spec("WAT-5")
def test_an_upstream_s_ca(lb, pki, upstream, tmp_path):
    ca = tmp_path / "upstream-ca.pem"
    shutil.copy(pki.ca, ca)
    context = upstreams.server_context(pki.of_upstream("loopback"))
    up = upstream(upstreams.echo, context)
    table = {"url": f"tls://127.0.0.1:{up.port}", "ca": str(ca),
             "server_name": "localhost"}
    server = lb.proxy(table, server=WATCH)
    with server.connect() as peer:
        peer.expect_end("clean")
    server.wait_event("session", reason="no_upstream")
    shutil.copy(pki.upstream_ca, ca)
    server.wait_event("reload", cause="watch", ok=True)
    with server.connect() as peer:
        talk(peer)


@pytest.mark.spec("WAT-5")
def test_a_client_ca(lb, pki, upstream, tmp_path):
    """Serials are known under the CA that is in force."""
    other = tmp_path / "other"
    certs_gen("ca", other)
    certs_gen("client", other, "alice", "--serial", "0A:11:CE")
    ca = tmp_path / "ca.pem"
    shutil.copy(pki.ca, ca)
    server = lb.proxy(upstream(upstreams.echo), server=WATCH,
                      tls={"client_ca": str(ca), "crl": None})
    with server.connect() as peer:
        talk(peer)
        shutil.copy(other / "ca.pem", ca)
        server.wait_event("reload", cause="watch", ok=True)
        peer.expect_end("reset")
    server.wait_event("session", reason="untrusted")
    context = client_context(pki.ca, (other / "alice.pem", other / "alice.key"))
    with connect(server.address(), context) as peer:
        talk(peer)
