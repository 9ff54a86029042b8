"""Revocation lists that are long: they are read once, and looked up fast."""

import base64
import os
import subprocess

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import signed_with_subject
from harness.client import attempt, client_context, connect
from harness.odd_certs import der, openssl, subject_of

ENTRIES = 60_000
TRIES = 40
VERSIONS = ["1.2", "1.3"]


def long_list(ca_dir, serials, path):
    """A list with these serials, signed by a P-256 CA."""
    algorithm = der(0x30, bytes.fromhex("06082a8648ce3d040302"))
    when = der(0x17, b"250101000000Z")
    entries = [der(0x30, der(
        0x02, serial.to_bytes(serial.bit_length() // 8 + 1, "big")),
        when) for serial in serials]
    body = der(0x30, b"\x02\x01\x01", algorithm,
               subject_of(ca_dir / "ca.pem"), when,
               der(0x18, b"20990101000000Z"), der(0x30, *entries))
    signature = openssl("dgst", "-sha256", "-sign", ca_dir / "ca.key",
                        data=body)
    whole = der(0x30, body, algorithm, der(0x03, b"\0" + signature))
    text = base64.encodebytes(whole).decode()
    path.write_text("-----BEGIN X509 CRL-----\n" + text +
                    "-----END X509 CRL-----\n", encoding="ascii")
    return path


@pytest.fixture(scope="module")
def listed(pki, tmp_path_factory):
    """Serials of which the first, one inside and the last are real ones."""
    serials = [(1 << 40) + 7 * n for n in range(ENTRIES)]
    # Not in order, as lists are.
    serials = serials[1::2] + serials[0::2]
    path = tmp_path_factory.mktemp("crl") / "long.crl"
    return long_list(pki.ca_dir, serials, path), sorted(serials)


def nanoseconds(server):
    """Processor time of all threads of the server."""
    total = 0
    base = f"/proc/{server.process.pid}/task"
    for task in os.listdir(base):
        with open(f"{base}/{task}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total


@pytest.mark.spec("SRV-9")
@pytest.mark.parametrize("version", VERSIONS)
def test_every_serial_of_a_long_list_is_found(lb, pki, upstream, tmp_path,
                                              listed, version):
    path, serials = listed
    up = upstream(upstreams.echo)
    revoked = [serials[0], serials[ENTRIES // 3], serials[-1]]
    free = [serials[0] - 1, serials[5] + 1, serials[-1] + 1]
    clients = [srv.client("odd", [f"{n:X}" for n in revoked + free],
                          ["echo"])]
    server = lb.proxy(up, clients=clients, tls={"crl": path})
    for number, serial in enumerate(revoked, 1):
        cert = signed_with_subject(pki, tmp_path, "odd", hex(serial))
        _, peer = attempt(server.address(),
                          client_context(pki.ca, cert, version))
        assert peer.ending == "alert" and "REVOKED" in peer.alert, peer.alert
        server.wait_event("reject", count=number, reason="revoked")
    for serial in free:
        cert = signed_with_subject(pki, tmp_path, "odd", hex(serial))
        with connect(server.address(),
                     client_context(pki.ca, cert, version)) as peer:
            peer.send(b"x")
            assert peer.recv_exactly(1) == b"x"
    assert up.accepted == len(free)


def forged(pki, directory):
    """It names our CA and not its key, and another CA has signed it."""
    key, pem = directory / "forged.key", directory / "forged.pem"
    request, ext = directory / "forged.csr", directory / "forged.ext"
    ext.write_text("extendedKeyUsage=clientAuth\nauthorityKeyIdentifier=none"
                   "\n", encoding="ascii")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=forged",
            "-keyout", key, "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", pki.other_ca, "-CAkey",
            pki.other_dir / "ca.key", "-set_serial", "77", "-extfile", ext,
            "-out", pem)
    return pem, key


def cost(server, context):
    """Processor time of some refused handshakes, without the first ones."""
    for _ in range(2):
        begin = nanoseconds(server)
        for _ in range(TRIES):
            attempt(server.address(), context)
    return nanoseconds(server) - begin


@pytest.mark.spec("SRV-105")
def test_a_long_list_costs_strangers_nothing(lb, pki, upstream, tmp_path,
                                             listed):
    """A forged leaf that names the CA, with the list and without."""
    up = upstream(upstreams.echo)
    context = client_context(pki.ca, forged(pki, tmp_path), "1.3")
    with_list = lb.proxy(up, tls={"crl": listed[0]})
    without = lb.proxy(up, tls={"crl": None})
    assert cost(with_list, context) < 1.7 * cost(without, context)
    assert with_list.wait_event("reject")["reason"] == "untrusted"


@pytest.mark.spec("SRV-66")
def test_a_long_list_is_verified_once(lb, upstream, listed):
    """A client of the CA's own that no list names, with it and without."""
    up = upstream(upstreams.echo)
    with_list = lb.proxy(up, tls={"crl": listed[0]})
    without = lb.proxy(up, tls={"crl": None})
    context = with_list.context("unlisted", "1.3")
    assert cost(with_list, context) < 1.7 * cost(without, context)
    assert with_list.wait_event("reject")["reason"] == "unknown_client"
