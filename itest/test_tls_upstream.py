"""tls:// upstreams: verified, named, and given our own certificate."""

import pytest

from harness import upstreams
from harness.wait import wait_for


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
