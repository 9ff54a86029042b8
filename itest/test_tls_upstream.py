"""tls:// upstreams: verified, named, and given our own certificate."""

import re
import subprocess

import pytest

from harness import upstreams
from harness.odd_certs import make_cert, make_key
from harness.wait import BOUND, wait_for


def table(pki, up, **keys):
    return {"url": up.url, "ca": pki.upstream_ca, **keys}


def proxy_cert(pki):
    pem, key = pki.of_upstream("proxy")
    return {"certificate": pem, "private_key": key}


@pytest.fixture
def tls_up(pki, upstream):
    """A maker of TLS echo upstreams with one of the certificates."""
    def make(name, handler=upstreams.echo, client_ca=None, **options):
        context = upstreams.server_context(pki.of_upstream(name), client_ca)
        return upstream(handler, context=context, **options)
    return make


def assert_works(server):
    with server.connect() as peer:
        peer.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"
        peer.finish()
        peer.expect_end("clean")
    assert server.wait_event("session")["reason"] == "done"


def assert_refused(server, up):
    """A failed dial is close_notify and no data; the handshake failed."""
    with server.connect() as peer:
        peer.send(b"a secret")
        peer.expect_end("clean")
        peer.finish()
    line = server.wait_event("session")
    assert line["reason"] == "no_upstream"
    assert not up.peers, "the upstream's handshake succeeded"


@pytest.mark.spec("SRV-14")
def test_verified_by_the_url_s_address_without_sni(lb, pki, tls_up):
    up = tls_up("loopback")
    server = lb.proxy(table(pki, up))
    assert_works(server)
    assert up.server_names == [None], "SNI was sent for an IP address"


@pytest.mark.spec("SRV-14", "SRV-29")
def test_verified_by_an_address_of_ipv6(lb, pki, tls_up):
    up = tls_up("loopback", host="::1")
    server = lb.proxy(table(pki, up))
    assert_works(server)
    assert up.server_names == [None], "SNI was sent for an IP address"
    # "db" has no address among its names.
    up = tls_up("db", host="::1")
    server = lb.proxy(table(pki, up))
    assert_refused(server, up)


@pytest.mark.spec("SRV-14")
def test_verified_by_the_url_s_name_with_sni(lb, pki, tls_up):
    up = tls_up("loopback")
    server = lb.proxy(table(pki, up, url=f"tls://localhost:{up.port}"))
    assert_works(server)
    assert up.server_names == ["localhost"]


@pytest.mark.spec("SRV-14")
def test_server_name_is_verified_and_sent(lb, pki, tls_up):
    up = tls_up("db")
    server = lb.proxy(table(pki, up, server_name="db.internal"))
    assert_works(server)
    assert up.server_names == ["db.internal"]


@pytest.mark.spec("SRV-14", "SES-5")
@pytest.mark.parametrize("keys", [{}, {"server_name": "other.internal"},
                                  {"server_name": "b.internal"},
                                  {"server_name": "internal"}])
def test_a_wrong_name_is_refused(lb, pki, tls_up, keys):
    up = tls_up("db")
    assert_refused(lb.proxy(table(pki, up, **keys)), up)


@pytest.mark.spec("SRV-14")
def test_an_address_matches_no_dns_name(lb, pki, tls_up):
    up = tls_up("loopback", host="127.0.0.2")
    assert_refused(lb.proxy(table(pki, up)), up)


@pytest.mark.spec("SRV-14", "SES-5")
def test_another_ca_is_refused(lb, pki, tls_up):
    up = tls_up("loopback")
    server = lb.proxy(table(pki, up, ca=pki.other_ca))
    assert_refused(server, up)
    wait_for(lambda: up.failed_handshakes, "the upstream sees it fail")


@pytest.mark.spec("SRV-14", "SES-5")
def test_a_plain_tcp_upstream_is_no_tls_upstream(lb, pki, upstream):
    up = upstream(upstreams.name_server("HTTP/1.0 400 Bad Request\r\n\r\n"))
    server = lb.proxy(table(pki, up, url=f"tls://{up.address}"))
    with server.connect() as peer:
        peer.expect_end("clean")
        peer.finish()
    assert server.wait_event("session")["reason"] == "no_upstream"


@pytest.mark.spec("SRV-14", "SES-5")
def test_a_failed_verification_goes_to_the_next(lb, pki, tls_up):
    wrong, right = tls_up("db"), tls_up("loopback")
    server = lb.proxy(table(pki, wrong), table(pki, right))
    assert_works(server)
    assert right.address in server.wait_event("session")["upstream"]


@pytest.mark.spec("SRV-14")
def test_the_proxy_s_own_certificate(lb, pki, tls_up):
    up = tls_up("loopback", client_ca=pki.upstream_ca)
    server = lb.proxy(table(pki, up, **proxy_cert(pki)))
    assert_works(server)
    subject = str(up.peers[0].tls.getpeercert()["subject"])
    assert "proxy" in subject


@pytest.mark.spec("SRV-14", "SRV-17")
def test_an_upstream_that_wants_a_certificate_gets_none(lb, pki, tls_up):
    """In TLS 1.3 its alert comes after our handshake: an unclean end."""
    up = tls_up("loopback", client_ca=pki.upstream_ca)
    server = lb.proxy(table(pki, up))
    with server.connect() as peer:
        assert peer.recv() == b""
        assert peer.ending in ("clean", "reset"), peer.describe()
    line = server.wait_event("session")
    assert line["reason"] == ("no_upstream" if peer.ending == "clean"
                              else "upstream_reset")
    wait_for(lambda: up.failed_handshakes, "the upstream sees it fail")


@pytest.mark.spec("SRV-14", "BAL-1")
def test_tcp_and_tls_upstreams_side_by_side(lb, pki, tls_up, upstream):
    secure = tls_up("loopback", upstreams.name_server("s"))
    plain = upstream(upstreams.name_server("p"))
    server = lb.proxy(table(pki, secure), plain)
    seen = []
    for number in range(1, 5):
        with server.connect() as peer:
            seen.append(peer.recv_exactly(1))
            peer.finish()
            peer.expect_end("clean")
        server.wait_event("session", count=number)
    assert b"".join(seen) == b"spsp"


# --- the rest of a chain ----------------------------------------------------

def long_chain(directory, root, eku):
    """leaf, lower and upper, each a (certificate, key), below root's."""
    above = root
    made = []
    for name in ("upper", "lower", "leaf"):
        extensions = ("basicConstraints=critical,CA:TRUE" if name != "leaf"
                      else f"extendedKeyUsage={eku}\n"
                      "subjectAltName=DNS:localhost,IP:127.0.0.1")
        key = make_key(directory / f"{name}.key")
        above = make_cert(directory / f"{name}.pem", key, above,
                          subject=name, extensions=extensions), key
        made.insert(0, above)
    return made


def write_chain(path, made):
    path.write_bytes(b"".join(cert.read_bytes() for cert, _ in made))
    return path


def shown_chain(need, server, version):
    """The subjects of the certificates that the server sends."""
    host, port = server.address()
    done = subprocess.run(
        [need("openssl", "openssl"), "s_client", "-showcerts", "-connect",
         f"{host}:{port}", version], input="", text=True,
        capture_output=True, timeout=BOUND * 2, check=False)
    return re.findall(r"^ *\d+ s:CN ?= ?(.*)$", done.stdout, re.M)


@pytest.mark.spec("SRV-39")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("sent", [1, 2, 3])
def test_the_chain_that_clients_are_shown(lb, pki, upstream, need, tmp_path,
                                          version, sent):
    """Also where the CA of the clients is the one that would be next."""
    root = pki.ca, pki.ca_dir / "ca.key"
    made = long_chain(tmp_path, root, "serverAuth")
    if sent == 1:
        made = made[:1]
        made[0] = make_cert(tmp_path / "alone.pem", made[0][1], root,
                            subject="leaf", extensions="subjectAltName="
                            "DNS:localhost"), made[0][1]
    path = write_chain(tmp_path / "chain.pem", made[:sent])
    server = lb.proxy(upstream(upstreams.echo), tls={
        "certificate": path, "private_key": made[0][1]})
    option = "-tls1_2" if version == "1.2" else "-tls1_3"
    assert shown_chain(need, server, option) == [
        "leaf", "lower", "upper"][:sent]
    if sent != 2:
        assert_works_with(server, version)


def assert_works_with(server, version):
    """Its client knows the root alone."""
    with server.connect(version=version) as peer:
        peer.send(b"hello")
        assert peer.recv_exactly(5) == b"hello"


@pytest.mark.spec("SRV-39")
def test_the_chain_that_upstreams_are_shown(lb, pki, tls_up, tmp_path):
    root = pki.upstream_ca, pki.upstream_dir / "ca.key"
    made = long_chain(tmp_path, root, "clientAuth")
    up = tls_up("loopback", client_ca=pki.upstream_ca)
    whole = write_chain(tmp_path / "whole.pem", made)
    server = lb.proxy(table(pki, up, certificate=whole,
                            private_key=made[0][1]))
    assert_works(server)
