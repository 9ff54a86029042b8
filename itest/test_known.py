"""Certificates that were verified before: what is remembered of them, and what
is judged each time all the same."""

import base64
import math
import ssl
import time

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import certs_gen
from harness.client import attempt, client_context, connect
from harness.cpu import settled_cpu_s
from harness.odd_certs import make_cert, make_crl, make_key, openssl
from harness.wait import SLOW, wait_for

CLIENT = "extendedKeyUsage=clientAuth\n"
CA = ("basicConstraints=critical,CA:TRUE\n"
      "keyUsage=critical,keyCertSign,cRLSign\n")
VERSIONS = ["1.2", "1.3"]


class Authority:
    """A CA whose signatures take OpenSSL long to verify."""

    def __init__(self, directory):
        self.dir = directory
        self.key = make_key(directory / "ca.key", "EC",
                            "ec_paramgen_curve:brainpoolP512r1")
        self.ca = make_cert(directory / "ca.pem", self.key, extensions=CA,
                            subject="the CA")
        self.client_key = make_key(directory / "client.key")

    def issue(self, serial, name="client"):
        path = make_cert(self.dir / f"{name}-{serial}.pem", self.client_key,
                         (self.ca, self.key), CLIENT, serial=hex(serial))
        return path, self.client_key

    def list(self, serials=(), life=("-1", "+30")):
        return make_crl(self.dir / "ca.crl", (self.ca, self.key), serials,
                        life=life)


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def alone(cert, version):
    """A client that does not send its CA along."""
    context = client_context(cert[0], cert, version)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def visit(server, cert, version="1.3", app=None):
    with connect(server.address(app), alone(cert, version)) as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"
        peer.finish()
        peer.expect_end("clean")


def refused(server, cert, reason, version="1.3", app=None):
    count = len(server.events("reject"))
    _, peer = attempt(server.address(app), alone(cert, version))
    assert peer.ending == "alert", peer.describe()
    line = server.wait_event("reject", count=count + 1)
    assert line["reason"] == reason, line


def listed(*serials, apps=("echo",)):
    return [srv.client("odd", [f"{serial:04X}" for serial in serials],
                       list(apps))]


def damaged(cert):
    """The same certificate with another signature, of the same form."""
    der = bytearray(openssl("x509", "-in", cert[0], "-outform", "DER"))
    der[-1] ^= 1
    path = cert[0].with_suffix(".damaged.pem")
    text = base64.encodebytes(bytes(der)).decode()
    path.write_text("-----BEGIN CERTIFICATE-----\n" + text +
                    "-----END CERTIFICATE-----\n", encoding="ascii")
    return path, cert[1]


def costs(server, certs, once):
    """Processor time of a handshake with each certificate, and of another."""
    spent = []
    for _ in range(2):
        before = settled_cpu_s(server.process.pid)
        for cert in certs:
            once(cert)
        spent.append(settled_cpu_s(server.process.pid) - before)
    return spent


@pytest.mark.spec("SRV-333")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_certificate_is_verified_once(lb, authority, upstream, version):
    serials = range(0x1001, 0x1015)
    server = lb.proxy(upstream(upstreams.echo), clients=listed(*serials),
                      tls={"client_ca": authority.ca, "crl": None})
    first, second = costs(
        server, [authority.issue(serial) for serial in serials],
        lambda cert: visit(server, cert, version))
    assert srv.sanitized() or second < 0.75 * first


@pytest.mark.long(10)
@pytest.mark.spec("SRV-333")
def test_but_not_that_of_a_client_who_is_refused(lb, authority, upstream):
    server = lb.proxy(upstream(upstreams.echo), clients=listed(0x1001),
                      tls={"client_ca": authority.ca, "crl": None})
    first, second = costs(
        server, [authority.issue(serial) for serial in range(0x2001, 0x2015)],
        lambda cert: refused(server, cert, "unknown_client"))
    assert srv.sanitized() or second > 0.85 * first


@pytest.mark.spec("SRV-333")
@pytest.mark.parametrize("version", VERSIONS)
def test_only_the_same_bytes_are_known(lb, authority, upstream, version):
    server = lb.proxy(upstream(upstreams.echo), clients=listed(0x1001, 0x1002),
                      tls={"client_ca": authority.ca, "crl": None})
    cert = authority.issue(0x1001)
    visit(server, cert, version)
    refused(server, damaged(cert), "untrusted", version)
    refused(server, damaged(authority.issue(0x1002)), "untrusted", version)
    visit(server, cert, version)


@pytest.mark.spec("SRV-333")
def test_nothing_is_known_after_a_reload(lb, authority, upstream, tmp_path):
    """The CA has got another key, and the same name."""
    server = lb.proxy(upstream(upstreams.echo), clients=listed(0x1001),
                      tls={"client_ca": authority.ca, "crl": None})
    cert = authority.issue(0x1001)
    visit(server, cert)
    (tmp_path / "other").mkdir()
    authority.ca.write_bytes(Authority(tmp_path / "other").ca.read_bytes())
    server.reload()
    refused(server, cert, "untrusted")


@pytest.mark.spec("SRV-334")
def test_where_it_may_enter_is_judged_each_time(lb, authority, upstream):
    up = upstream(upstreams.echo)
    server = lb.start([srv.app("echo", [up]), srv.app("other", [up])],
                      clients=listed(0x1001),
                      tls={"client_ca": authority.ca, "crl": None})
    cert = authority.issue(0x1001)
    visit(server, cert, app="echo")
    refused(server, cert, "not_allowed", app="other")
    visit(server, cert, app="echo")


def past(end):
    wait_for(lambda: time.time() >= end + 1.1, "it has run out", 30 * SLOW)


@pytest.mark.long(10)
@pytest.mark.spec("SRV-334")
def test_so_is_the_list(lb, authority, upstream):
    """It runs out between the two."""
    end = time.time() + 3 * SLOW
    lists = authority.list(life=("-1", 3 * SLOW / 86400))
    server = lb.proxy(upstream(upstreams.echo), clients=listed(0x1001),
                      tls={"client_ca": authority.ca, "crl": lists})
    cert = authority.issue(0x1001)
    visit(server, cert)
    past(end)
    refused(server, cert, "crl_expired")


@pytest.mark.long(10)
@pytest.mark.spec("SRV-334")
@pytest.mark.parametrize("version", VERSIONS)
def test_so_is_its_life(lb, upstream, tmp_path, version):
    home = tmp_path / "brief"
    certs_gen("ca", home)
    end = int(time.time()) + math.ceil(3 * SLOW)
    certs_gen("client", home, "brief", "--serial", "1001", "--not-after",
              time.strftime("%Y%m%d%H%M%SZ", time.gmtime(end)))
    server = lb.proxy(upstream(upstreams.echo), clients=listed(0x1001),
                      tls={"client_ca": home / "ca.pem", "crl": None})
    cert = home / "brief.pem", home / "brief.key"
    visit(server, cert, version)
    past(end)
    refused(server, cert, "expired", version)
