"""What a handshake may use: groups and signatures."""

import struct
import subprocess

import pytest

from harness import server as srv
from harness import upstreams
from harness.client import client_context, connect
from harness.wait import BOUND

VERSIONS = ["1.2", "1.3"]
OPTION = {"1.2": "-tls1_2", "1.3": "-tls1_3"}


def s_client(server, pki, version, *options, who="alice"):
    """What openssl s_client says of one handshake, which it ends at once."""
    host, port = server.address()
    pem, key = pki.of(who)
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"{host}:{port}", "-cert", pem,
         "-key", key, "-CAfile", pki.ca, OPTION[version], *options],
        input="", text=True, capture_output=True, timeout=BOUND * 2,
        check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.spec("SRV-62")
@pytest.mark.parametrize("version,group", [
    ("1.2", "P-384"), ("1.2", "P-521"), ("1.2", "X448"),
    ("1.3", "P-384"), ("1.3", "P-521"), ("1.3", "X448"),
    ("1.3", "ffdhe2048"), ("1.3", "ffdhe8192")])
def test_costly_groups_are_refused(lb, pki, upstream, version, group):
    server = lb.proxy(upstream(upstreams.echo))
    status, said = s_client(server, pki, version, "-groups", group)
    assert status != 0 and "alert handshake failure" in said, said
    line = server.wait_event("reject")
    assert line["reason"] == "handshake_failed"


@pytest.mark.spec("SRV-62")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("offered,key", [
    ("X25519:P-256", "X25519"), ("P-256", "prime256v1"),
    ("P-384:X25519:P-256", "X25519"), ("P-384:P-256", "prime256v1")])
def test_the_default_groups(lb, pki, upstream, version, offered, key):
    server = lb.proxy(upstream(upstreams.echo))
    status, said = s_client(server, pki, version, "-groups", offered)
    assert status == 0, said
    used = next(line for line in said.splitlines()
                if line.startswith("Server Temp Key: "))
    assert key in used.replace("P-256", "prime256v1"), used


@pytest.mark.spec("SRV-62")
@pytest.mark.parametrize("version", VERSIONS)
def test_configured_groups_are_used(lb, pki, upstream, version):
    server = lb.proxy(upstream(upstreams.echo), tls={"groups": "P-384"})
    status, said = s_client(server, pki, version, "-groups", "P-384:P-256")
    assert status == 0, said
    assert "secp384r1" in said or "P-384" in said, said
    status, said = s_client(server, pki, version, "-groups", "X25519:P-256")
    assert status != 0, said


def groups_offered(hello):
    """The groups of a ClientHello that came as one record."""
    assert hello[0] == 22 and hello[5] == 1, hello[:8]
    at = 5 + 4 + 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at:at + 2], "big")
    at += 1 + hello[at]
    at += 2
    while at < len(hello):
        kind, size = struct.unpack_from(">HH", hello, at)
        if kind == 10:
            return [group for group, in struct.iter_unpack(
                ">H", hello[at + 6:at + 4 + size])]
        at += 4 + size
    raise AssertionError("no groups are offered")


@pytest.mark.spec("SRV-101")
def test_the_groups_towards_upstreams(lb, pki, upstream):
    up = upstream()
    server = lb.proxy({"url": f"tls://{up.address}", "ca": pki.upstream_ca},
                      health={"interval": "1h"})
    with server.connect():
        hello = up.accept().recv(timeout=BOUND)
    # X25519, P-256, X448, P-384, P-521
    assert groups_offered(hello) == [29, 23, 30, 24, 25]


ALL_CIPHERS = ("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
               "ECDHE-ECDSA-CHACHA20-POLY1305")


def cipher_of(said):
    return next(line.split(" is ")[1] for line in said.splitlines()
                if line.startswith(("New, ", "Reused, ")))


@pytest.mark.spec("SRV-144")
@pytest.mark.parametrize("offered,is_served", [
    ("ECDHE-ECDSA-AES128-GCM-SHA256", True),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", True),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", True),
    ("ECDHE-ECDSA-AES128-SHA", False), ("ECDHE-ECDSA-AES128-SHA256", False),
    ("ECDHE-ECDSA-AES256-CCM", False),
    ("ECDHE-ECDSA-CAMELLIA128-SHA256", False)])
def test_the_default_ciphers(lb, pki, upstream, offered, is_served):
    server = lb.proxy(upstream(upstreams.echo))
    _, said = s_client(server, pki, "1.2", "-cipher",
                       f"{offered}:@SECLEVEL=0")
    assert cipher_of(said) == (offered if is_served else "(NONE)")


@pytest.mark.spec("SRV-149")
@pytest.mark.parametrize("version,key,option,names", [
    ("1.2", "ciphers", "-cipher", ALL_CIPHERS.split(":")),
    ("1.3", "ciphersuites", "-ciphersuites", [
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256"])])
def test_the_server_s_order_counts(lb, pki, upstream, version, key, option,
                                   names):
    for ours in (names, names[::-1]):
        server = lb.proxy(upstream(upstreams.echo),
                          tls={key: ":".join(ours)})
        status, said = s_client(server, pki, version, option,
                                ":".join(names))
        assert status == 0, said
        assert cipher_of(said) == ours[0]
        _, said = s_client(server, pki, version, option, ":".join(names[:2]))
        assert cipher_of(said) == next(n for n in ours if n in names[:2])


def key_of(kind, directory):
    """A client's key of a kind and its certificate's request."""
    key, request = directory / "odd.key", directory / "odd.csr"
    subprocess.run(["openssl", "genpkey", *kind, "-out", key], check=True,
                   capture_output=True, timeout=60)
    subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=odd",
                    "-out", request], check=True, capture_output=True,
                   timeout=60)
    return key, request


@pytest.mark.spec("SRV-63")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", [
    ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
    ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"),
    ("-algorithm", "ED25519"), ("-algorithm", "ED448"),
    ("-algorithm", "RSA"), ("-algorithm", "RSA-PSS")],
    ids=["P-384", "P-521", "Ed25519", "Ed448", "RSA", "RSA-PSS"])
def test_clients_keys_of_all_kinds_sign(lb, pki, upstream, tmp_path, version,
                                        kind):
    key, request = key_of(kind, tmp_path)
    pem, ext = tmp_path / "odd.pem", tmp_path / "odd.ext"
    ext.write_text("extendedKeyUsage=clientAuth\n", encoding="ascii")
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", pki.ca,
                    "-CAkey", pki.ca_dir / "ca.key", "-set_serial", "0x0dd0",
                    "-days", "2", "-extfile", ext, "-out", pem], check=True,
                   capture_output=True, timeout=60)
    server = lb.proxy(upstream(upstreams.echo),
                      clients=[srv.client("odd", ["0D:D0"], ["echo"])])
    with connect(server.address(),
                 client_context(pki.ca, (pem, key), version)) as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"


@pytest.mark.spec("SRV-100")
@pytest.mark.parametrize("groups,named", [
    ("P-999", "P-999"), ("X25519:nonsense:P-256", "nonsense"),
    ("X25519::P-256", "''"), ("X25519:", "''"), (":X25519", "''"),
    ("X25519 P-256", "X25519 P-256"), ("X25519:P-256:X25519", "twice"),
    ("x" * 60, "x" * 60)])
def test_each_group_is_checked(pki, tmp_path, groups, named):
    tree = srv.config(pki, [srv.app("echo", ["tcp://127.0.0.1:1"])],
                      tls={"groups": groups})
    path = srv.write_config(tmp_path, tree)
    done = srv.run("-c", path, "--check")
    assert done.returncode == 2, done.stderr
    lines = srv.messages(done.stderr)
    assert len(lines) == 1, lines
    number = 1 + path.read_text().splitlines().index(f'groups = "{groups}"')
    assert f":{number}:10: error: tls.groups: " in lines[0], lines
    assert named in lines[0] and "accepted: " in lines[0], lines


@pytest.mark.spec("SRV-63")
@pytest.mark.parametrize("version", VERSIONS)
def test_no_old_signatures_are_asked_for(lb, pki, upstream, version):
    server = lb.proxy(upstream(upstreams.echo))
    _, said = s_client(server, pki, version)
    asked = next(line for line in said.splitlines()
                 if line.startswith("Requested Signature Algorithms: "))
    for bad in ("SHA1", "SHA224", "DSA+", "0x"):
        assert bad not in asked.replace("ECDSA+", ""), asked
    for good in ("ECDSA+SHA256", "ed25519", "RSA-PSS+SHA256"):
        assert good in asked, asked


@pytest.mark.spec("SRV-63")
@pytest.mark.parametrize("version", VERSIONS)
def test_nor_made(lb, pki, upstream, version):
    """The server signs with SHA-256 and better, whatever it is offered."""
    server = lb.proxy(upstream(upstreams.echo))
    status, said = s_client(
        server, pki, version, "-sigalgs", "ECDSA+SHA1:ECDSA+SHA224",
        "-cipher", "DEFAULT:@SECLEVEL=0")
    assert status != 0, said
    status, said = s_client(
        server, pki, version, "-sigalgs",
        "ECDSA+SHA1:ECDSA+SHA224:ECDSA+SHA256")
    assert status == 0, said
