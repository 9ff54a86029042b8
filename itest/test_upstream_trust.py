"""An upstream that a reload no longer trusts loses its sessions."""

import copy
import shutil

import pytest

from harness import upstreams
from harness.odd_certs import make_cert, make_key
from harness.peer import TlsPeer
from harness.wait import BOUND

UNTRUSTED = "upstream_untrusted"
FOR_CAS = "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n"


def talk(peer, data=b"hello"):
    peer.send(data)
    assert peer.recv_exactly(len(data)) == data


def joined(path, *files):
    path.write_bytes(b"".join(file.read_bytes() for file in files))
    return path


def renewed(pki, path):
    """Another certificate of the upstreams' CA, with its name and key."""
    return make_cert(path, pki.upstream_dir / "ca.key", None, FOR_CAS,
                     subject="test upstreams CA")


def changed(server, **keys):
    """The server's configuration with other keys of its first upstream."""
    tree = copy.deepcopy(server.tree)
    tree["app"][0]["upstream"][0].update(
        {key: str(value) for key, value in keys.items()})
    return tree


@pytest.fixture
def tls_up(pki, upstream):
    return upstream(upstreams.echo, context=upstreams.server_context(
        pki.of_upstream("loopback")))


@pytest.fixture
def start(lb, pki, tls_up):
    """A server with a tls:// upstream, and more of the like."""
    def with_more(*others, **sections):
        return lb.proxy({"url": tls_up.url, "ca": str(pki.upstream_ca)},
                        *others, **sections)
    return with_more


def is_served(server):
    with server.connect() as peer:
        talk(peer)


def is_not_served(server):
    with server.connect() as peer:
        peer.expect_end("clean")
        peer.finish()
    server.wait_event("session", reason="no_upstream")


@pytest.mark.spec("RLD-21", "RLD-6")
def test_another_ca(start, pki, tls_up):
    server = start()
    with server.connect() as peer:
        talk(peer)
        server.reload(changed(server, ca=pki.other_ca))
        assert server.wait_event("session")["reason"] == UNTRUSTED
        peer.expect_end("reset")
        tls_up.peers[-1].expect_end("reset")
    is_not_served(server)


@pytest.mark.spec("RLD-21")
def test_what_has_not_changed_is_trusted(start):
    server = start()
    with server.connect() as peer:
        talk(peer)
        for _ in range(2):
            server.reload()
            talk(peer)
        is_served(server)


@pytest.mark.spec("RLD-21")
def test_sessions_on_others_stay(lb, pki, upstream, tls_up):
    server = lb.proxy(upstream(upstreams.echo),
                      {"url": tls_up.url, "ca": str(pki.upstream_ca)})
    with server.connect() as stays, server.connect() as goes:
        talk(stays)
        talk(goes)
        tree = copy.deepcopy(server.tree)
        tree["app"][0]["upstream"][1]["ca"] = str(pki.other_ca)
        server.reload(tree)
        line = server.wait_event("session")
        assert (line["reason"], line["upstream"]) == (UNTRUSTED, tls_up.url)
        goes.expect_end("reset")
        talk(stays)
        assert len(server.events("session")) == 1


@pytest.mark.spec("RLD-21")
def test_its_own_ca_stays_among_others_and_goes(start, pki, tmp_path):
    server = start()
    both = joined(tmp_path / "both.pem", pki.other_ca, pki.upstream_ca)
    with server.connect() as peer:
        talk(peer)
        server.reload(changed(server, ca=both))
        talk(peer)
        is_served(server)
        server.reload(changed(server, ca=pki.other_ca))
        peer.expect_end("reset")
    server.wait_event("session", reason=UNTRUSTED)


@pytest.mark.spec("RLD-21")
def test_a_ca_that_was_renewed_is_the_same(start, pki, tmp_path):
    server = start()
    with server.connect() as peer:
        talk(peer)
        server.reload(changed(server, ca=renewed(pki, tmp_path / "new.pem")))
        talk(peer)
        is_served(server)


@pytest.mark.spec("RLD-21")
def test_a_ca_of_the_same_name_with_another_key(start, pki, tmp_path):
    key = make_key(tmp_path / "key")
    other = make_cert(tmp_path / "other.pem", key, None, FOR_CAS,
                      subject="test upstreams CA")
    server = start()
    with server.connect() as peer:
        talk(peer)
        server.reload(changed(server, ca=other))
        peer.expect_end("reset")
    assert server.wait_event("session")["reason"] == UNTRUSTED


@pytest.mark.spec("RLD-21")
def test_an_intermediate_of_its_chain(lb, pki, upstream, tmp_path):
    """Trusted by its root, then by the intermediate alone."""
    issuer = (pki.upstream_ca, pki.upstream_dir / "ca.key")
    keys = [make_key(tmp_path / f"key{i}") for i in (0, 1)]
    middle = make_cert(tmp_path / "middle.pem", keys[0], issuer, FOR_CAS,
                       subject="middle")
    leaf = make_cert(tmp_path / "leaf.pem", keys[1], (middle, keys[0]),
                     "subjectAltName=IP:127.0.0.1\n")
    chain = joined(tmp_path / "chain.pem", leaf, middle)
    up = upstream(upstreams.echo,
                  context=upstreams.server_context((chain, keys[1])))
    server = lb.proxy({"url": up.url, "ca": str(pki.upstream_ca)})
    with server.connect() as peer:
        talk(peer)
        server.reload(changed(server, ca=middle))
        talk(peer)
        is_served(server)
        server.reload(changed(server, ca=pki.other_ca))
        peer.expect_end("reset")


@pytest.mark.spec("RLD-21")
@pytest.mark.parametrize("name, fits", [
    ("localhost", True), ("::1", True), ("127.0.0.2", False),
    ("db.internal", False)])
def test_another_name(start, name, fits):
    server = start()
    with server.connect() as peer:
        talk(peer)
        server.reload(changed(server, server_name=name))
        if fits:
            talk(peer)
            is_served(server)
        else:
            peer.expect_end("reset")
            is_not_served(server)


@pytest.mark.spec("RLD-21", "RLD-10")
def test_one_that_was_removed_is_not_judged(start, pki, upstream, tls_up):
    server = start()
    plain = upstream(upstreams.echo)
    with server.connect() as peer:
        talk(peer)
        tree = copy.deepcopy(server.tree)
        tree["app"][0]["upstream"] = [{"url": plain.url}]
        server.reload(tree)
        talk(peer)
        # It is the same one when it comes back.
        tree = copy.deepcopy(tree)
        tree["app"][0]["upstream"].append(
            {"url": tls_up.url, "ca": str(pki.other_ca)})
        server.reload(tree)
        peer.expect_end("reset")


@pytest.mark.spec("RLD-21", "WAT-5")
def test_new_content_of_its_ca_s_file(lb, pki, tls_up, tmp_path):
    file = tmp_path / "ca.pem"
    shutil.copy(pki.upstream_ca, file)
    server = lb.proxy({"url": tls_up.url, "ca": str(file)},
                      server={"watch": "50ms"})
    with server.connect() as peer:
        talk(peer)
        shutil.copy(pki.other_ca, file)
        peer.expect_end("reset")
    assert server.wait_event("session")["reason"] == UNTRUSTED


@pytest.mark.spec("RLD-22")
@pytest.mark.parametrize("trusted", [True, False])
def test_a_handshake_that_is_overtaken(lb, pki, upstream, tmp_path, trusted):
    up = upstream()
    server = lb.proxy({"url": f"tls://{up.address}",
                       "ca": str(pki.upstream_ca)},
                      timeouts={"connect": "1m"})
    ca = (renewed(pki, tmp_path / "new.pem") if trusted
          else pki.other_ca)
    with server.connect() as peer:
        behind = up.accept()
        server.reload(changed(server, ca=ca))
        with TlsPeer(behind.sock, upstreams.server_context(
                pki.of_upstream("loopback")), server_side=True) as behind:
            assert behind.handshake(timeout=BOUND)
            if trusted:
                peer.send(b"x")
                assert behind.recv_exactly(1) == b"x"
                return
            peer.expect_end("clean")
            peer.finish()
    line = server.wait_event("session")
    assert (line["reason"], line["cause"]) == (
        "no_upstream", "its certificate is not trusted since a reload")
