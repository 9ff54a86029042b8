"""The protocol that an app speaks over TLS (ALPN)."""

import pytest

from harness import server as srv, upstreams
from harness.client import connect


ALERT = "alert no application protocol"


def offering(server, *protocols, who="alice", version=None):
    context = server.context(who, version)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def serve(lb, upstream, **keys):
    up = upstream(upstreams.echo)
    return lb.start(srv.app("echo", [up], **keys)), up


def spoken(server, context, **options):
    """The protocol of a connection that is served."""
    with connect(server.address(), context, **options) as peer:
        peer.send(b"x")
        assert peer.recv_exactly(1) == b"x"
        return peer.tls.selected_alpn_protocol()


@pytest.mark.spec("SRV-173", "CFG-63")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_the_server_s_order_decides(lb, upstream, version):
    server, _ = serve(lb, upstream, alpn=["h2", "http/1.1", "x"])
    for offered, chosen in ((["http/1.1", "h2"], "h2"),
                            (["x", "y", "http/1.1"], "http/1.1"),
                            (["x"], "x")):
        context = offering(server, *offered, version=version)
        assert spoken(server, context) == chosen


@pytest.mark.spec("SRV-174", "SES-17", "LOG-4")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
@pytest.mark.parametrize("who", ["alice", None])
def test_none_in_common_is_refused_before_anything_else(lb, upstream, version,
                                                        who):
    server, up = serve(lb, upstream, alpn=["h2", "http/1.1"])
    context = offering(server, "h3", "H2", "http/1", who=who, version=version)
    with pytest.raises(AssertionError, match=ALERT):
        spoken(server, context)
    line = server.wait_event("reject")
    assert line["reason"] == "no_protocol"
    assert line["app"] == "echo"
    assert line["detail"] == "no application protocol"
    assert "client" not in line and "serial" not in line
    assert up.accepted == 0


@pytest.mark.spec("SRV-175")
def test_who_offers_nothing_is_served(lb, upstream):
    server, _ = serve(lb, upstream, alpn=["h2"])
    assert spoken(server, offering(server)) is None


@pytest.mark.spec("SRV-175")
@pytest.mark.parametrize("keys", [{}, {"alpn": []}], ids=["none", "empty"])
def test_an_app_without_protocols_ignores_them(lb, upstream, keys):
    server, _ = serve(lb, upstream, **keys)
    assert spoken(server, offering(server, "h2", "x")) is None


@pytest.mark.spec("SRV-173", "SRV-174")
@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_resumed_session_is_considered_anew(lb, upstream, version):
    server, _ = serve(lb, upstream, alpn=["h2", "x"])

    # One context for all, as a session belongs to it.
    context = offering(server, "x", version=version)
    kept = []
    for offered, chosen in ((["x"], "x"), (["x", "h2"], "h2")):
        context.set_alpn_protocols(offered)
        with connect(server.address(), context,
                     session=kept[0] if kept else None) as peer:
            peer.send(b"x")
            peer.recv_exactly(1)
            assert peer.tls.session_reused == bool(kept)
            assert peer.tls.selected_alpn_protocol() == chosen
            kept.append(peer.tls.session)
    context.set_alpn_protocols(["y"])
    with pytest.raises(AssertionError, match=ALERT):
        spoken(server, context, session=kept[0])
    server.wait_event("reject", reason="no_protocol")
    server.wait_event("session", 2)
    lines = server.events("session")
    assert [line["resumed"] for line in lines] == [False, True]


@pytest.mark.spec("SRV-173", "SRV-174")
def test_each_app_has_its_own(lb, upstream):
    up = upstream(upstreams.echo)
    server = lb.start([srv.app("one", [up], alpn=["h2"]),
                       srv.app("two", [up], alpn=["x"])])
    for name, protocol in (("one", "h2"), ("two", "x")):
        context = offering(server, "h2", "x")
        with connect(server.address(name), context) as peer:
            assert peer.tls.selected_alpn_protocol() == protocol
    with pytest.raises(AssertionError, match=ALERT):
        connect(server.address("two"), offering(server, "h2"))
    assert server.wait_event("reject")["app"] == "two"
