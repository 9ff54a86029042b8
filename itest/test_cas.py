"""Several CAs of clients, their lists, and intermediates below them."""

import copy

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import certs_gen
from harness.client import attempt, client_context, connect
from harness.odd_certs import make_cert, make_crl, make_key

VERSIONS = ["1.2", "1.3"]
SERIAL = "0A:11:CE"
FOR_CLIENTS = "extendedKeyUsage=clientAuth\n"


def talk(peer):
    peer.send(b"hello")
    assert peer.recv_exactly(5) == b"hello"


def visit(server, context, session=None):
    """A session that says hello; returns what can be resumed."""
    with connect(server.address(), context, session=session) as peer:
        talk(peer)
        session = peer.tls.session
        peer.finish()
        return session, peer.tls.session_reused


def refused(server, context, reason, session=None):
    before = len(server.events("reject"))
    _, peer = attempt(server.address(), context, session=session)
    assert peer.ending == "alert", peer.describe()
    line = server.wait_event("reject", count=before + 1)
    assert line["reason"] == reason, line
    return line, peer


def ca(name, file, **keys):
    return {"id": name, "file": file, **keys}


def client(name, **keys):
    return {"id": name, **keys, "apps": ["echo"]}


@pytest.fixture
def start(lb, upstream):
    def with_cas(cas, clients):
        return lb.proxy(upstream(upstreams.echo), clients=clients,
                        tls={"client_ca": cas, "crl": None})
    return with_cas


@pytest.fixture
def context(pki):
    def of(name, version=None):
        return client_context(pki.ca, pki.of(name), version)
    return of


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A root, an intermediate, one below that, and clients of all three."""
    root = tmp_path_factory.mktemp("root") / "ca"
    certs_gen("ca", root, "--name", "root of chains")
    directories = {"root": root}
    for name, above in (("middle", "root"), ("inner", "middle")):
        certs_gen("intermediate", directories[above], name)
        directories[name] = directories[above] / name
    for name, directory in directories.items():
        certs_gen("client", directory, f"by-{name}", "--serial", SERIAL,
                  "--san", f"URI:spiffe://corp/{name}")
    return directories


def chained(pki, tree, name, version=None):
    pair = (tree[name] / f"by-{name}.pem", tree[name] / f"by-{name}.key")
    return client_context(pki.ca, pair, version)


def joined(path, *files):
    path.write_bytes(b"".join(file.read_bytes() for file in files))
    return path


@pytest.mark.spec("SRV-10", "SRV-184", "CFG-93", "ACL-11")
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("order", [1, -1])
def test_a_serial_under_two_cas_is_two_clients(start, context, pki, version,
                                               order):
    """Both CAs have one name: only their keys tell them apart."""
    cas = [ca("ours", pki.ca), ca("other", pki.other_ca)][::order]
    server = start(cas, [
        client("alice", serials=["ours/" + SERIAL]),
        client("dave", serials=["other/" + SERIAL])])
    for name, who in (("alice", "alice"), ("stranger", "dave")):
        visit(server, context(name, version))
        line = server.wait_event("session", client=who)
        assert line["serial"] == SERIAL


@pytest.mark.spec("CFG-93", "SRV-10")
def test_a_serial_alone_is_the_first_ca_s(start, context, pki):
    server = start([ca("other", pki.other_ca), ca("ours", pki.ca)],
                   [client("dave", serials=[SERIAL])])
    visit(server, context("stranger"))
    refused(server, context("alice"), "unknown_client")
    assert server.wait_event("session")["client"] == "dave"


@pytest.mark.spec("SRV-184")
def test_cas_of_one_name_without_a_key_identifier(start, pki, tmp_path):
    """Nothing but the signature says whose a certificate is."""
    issuers = [(pki.ca, pki.ca_dir / "ca.key"),
               (pki.other_ca, pki.other_dir / "ca.key")]
    server = start([ca("ours", pki.ca), ca("other", pki.other_ca)], [
        client("one", serials=["ours/77"]),
        client("two", serials=["other/77"])])
    for number, issuer in enumerate(issuers):
        key = make_key(tmp_path / f"{number}.key")
        cert = make_cert(tmp_path / f"{number}.pem", key, issuer,
                         FOR_CLIENTS + "authorityKeyIdentifier=none\n",
                         serial="0x77")
        visit(server, client_context(pki.ca, (cert, key)))
        server.wait_event("session", count=number + 1)
    assert [line["client"] for line in server.events("session")] == [
        "one", "two"]


@pytest.mark.spec("SRV-184")
def test_four_namesakes(start, pki, tmp_path):
    """Each is tried until one has signed it."""
    cas, clients = [], []
    for number in range(4):
        directory = tmp_path / f"ca{number}"
        certs_gen("ca", directory, "--name", "namesake")
        cas.append(ca(f"n{number}", directory / "ca.pem"))
        clients.append(client(f"c{number}", serials=[f"n{number}/77"]))
    server = start(cas, clients)
    for number in range(4):
        key = make_key(tmp_path / f"{number}.key")
        cert = make_cert(tmp_path / f"{number}.pem", key,
                         (tmp_path / f"ca{number}" / "ca.pem",
                          tmp_path / f"ca{number}" / "ca.key"),
                         FOR_CLIENTS + "authorityKeyIdentifier=none\n",
                         serial="0x77")
        visit(server, client_context(pki.ca, (cert, key)))
        line = server.wait_event("session", count=number + 1)
        assert line["client"] == f"c{number}"


@pytest.mark.spec("SRV-184", "SRV-9")
def test_a_forged_certificate_of_one_of_two_namesakes(start, pki, tmp_path):
    forger = make_key(tmp_path / "forger.key")
    fake = make_cert(tmp_path / "fake.pem", forger,
                     subject="test clients CA",
                     extensions="basicConstraints=critical,CA:TRUE\n")
    key = make_key(tmp_path / "leaf.key")
    cert = make_cert(tmp_path / "leaf.pem", key, (fake, forger),
                     FOR_CLIENTS + "authorityKeyIdentifier=none\n",
                     serial="0x0A11CE")
    server = start([ca("ours", pki.ca), ca("other", pki.other_ca)],
                   [client("alice", serials=[SERIAL])])
    refused(server, client_context(pki.ca, (cert, key)), "untrusted")


@pytest.mark.spec("SRV-127", "SRV-66", "SRV-135")
def test_each_ca_has_its_own_list(start, context, pki, tmp_path):
    key = make_key(tmp_path / "k")
    cert = make_cert(tmp_path / "c", key,
                     (pki.other_ca, pki.other_dir / "ca.key"), FOR_CLIENTS,
                     serial="0xDEAD")
    server = start([ca("ours", pki.ca, crl=pki.crl),
                    ca("other", pki.other_ca)], [
        client("gone", serials=["DE:AD"]),
        client("dead", serials=["other/DE:AD"])])
    refused(server, context("revoked"), "revoked")
    visit(server, client_context(pki.ca, (cert, key)))
    assert server.wait_event("session")["client"] == "dead"
    warnings = [line["message"] for line in server.events("error")]
    assert len(warnings) == 1 and "'gone'" in warnings[0], warnings


@pytest.mark.spec("SRV-185", "SRV-9", "SRV-180")
@pytest.mark.parametrize("name", ["middle", "inner"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_chain_identifies_by_name_only(start, pki, tree, name, version):
    server = start([ca("root", tree["root"] / "ca.pem", chain=True)], [
        client("by-serial", serials=[SERIAL]),
        client("by-name", uris=[f"spiffe://corp/{name}"])])
    visit(server, chained(pki, tree, name, version))
    line = server.wait_event("session")
    assert (line["client"], line["serial"]) == ("by-name", SERIAL)
    assert line["name"] == f"spiffe://corp/{name}"
    visit(server, chained(pki, tree, "root", version))
    line = server.wait_event("session", count=2)
    assert line["client"] == "by-serial" and "name" not in line
    others = {"middle", "inner"} - {name}
    line, _ = refused(server, chained(pki, tree, *others, version),
                      "unknown_client")
    assert line["serial"] == SERIAL


@pytest.mark.spec("SRV-185", "SRV-9")
def test_without_chain_an_intermediate_is_refused(start, pki, tree):
    """Although another CA allows it."""
    server = start([ca("root", tree["root"] / "ca.pem"),
                    ca("ours", pki.ca, chain=True)],
                   [client("x", uris=["spiffe://corp/middle"])])
    refused(server, chained(pki, tree, "middle"), "untrusted")


@pytest.mark.spec("SRV-185")
def test_an_intermediate_may_be_a_ca_of_its_own(start, pki, tree):
    """Then it is no intermediate, and its serials identify."""
    server = start([ca("root", tree["root"] / "ca.pem", chain=True),
                    ca("middle", tree["middle"] / "ca.pem")],
                   [client("x", serials=["middle/" + SERIAL])])
    visit(server, chained(pki, tree, "middle"))
    assert server.wait_event("session")["client"] == "x"


@pytest.mark.spec("SRV-185", "SRV-64")
def test_a_chain_that_lacks_a_link(start, pki, tree, tmp_path):
    pem = (tree["inner"] / "by-inner.pem").read_text("ascii")
    parts = pem.split("-----END CERTIFICATE-----\n")
    (tmp_path / "c").write_text(
        "-----END CERTIFICATE-----\n".join(parts[:2])
        + "-----END CERTIFICATE-----\n", "ascii")
    server = start([ca("root", tree["root"] / "ca.pem", chain=True)],
                   [client("x", uris=["spiffe://corp/inner"])])
    refused(server, client_context(
        pki.ca, (tmp_path / "c", tree["inner"] / "by-inner.key")), "untrusted")


@pytest.mark.spec("SRV-186")
def test_each_issuer_needs_its_list(start, pki, tree, tmp_path):
    root, middle = tree["root"], tree["middle"]
    crls = joined(tmp_path / "crls", middle / "ca.crl", root / "ca.crl")
    server = start(
        [ca("root", root / "ca.pem", chain=True, crl=crls)],
        [client(name, uris=[f"spiffe://corp/{name}"])
         for name in ("root", "middle", "inner")])
    for _ in range(2):
        visit(server, chained(pki, tree, "middle"))
        visit(server, chained(pki, tree, "root"))
        refused(server, chained(pki, tree, "inner"), "crl_expired")


@pytest.mark.spec("SRV-186")
@pytest.mark.parametrize("who, life, reason", [
    ("leaf", ("-1", "+30"), "revoked"), ("middle", ("-1", "+30"), "revoked"),
    (None, ("-9", "-1"), "crl_expired")], ids=["leaf", "middle", "outdated"])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_chain_is_judged_by_its_lists(start, pki, tree, tmp_path, who, life,
                                        reason, version):
    root, middle = tree["root"], tree["middle"]
    number = certs_gen("serial", middle / "ca.pem").strip()
    crls = joined(
        tmp_path / "crls",
        make_crl(tmp_path / "r", (root / "ca.pem", root / "ca.key"),
                 [number] if who == "middle" else []),
        make_crl(tmp_path / "m", (middle / "ca.pem", middle / "ca.key"),
                 [SERIAL] if who == "leaf" else [], life=life))
    server = start(
        [ca("root", root / "ca.pem", chain=True, crl=crls)],
        [client("x", uris=["spiffe://corp/middle"], serials=[SERIAL])])
    refused(server, chained(pki, tree, "middle", version), reason)
    # The same serial under the root is another one's.
    visit(server, chained(pki, tree, "root", version))


@pytest.mark.spec("SRV-186")
@pytest.mark.parametrize("serials, reason", [
    ([], None), ([SERIAL], "revoked")], ids=["neither", "second"])
def test_two_lists_of_an_intermediate(start, pki, tree, tmp_path, serials,
                                      reason):
    """One that says nothing of a certificate does not overrule another."""
    root, middle = tree["root"], tree["middle"]
    signer = (middle / "ca.pem", middle / "ca.key")
    crls = joined(tmp_path / "crls", root / "ca.crl",
                  make_crl(tmp_path / "one", signer),
                  make_crl(tmp_path / "two", signer, serials))
    server = start([ca("root", root / "ca.pem", chain=True, crl=crls)],
                   [client("x", uris=["spiffe://corp/middle"])])
    if reason:
        refused(server, chained(pki, tree, "middle"), reason)
    else:
        visit(server, chained(pki, tree, "middle"))


@pytest.mark.spec("SRV-186", "SRV-189")
@pytest.mark.parametrize("usage, serial, reason", [
    ("keyCertSign,cRLSign", "0x77", None),
    ("keyCertSign", "0x77", "crl_expired"),
    ("keyCertSign,cRLSign", "0x" + "77" * 21, "bad_certificate")],
    ids=["good", "no-lists", "long-serial"])
def test_an_odd_link(start, pki, tree, tmp_path, usage, serial, reason):
    """An intermediate that may not sign lists has none; a serial that is none
    is on no list, and is refused all the same."""
    root = tree["root"]
    above = make_key(tmp_path / "above.key")
    link = make_cert(tmp_path / "above.pem", above,
                     (root / "ca.pem", root / "ca.key"),
                     "basicConstraints=critical,CA:TRUE\n"
                     f"keyUsage=critical,{usage}\n", subject="odd link")
    key = make_key(tmp_path / "key")
    leaf = make_cert(tmp_path / "leaf", key, (link, above),
                     FOR_CLIENTS + "subjectAltName=URI:spiffe://corp/odd\n",
                     serial=serial)
    crls = joined(tmp_path / "crls", root / "ca.crl",
                  make_crl(tmp_path / "list", (link, above)))
    server = start([ca("root", root / "ca.pem", chain=True, crl=crls)],
                   [client("x", uris=["spiffe://corp/odd"])])
    context = client_context(
        pki.ca, (joined(tmp_path / "chain", leaf, link), key))
    if reason:
        refused(server, context, reason)
    else:
        visit(server, context)


@pytest.mark.spec("SRV-186", "SRV-189")
def test_a_list_that_the_intermediate_did_not_sign(start, pki, tree,
                                                   tmp_path):
    root, middle = tree["root"], tree["middle"]
    key = make_key(tmp_path / "key")
    fake = make_cert(tmp_path / "fake", key, subject="middle",
                     extensions="basicConstraints=critical,CA:TRUE\n")
    crls = joined(tmp_path / "crls", root / "ca.crl",
                  make_crl(tmp_path / "m", (fake, key)))
    server = start([ca("root", root / "ca.pem", chain=True, crl=crls)],
                   [client("x", uris=["spiffe://corp/middle"])])
    for _ in range(2):
        refused(server, chained(pki, tree, "middle"), "crl_expired")


@pytest.mark.spec("SRV-183", "SRV-98", "SRV-67")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_chain_is_resumed(start, pki, tree, version):
    server = start([ca("root", tree["root"] / "ca.pem", chain=True)],
                   [client("x", uris=["spiffe://corp/inner"])])
    context = chained(pki, tree, "inner", version)
    session = None
    for number in (1, 2, 3):
        session, reused = visit(server, context, session)
        assert reused == (number > 1)
        line = server.wait_event("session", count=number)
        assert (line["client"], line["name"], line["resumed"]) == (
            "x", "spiffe://corp/inner", reused)


@pytest.mark.spec("SRV-187", "RLD-6")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_ca_is_taken_away(start, context, pki, version):
    server = start([ca("ours", pki.ca), ca("other", pki.other_ca)], [
        client("alice", serials=[SERIAL]),
        client("dave", serials=["other/" + SERIAL])])
    one = context("stranger", version)
    session, _ = visit(server, one)
    with connect(server.address(), context("alice")) as stays, connect(
            server.address(), context("stranger")) as goes:
        talk(stays)
        talk(goes)
        tree = copy.deepcopy(server.tree)
        tree["tls"]["client_ca"].pop()
        tree["client"].pop()
        server.reload(tree)
        goes.expect_end("reset")
        talk(stays)
    refused(server, one, "untrusted", session=session)
    server.wait_event("session", client="dave", reason="untrusted")


@pytest.mark.spec("SRV-188")
@pytest.mark.parametrize("version", VERSIONS)
def test_cas_change_their_order_and_their_ids(start, context, pki, version):
    """A serial is its CA's, whatever place that has and is called."""
    server = start([ca("ours", pki.ca)], [client("alice", serials=[SERIAL])])
    alice = context("alice", version)
    session, _ = visit(server, alice)
    with connect(server.address(), context("alice")) as peer:
        talk(peer)
        tree = copy.deepcopy(server.tree)
        tree["tls"]["client_ca"] = [ca("new", pki.other_ca),
                                    ca("old", pki.ca)]
        tree["client"] = [client("dave", serials=[SERIAL]),
                          client("alice", serials=["old/" + SERIAL])]
        server.reload(tree)
        talk(peer)
        _, reused = visit(server, alice, session)
        assert reused
        visit(server, context("stranger", version))
        tree["tls"]["client_ca"] = pki.ca
        tree["client"] = [client("alice", serials=[SERIAL])]
        server.reload(tree)
        talk(peer)
        lines = [line["client"] for line in server.events("session")]
        assert lines == ["alice", "alice", "dave"]


@pytest.mark.spec("SRV-187")
@pytest.mark.parametrize("version", VERSIONS)
def test_chains_are_no_longer_allowed(start, pki, tree, version):
    server = start([ca("root", tree["root"] / "ca.pem", chain=True)],
                   [client("x", uris=["spiffe://corp/middle"])])
    context = chained(pki, tree, "middle", version)
    session, _ = visit(server, context)
    with connect(server.address(), context) as peer:
        talk(peer)
        changed = copy.deepcopy(server.tree)
        changed["tls"]["client_ca"][0]["chain"] = False
        server.reload(changed)
        peer.expect_end("reset")
    refused(server, context, "untrusted", session=session)


def problems(pki, tmp_path, cas):
    tree = srv.config(pki, [srv.app("echo", ["tcp://127.0.0.1:1"])], [],
                      tls={"client_ca": cas, "crl": None})
    done = srv.run("--check", "-c", srv.write_config(tmp_path, tree))
    assert done.returncode == (2 if done.stderr else 0)
    return done.stderr


@pytest.mark.spec("SRV-290")
def test_a_ca_is_there_once(pki, tmp_path):
    said = problems(pki, tmp_path, [ca("a", pki.ca), ca("b", pki.other_ca)])
    assert said == ""
    said = problems(pki, tmp_path, [ca("a", pki.ca), ca("b", pki.ca)])
    assert "tls.client_ca.file" in said and "another" in said, said
    cas = [ca("a", pki.ca)]
    for number in range(5):
        certs_gen("ca", tmp_path / f"ca{number}", "--name", "namesake")
        cas.append(ca(f"n{number}", tmp_path / f"ca{number}" / "ca.pem"))
    assert problems(pki, tmp_path, cas[:5]) == ""
    assert "same name as four others" in problems(pki, tmp_path, cas)


@pytest.mark.spec("SRV-189", "SRV-75")
def test_lists_of_others(pki, tree, tmp_path):
    root, middle = tree["root"], tree["middle"]
    both = joined(tmp_path / "both", root / "ca.crl", middle / "ca.crl")
    said = problems(pki, tmp_path, [ca("r", root / "ca.pem", crl=both)])
    assert "tls.client_ca.crl" in said and "not issued by" in said, said
    said = problems(pki, tmp_path,
                    [ca("r", root / "ca.pem", crl=both, chain=True)])
    assert said == ""
    said = problems(pki, tmp_path, [
        ca("r", root / "ca.pem", crl=middle / "ca.crl", chain=True)])
    assert "no list of the CA itself" in said, said
    said = problems(pki, tmp_path, [
        ca("o", pki.ca, crl=pki.other_dir / "ca.crl", chain=True)])
    assert "not issued by" in said, said
