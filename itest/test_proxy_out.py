"""PROXY headers to upstreams: who the client is, before its first byte."""

import socket

import pytest

from harness import proxy, server as srv, upstreams
from harness.certs import SERIALS
from harness.client import client_context
from harness.odd_certs import der, make_cert, make_key, with_subject
from harness.proxy import ProxyUpstream
from harness.wait import BOUND, wait_for

CHECKED = {"interval": "50ms", "timeout": "500ms"}


@pytest.fixture
def reader():
    """A maker of upstreams that read headers."""
    made = []

    def make(handler=upstreams.echo, **options):
        made.append(ProxyUpstream(handler, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()
        assert not one.bad, one.bad


def start(lb, *tables, health=None, listen=None, **keys):
    return lb.start(srv.app("echo", tables, listen, health,
                            proxy_protocol=True, **keys))


def exchange(peer, data=b"hello"):
    peer.send(data)
    assert peer.recv_exactly(len(data)) == data
    peer.finish()
    peer.expect_end("clean")


def canonical(serial):
    return ":".join(f"{octet:02X}" for octet in
                    bytes.fromhex(serial.replace(":", "")))


def check_client(header, peer, server, version="TLSv1.3"):
    host, port = server.address()
    own = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    assert header.command == proxy.PROXY
    assert (header.source, header.destination) == (peer.local, own)
    assert header.values[proxy.CLIENT] == b"alice"
    serial = canonical(SERIALS["alice"]).encode()
    assert header.values[proxy.SERIAL] == serial
    assert header.values[proxy.NAME] == serial
    assert header.verify == 0
    assert header.tls[proxy.VERSION] == version.encode()
    assert header.tls[proxy.COMMON_NAME] == b"alice"
    assert header.tls[proxy.CIPHER] == peer.tls.cipher()[0].encode()
    assert set(header.tls) == {proxy.VERSION, proxy.COMMON_NAME, proxy.CIPHER}


@pytest.mark.spec("PRX-20", "PRX-21", "PRX-22")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_an_upstream_is_told_who_the_client_is(lb, pki, reader, kind, version):
    context = (upstreams.server_context(pki.of_upstream("loopback"))
               if kind == "tls" else None)
    up = reader(context=context)
    table = {"url": up.url}
    if kind == "tls":
        table["ca"] = pki.upstream_ca
    server = start(lb, table)
    with server.connect(version=version) as peer:
        exchange(peer)
        check_client(up.headers[0], peer, server, f"TLSv{version}")
    assert up.headers[0].bits == (proxy.TLS | proxy.CERT_CONN |
                                  proxy.CERT_SESS)
    assert server.wait_event("session")["reason"] == "done"
    assert len(up.headers) == 1


@pytest.mark.spec("PRX-21")
def test_over_ipv6(lb, reader):
    up = reader()
    server = start(lb, up.url, listen=["[::1]:%d" % srv.free_port("::1")])
    with server.connect() as peer:
        exchange(peer)
        assert up.headers[0].family == 0x21
        check_client(up.headers[0], peer, server)


@pytest.mark.spec("PRX-20")
def test_a_check_is_for_nobody(lb, pki, reader):
    plain, tls = reader(), reader(
        context=upstreams.server_context(pki.of_upstream("loopback")))
    server = start(lb, plain.url, {"url": tls.url, "ca": pki.upstream_ca},
                   health=CHECKED)
    for up in (plain, tls):
        wait_for(lambda up=up: len(up.headers) > 2, "headers of checks")
        assert {one.command for one in up.headers} == {proxy.LOCAL}
        assert {one.length for one in up.headers} == {16}
    with server.connect() as peer:
        exchange(peer)
    assert not server.events("upstream_down")
    assert len(plain.of_clients()) + len(tls.of_clients()) == 1


@pytest.mark.spec("PRX-20")
def test_without_it_there_is_none(lb, upstream):
    up = upstream()
    server = lb.proxy(up, health=CHECKED)
    with server.connect() as peer:
        peer.send(b"hello")
        # A check is closed without a byte.
        for _ in range(100):
            far = up.accept()
            data = far.recv()
            if data:
                break
        assert data == b"hello"


@pytest.mark.spec("PRX-20")
def test_a_resumed_session_says_so(lb, reader):
    up = reader()
    server = start(lb, up.url)
    context = server.context()
    with srv.connect(server.address(), context) as peer:
        exchange(peer)
        session = peer.tls.session
    with srv.connect(server.address(), context, session=session) as peer:
        exchange(peer)
        assert peer.tls.session_reused
        check_client(up.headers[1], peer, server)
    assert up.headers[1].bits == proxy.TLS | proxy.CERT_SESS


@pytest.mark.spec("PRX-20")
def test_the_name_that_the_client_asked_for(lb, reader):
    up = reader()
    server = start(lb, up.url)
    context = server.context()
    context.check_hostname = False
    for name in ("db.example", None):
        with srv.connect(server.address(), context, name=name) as peer:
            exchange(peer)
    assert up.headers[0].values[proxy.AUTHORITY] == b"db.example"
    assert proxy.AUTHORITY not in up.headers[1].values
    assert proxy.ALPN not in up.headers[1].values


def common_name_told(lb, pki, reader, cert, key):
    """What an upstream is told of one that the certificate has."""
    up = reader()
    server = start(lb, up.url)
    with srv.connect(server.address(),
                     client_context(pki.ca, (cert, key))) as peer:
        exchange(peer)
    assert up.headers[0].values[proxy.CLIENT] == b"alice"
    return up.headers[0].tls.get(proxy.COMMON_NAME)


@pytest.mark.spec("PRX-22")
@pytest.mark.parametrize("subject,told", [
    ("x" * 64, b"x" * 64), ("one/O=two", b"one"), ("one/CN=two", None)])
def test_one_common_name_or_none(lb, pki, reader, tmp_path, subject, told):
    key = make_key(tmp_path / "key")
    cert = make_cert(tmp_path / "cert", key,
                     (pki.ca, pki.ca_dir / "ca.key"), subject=subject,
                     serial="0x" + SERIALS["alice"].replace(":", ""))
    assert common_name_told(lb, pki, reader, cert, key) == told


UTF8, COMMON_NAME, ORGANIZATION = 0x0c, b"\x55\x04\x03", b"\x55\x04\x0a"


def name_of(kind, *text):
    return der(0x30, *(der(0x31, der(0x30, der(0x06, kind), der(UTF8, one)))
                       for one in text))


@pytest.mark.spec("PRX-22")
@pytest.mark.parametrize("subject,told", [
    (name_of(COMMON_NAME, b"x" * 256), b"x" * 256),
    (name_of(COMMON_NAME, b"x" * 257), None),
    (name_of(COMMON_NAME, b"alice\0.example"), None),
    (name_of(ORGANIZATION, b"alice"), None),
    (name_of(COMMON_NAME), None)],
    ids=["longest", "long", "nul", "other", "none"])
def test_a_common_name_that_openssl_would_not_write(lb, pki, reader, tmp_path,
                                                    subject, told):
    """Whoever has it may come in; the upstream is told what can be told."""
    key = make_key(tmp_path / "key")
    cert = make_cert(tmp_path / "cert", key,
                     (pki.ca, pki.ca_dir / "ca.key"),
                     serial="0x" + SERIALS["alice"].replace(":", ""))
    cert.write_bytes(with_subject(cert, pki.ca_dir, subject))
    assert common_name_told(lb, pki, reader, cert, key) == told


@pytest.mark.spec("PRX-10")
def test_the_name_that_identified_it(lb, pki, reader, tmp_path):
    key = make_key(tmp_path / "key")
    cert = make_cert(tmp_path / "cert", key, (pki.ca, pki.ca_dir / "ca.key"),
                     "subjectAltName=DNS:Db.Example,URI:spiffe://corp/alice",
                     serial="0x7777")
    up = reader()
    for clients, name in (({"uris": ["spiffe://corp/alice"]},
                           b"spiffe://corp/alice"),
                          ({"dns": ["db.example"]}, b"Db.Example")):
        server = lb.start(
            srv.app("echo", [up.url], proxy_protocol=True),
            [{"id": "by-name", **clients, "apps": ["echo"]}])
        with srv.connect(server.address(),
                         client_context(pki.ca, (cert, key))) as peer:
            exchange(peer)
        values = up.headers[-1].values
        assert values[proxy.NAME] == name
        assert values[proxy.SERIAL] == b"77:77"
        assert values[proxy.CLIENT] == b"by-name"


@pytest.mark.spec("PRX-22")
def test_the_protocol_that_was_agreed_on(lb, reader):
    up = reader()
    server = start(lb, up.url, alpn=["h2", "http/1.1"])
    context = server.context()
    context.set_alpn_protocols(["http/1.1", "x"])
    with srv.connect(server.address(), context) as peer:
        exchange(peer)
    assert up.headers[0].values[proxy.ALPN] == b"http/1.1"


@pytest.mark.spec("PRX-23")
def test_each_address_gets_all_of_it(lb, reader, upstream):
    """The first one resets; a header is told anew with each dial."""
    def reset(peer):
        peer.reset()
    first, second = upstream(reset), reader()
    server = start(lb, {"url": first.url, "weight": 256}, second.url)
    ends = []
    for _ in range(4):
        with server.connect() as peer:
            peer.send(b"hello")
            ends.append(peer.recv())
    assert b"hello" in ends
    assert all(one.values[proxy.CLIENT] == b"alice"
               for one in second.headers)


@pytest.mark.spec("PRX-23")
def test_an_upstream_that_reads_nothing(lb, reader):
    """Its kernel takes the header; the session is as any other."""
    stalled = socket.socket()
    stalled.bind(("127.0.0.1", 0))
    stalled.listen(8)
    server = start(lb, "tcp://127.0.0.1:%d" % stalled.getsockname()[1])
    with server.connect() as peer:
        peer.send(b"hello")
        sock, _ = stalled.accept()
        sock.settimeout(BOUND)
        data = b""
        while not data.endswith(b"hello"):
            data += sock.recv(100)
        assert data.startswith(proxy.SIGNATURE)
        sock.close()
    stalled.close()
