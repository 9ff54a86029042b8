"""Who is not let in, what it sees, and that no upstream ever hears of it."""

import shutil
import ssl
import subprocess

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import (SERIALS, UNLISTED, certs_gen,
                           signed_with_subject)
from harness.client import (attempt, begin, client_context, connect,
                            tcp_connect)
from harness.odd_certs import make_cert, make_key
from harness.peer import Peer
from harness.wait import BOUND, wait_for

VERSIONS = ["1.2", "1.3"]

# who: reason, the alert where [SRV-11] names it.
STRANGERS = {
    None: ("no_certificate", None),
    "stranger": ("untrusted", None),
    "below": ("untrusted", None),
    "expired": ("expired", None),
    "future": ("not_yet_valid", None),
    "revoked": ("revoked", None),
    "usage": ("wrong_usage", None),
    "unlisted": ("unknown_client", "BAD_CERTIFICATE"),
    "carol": ("not_allowed", "BAD_CERTIFICATE"),
}


@pytest.fixture
def gate(lb, upstream):
    """Two apps; carol may use only the other one."""
    up, other = upstream(upstreams.echo), upstream(upstreams.echo)
    apps = [srv.app("echo", [up]), srv.app("other", [other])]
    clients = [srv.client(name, [SERIALS[name]], ["echo"])
               for name in ("alice", "bob", "expired", "future", "revoked",
                            "usage")]
    clients.append(srv.client("carol", [SERIALS["carol"]], ["other"]))
    server = lb.start(apps, clients)
    server.up = up
    return server


def assert_alice_gets_in(server):
    with server.connect() as peer:
        peer.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"


@pytest.mark.spec("SRV-9", "SRV-10", "SRV-11", "SES-1", "SES-2", "SES-3",
                  "LOG-4", "ACL-2", "ACL-3")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("who", STRANGERS)
def test_a_stranger_gets_a_fatal_alert(gate, who, version):
    reason, alert = STRANGERS[who]
    phase, peer = attempt(gate.address("echo"), gate.context(who, version))
    assert peer.ending == "alert", peer.describe()
    assert phase == ("handshake" if version == "1.2" else "read")
    if alert:
        assert alert in peer.alert, peer.alert
    line = gate.wait_event("reject")
    assert line["reason"] == reason, line
    assert line["app"] == "echo"
    assert line["peer"].startswith("127.0.0.1:")
    if reason == "unknown_client":
        assert line["serial"] == UNLISTED
    if reason == "not_allowed":
        assert (line["client"], line["serial"]) == ("carol", "CA:20")
    assert_alice_gets_in(gate)
    assert gate.up.accepted == 1, "the stranger reached the upstream"
    assert len(gate.events("reject")) == 1


@pytest.mark.spec("SRV-9", "SRV-10")
@pytest.mark.parametrize("version", VERSIONS)
def test_an_intermediate_without_its_chain(gate, pki, tmp_path, version):
    pem, key = pki.of("below")
    leaf = tmp_path / "leaf.pem"
    mark = "-----END CERTIFICATE-----\n"
    leaf.write_text(pem.read_text().split(mark)[0] + mark)
    context = client_context(pki.ca, (leaf, key), version)
    _, peer = attempt(gate.address("echo"), context)
    assert peer.ending == "alert", peer.describe()
    assert gate.wait_event("reject")["reason"] == "untrusted"
    assert gate.up.accepted == 0


@pytest.mark.spec("ACL-3", "SRV-11")
def test_the_same_client_is_let_in_where_it_may(gate):
    with gate.connect("carol", name="other") as peer:
        peer.send(b"mine")
        assert peer.recv_exactly(4) == b"mine"
        peer.finish()
        peer.expect_end("clean")
    line = gate.wait_event("session", app="other")
    assert (line["client"], line["serial"]) == ("carol", "CA:20")


@pytest.mark.spec("ACL-1", "SER-1", "SER-2", "LOG-3")
def test_serials_in_any_form_name_the_client(lb, upstream):
    forms = ["000a11ce", "0A:11:CE", "a11Ce"]
    for form in forms:
        clients = [srv.client("ally", [form, "B0B0"], ["echo"])]
        server = lb.proxy(upstream(upstreams.echo), clients=clients)
        with server.connect() as peer:
            peer.send(b"x")
            assert peer.recv_exactly(1) == b"x"
            peer.finish()
            peer.expect_end("clean")
        line = server.wait_event("session")
        assert (line["client"], line["serial"]) == ("ally", "0A:11:CE")


@pytest.mark.spec("SES-1", "SRV-9")
@pytest.mark.parametrize("who", [None, "unlisted", "carol"])
def test_data_of_a_stranger_reaches_nobody(gate, who):
    with begin(gate.address("echo"), gate.context(who, "1.3")) as peer:
        assert peer.handshake()
        peer.send(b"let me in" * 1000)
        assert peer.recv() == b""
        assert peer.ending in ("alert", "reset"), peer.describe()
    gate.wait_event("reject")
    assert gate.up.accepted == 0


@pytest.mark.spec("SRV-8")
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_old_tls_is_refused(gate, version):
    context = gate.context("alice", version)
    phase, peer = attempt(gate.address("echo"), context)
    assert (phase, peer.ending) == ("handshake", "alert"), peer.describe()
    assert "VERSION" in peer.alert
    assert gate.wait_event("reject")["reason"] == "handshake_failed"
    assert gate.up.accepted == 0


@pytest.mark.spec("SRV-8")
def test_min_version_1_3_refuses_1_2(lb, upstream):
    up = upstream(upstreams.echo)
    server = lb.proxy(up, tls={"min_version": "1.3"})
    phase, peer = attempt(server.address(), server.context("alice", "1.2"))
    assert (phase, peer.ending) == ("handshake", "alert"), peer.describe()
    with server.connect(version="1.3") as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"
        peer.finish()
        peer.expect_end("clean")
    assert "1.3" in server.wait_event("session")["tls"]


AES128 = "ECDHE-ECDSA-AES128-GCM-SHA256"
AES256 = "ECDHE-ECDSA-AES256-GCM-SHA384"
CHACHA = "ECDHE-ECDSA-CHACHA20-POLY1305"
SUITE_AES128 = "TLS_AES_128_GCM_SHA256"
SUITE_AES256 = "TLS_AES_256_GCM_SHA384"
SUITE_CHACHA = "TLS_CHACHA20_POLY1305_SHA256"
LISTS = [("ciphers", [AES128]), ("ciphers", [CHACHA, AES128]),
         ("ciphers", [AES128, AES256]), ("ciphersuites", [SUITE_AES128]),
         ("ciphersuites", [SUITE_CHACHA, SUITE_AES256]),
         ("ciphersuites", [SUITE_AES128, SUITE_AES256])]


@pytest.mark.spec("SRV-8", "SRV-149")
@pytest.mark.parametrize("key,listed", LISTS, ids=[
    "-".join(listed) for _, listed in LISTS])
def test_configured_ciphers_are_used(lb, upstream, key, listed):
    """None of them is the first of the default, nor of the client's list."""
    version = "1.2" if key == "ciphers" else "1.3"
    server = lb.proxy(upstream(upstreams.echo), tls={key: ":".join(listed)})
    with server.connect(version=version) as peer:
        assert peer.tls.cipher()[0] == listed[0]
        assert peer.tls.compression() is None


@pytest.mark.spec("SRV-8", "SRV-144")
@pytest.mark.parametrize("option,offered,configured", [
    ("-cipher", AES256, {"ciphers": AES128}),
    ("-cipher", "ECDHE-ECDSA-AES128-SHA256", {}),
    ("-cipher", "DHE-RSA-AES128-GCM-SHA256", {}),
    ("-cipher", "AES128-GCM-SHA256", {}),
    ("-ciphersuites", SUITE_AES256, {"ciphersuites": SUITE_AES128})])
def test_other_ciphers_are_refused(lb, pki, upstream, need, option, offered,
                                   configured):
    server = lb.proxy(upstream(upstreams.echo), tls=configured)
    host, port = server.address()
    pem, key = pki.of("alice")
    version = "-tls1_2" if option == "-cipher" else "-tls1_3"
    done = subprocess.run(
        [need("openssl", "openssl"), "s_client", "-connect",
         f"{host}:{port}", version, option, offered, "-cert", pem, "-key",
         key], input="", text=True, capture_output=True, timeout=BOUND * 2,
        check=False)
    assert "alert handshake failure" in done.stderr, done.stderr
    assert server.wait_event("reject")["reason"] == "handshake_failed"


@pytest.mark.spec("SES-3", "LOG-4")
@pytest.mark.parametrize("garbage", [
    b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n",
    b"\x16\x03\x01\xff\xff" + b"\xff" * 3000,
    b"\x00" * 5000,
    b"\x16\x03\x01\x00\x05\x01\x00\xff\xff\xff",
    b"\x15\x03\x03\x00\x02\x02\x28",
    b"\x17\x03\x03\x00\x01\x00",
], ids=["http", "long-record", "zeros", "cut-hello", "alert", "data"])
def test_garbage_is_a_failed_handshake(gate, garbage):
    with Peer(tcp_connect(gate.address("echo"))) as peer:
        peer.send(garbage)
        peer.shutdown_tcp()
        try:
            peer.read_to_end()
        except TimeoutError:
            pytest.fail("the server keeps the connection")
        assert peer.ending
    assert gate.wait_event("reject")["reason"] == "handshake_failed"
    assert_alice_gets_in(gate)
    assert gate.up.accepted == 1


def client_hello(peer):
    """The first flight of a TLS client, not sent yet."""
    with pytest.raises(ssl.SSLWantReadError):
        peer.tls.do_handshake()
    peer._take_out()
    return bytes(peer._wire)


@pytest.mark.spec("SRV-33")
@pytest.mark.parametrize("version", VERSIONS)
def test_what_fails_on_one_connection_harms_no_other(gate, version):
    """One worker, so that all of these share what OpenSSL keeps of errors:
    a session, a handshake that waits for its client, and those that fail."""
    session = gate.connect("alice", version=version)
    slow = begin(gate.address("echo"), gate.context("bob", version))
    hello = client_hello(slow)
    slow._wire.clear()
    for number, who in enumerate(STRANGERS, start=1):
        phase, peer = attempt(gate.address("echo"), gate.context(who, version))
        assert peer.ending == "alert", (phase, peer.describe())
        gate.wait_event("reject", count=number)
        slow.sock.sendall(hello[:20])
        hello = hello[20:]
        session.send(b"a" * number)
        assert session.recv_exactly(number) == b"a" * number
    with gate.connect("alice", version=version) as reset:
        reset.send(b"hello")
        assert reset.recv_exactly(5) == b"hello"
        reset.reset()
    assert gate.wait_event("session")["reason"] == "client_reset"
    slow._wire += hello
    assert slow.handshake(), slow.describe()
    for peer in (session, slow):
        peer.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"
        peer.finish()
        peer.expect_end("clean")
        peer.close()
    gate.wait_event("session", count=2, reason="done")
    assert len(gate.events("reject")) == len(STRANGERS)


@pytest.mark.workers
@pytest.mark.spec("SES-3", "SES-6", "SRV-20", "SRV-46")
def test_many_clients_that_break_off_leave_nothing(gate):
    before = gate.open_files()
    context = gate.context("alice", "1.3")
    for number in range(60):
        peer = begin(gate.address("echo"), context)
        if number % 3:
            whole = client_hello(peer)
            half = whole[:len(whole) // 2]
            peer.sock.send(half if number % 3 == 1 else whole)
        if number % 2:
            peer.reset()
        else:
            peer.close()
    gate.wait_rejected(60, reason="handshake_failed")
    wait_for(lambda: gate.open_files() <= before, "no descriptor is left")
    assert_alice_gets_in(gate)
    assert gate.up.accepted == 1


@pytest.mark.spec("SRV-8")
def test_no_renegotiation(gate, pki, need):
    """openssl s_client asks for it when it reads a line with "R"."""
    host, port = gate.address("echo")
    pem, key = pki.of("alice")
    done = subprocess.run(
        [need("openssl", "openssl"), "s_client", "-connect",
         f"{host}:{port}", "-tls1_2", "-cert", pem, "-key", key,
         "-CAfile", pki.ca], input="R\n", text=True,
        capture_output=True, timeout=BOUND * 2, check=False)
    assert "RENEGOTIATING" in done.stdout + done.stderr
    assert "no renegotiation" in (done.stdout + done.stderr).lower()


@pytest.mark.spec("SRV-9")
def test_a_crl_is_optional(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), tls={"crl": None})
    with server.connect("revoked") as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"


@pytest.mark.spec("SRV-9")
@pytest.mark.parametrize("version", VERSIONS)
def test_nobody_is_judged_by_an_outdated_list(lb, pki, upstream, tmp_path,
                                              version):
    old = tmp_path / "old"
    shutil.copytree(pki.ca_dir, old)
    certs_gen("crl", old, "--next-update", "-5m")
    up = upstream(upstreams.echo)
    server = lb.proxy(up, tls={"crl": str(old / "ca.crl")})
    _, peer = attempt(server.address("echo"), server.context("alice", version))
    assert peer.ending == "alert", peer.describe()
    assert server.wait_event("reject")["reason"] == "crl_expired"
    assert up.accepted == 0


@pytest.mark.spec("SER-3", "SRV-9", "SRV-10")
@pytest.mark.parametrize("serial", ["0", "-2748", "0x01" + "23" * 20],
                         ids=["zero", "negative", "21-octets"])
def test_a_serial_that_is_none(gate, pki, tmp_path, serial):
    cert = signed_with_subject(pki, tmp_path, "odd", serial)
    _, peer = attempt(gate.address("echo"), client_context(pki.ca, cert))
    assert peer.ending == "alert", peer.describe()
    assert gate.wait_event("reject")["reason"] == "bad_certificate"
    assert gate.up.accepted == 0


@pytest.mark.spec("SER-3", "SRV-10", "LOG-3")
def test_a_serial_of_20_octets(lb, pki, upstream, tmp_path):
    serial = ":".join(["7F"] + ["AB"] * 19)
    cert = signed_with_subject(pki, tmp_path, "long",
                               "0x" + serial.replace(":", ""))
    server = lb.proxy(upstream(upstreams.echo),
                      clients=[srv.client("long", [serial], ["echo"])])
    with connect(server.address(), client_context(pki.ca, cert)) as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"
        peer.finish()
        peer.expect_end("clean")
    assert server.wait_event("session")["serial"] == serial


@pytest.mark.spec("SRV-9", "SES-3")
@pytest.mark.parametrize("copies", [20, 400])
def test_a_client_with_a_long_chain_of_nonsense(gate, pki, tmp_path, copies):
    pem, key = pki.of("stranger")
    chain = tmp_path / "chain.pem"
    chain.write_text(pem.read_text() + pki.other_ca.read_text() * copies)
    context = client_context(pki.ca, (chain, key), "1.3")
    with begin(gate.address("echo"), context) as peer:
        peer.handshake()
        assert peer.recv() == b""
        assert peer.ending in ("alert", "reset"), peer.describe()
    gate.wait_event("reject")
    assert gate.up.accepted == 0
    assert_alice_gets_in(gate)


@pytest.mark.spec("SRV-8", "SRV-9")
@pytest.mark.parametrize("version", VERSIONS)
def test_rsa_certificates_at_both_ends(lb, upstream, tmp_path, version):
    home = tmp_path / "rsa"
    certs_gen("ca", home, "--rsa", "2048")
    certs_gen("server", home, "server", "--rsa", "2048")
    certs_gen("client", home, "alice", "--rsa", "2048", "--serial", "A1")
    server = lb.proxy(
        upstream(upstreams.echo),
        clients=[srv.client("alice", ["A1"], ["echo"])],
        tls={"certificate": home / "server.pem", "crl": home / "ca.crl",
             "private_key": home / "server.key",
             "client_ca": home / "ca.pem"})
    context = client_context(home / "ca.pem", (home / "alice.pem",
                                               home / "alice.key"), version)
    with connect(server.address(), context) as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"


@pytest.mark.spec("SRV-9", "SRV-10", "SRV-67")
@pytest.mark.parametrize("version", VERSIONS)
def test_an_intermediate_where_no_crl_stands_in_its_way(lb, upstream,
                                                        version):
    """Its chain verifies, and it has alice's serial; it is nobody."""
    up = upstream(upstreams.echo)
    server = lb.proxy(up, tls={"crl": None})
    _, peer = attempt(server.address(), server.context("below", version))
    assert peer.ending == "alert", peer.describe()
    assert server.wait_event("reject")["reason"] == "untrusted"
    assert up.accepted == 0


@pytest.mark.spec("SRV-9", "SES-2")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_critical_extension_that_nobody_knows(gate, pki, tmp_path, version):
    cert = signed_with_subject(pki, tmp_path, "odd", "0x" + SERIALS["alice"]
                               .replace(":", ""), "1.2.3.4=critical,DER:0500")
    _, peer = attempt(gate.address("echo"),
                      client_context(pki.ca, cert, version))
    assert peer.ending == "alert", peer.describe()
    assert gate.wait_event("reject")["reason"] == "bad_certificate"
    assert gate.up.accepted == 0


def check_usage(lb, upstream, pki, tmp_path, extensions, is_let_in):
    server = lb.proxy(upstream(upstreams.echo))
    key = make_key(tmp_path / "odd.key")
    pem = make_cert(tmp_path / "odd.pem", key,
                    (pki.ca, pki.ca_dir / "ca.key"), extensions,
                    serial="0x0A11CE")
    context = client_context(pki.ca, (pem, key))
    if is_let_in:
        with connect(server.address(), context) as peer:
            peer.send(b"x")
            assert peer.recv_exactly(1) == b"x"
    else:
        _, peer = attempt(server.address(), context)
        assert peer.ending == "alert", peer.describe()
        assert server.wait_event("reject")["reason"] == "wrong_usage"


@pytest.mark.spec("SRV-151")
@pytest.mark.parametrize("extensions,is_let_in", [
    ("", True),
    ("extendedKeyUsage=serverAuth,clientAuth", True),
    ("extendedKeyUsage=serverAuth", False),
    ("extendedKeyUsage=anyExtendedKeyUsage", False)])
def test_extended_usages(lb, upstream, pki, tmp_path, extensions, is_let_in):
    check_usage(lb, upstream, pki, tmp_path, extensions, is_let_in)


@pytest.mark.spec("SRV-152")
@pytest.mark.parametrize("extensions,is_let_in", [
    ("keyUsage=critical,digitalSignature", True),
    ("keyUsage=critical,keyAgreement", True),
    ("keyUsage=critical,keyEncipherment", False),
    ("keyUsage=critical,keyCertSign", False)])
def test_usages(lb, upstream, pki, tmp_path, extensions, is_let_in):
    check_usage(lb, upstream, pki, tmp_path, extensions, is_let_in)
