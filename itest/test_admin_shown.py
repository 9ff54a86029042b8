"""What the admin port and socket show and find after reloads, of many, and of
those who are nobody yet."""

import json
import os
import pathlib
import tempfile

import pytest

from harness import admin, control, upstreams
from harness import server as srv
from harness.client import tcp_connect
from harness.control import ctl, sessions, status_of
from harness.wait import wait_for

SECTION = control.section()


@pytest.fixture
def up(upstream):
    return upstream(upstreams.echo)


def echoed(peer, data):
    peer.send(data)
    return peer.recv_exactly(len(data))


def client_at(server, app, client):
    return control.ask(server, f"/client?app={app}&client={client}")


@pytest.mark.spec("CTL-8")
def test_a_client_at_an_app_of_others(lb, up):
    server = lb.start(
        [srv.app(name, [up]) for name in ("one", "two", "three")],
        [srv.client("alice", [srv.SERIALS["alice"]], ["one"]),
         srv.client("bob", [srv.SERIALS["bob"]], ["one", "two"])],
        server=SECTION)
    assert client_at(server, "one", "alice").status == 200
    # Of the others somebody comes after her, or nobody.
    for app in ("two", "three"):
        assert client_at(server, app, "alice").status == 404
    assert client_at(server, "two", "bob").status == 200
    assert client_at(server, "three", "bob").status == 404
    assert "clients" in status_of(server)


@pytest.mark.spec("CTL-8", "CTL-12")
def test_who_and_what_comes_after_what_a_reload_removed(lb, upstream):
    one, two = upstream(upstreams.echo), upstream(upstreams.echo)
    server = lb.proxy(one, two, server=SECTION)
    listed = server.tree["client"]
    assert client_at(server, "echo", listed[-1]["id"]).status == 200
    tree = {**server.tree, "client": listed[1:], "app": [
        {**server.tree["app"][0], "upstream": [{"url": two.url}]}]}
    server.reload(tree)
    assert client_at(server, "echo", listed[0]["id"]).status == 404
    assert client_at(server, "echo", listed[-1]["id"]).status == 200
    assert [each["url"] for each in
            status_of(server)["apps"][0]["upstreams"]] == [two.url]
    ctl(server, "drain", "echo", one.url, status=1)
    ctl(server, "drain", "echo", two.url)
    ctl(server, "kill", "--client", listed[0]["id"], status=1)
    ctl(server, "kill", "--client", listed[-1]["id"])


@pytest.mark.spec("ADM-14")
def test_the_last_of_many_clients(lb, up):
    """Of more than are looked at at once."""
    clients = [srv.client(f"c{n}", [f"0C:{n:02X}"], ["echo"])
               for n in range(70)]
    clients += [srv.client("alice", [srv.SERIALS["alice"]], ["echo"])]
    server = lb.start([srv.app("echo", [up])], clients,
                      server=admin.section())
    with server.connect() as alice:
        assert echoed(alice, b"x") == b"x"
        told = json.loads(admin.ask(server, "/status?clients=1000").text)
    assert [one["client"] for one in told["clients"]] == ["alice"]


@pytest.mark.spec("CTL-11", "CTL-14")
def test_a_handshake_is_neither_listed_nor_ended(lb, up):
    server = lb.proxy(up, server=control.section(workers=1))
    with tcp_connect(server.address()) as silent, server.connect() as alice:
        assert echoed(alice, b"x") == b"x"
        [one] = sessions(server)
        assert ctl(server, "--json", "kill", "--client", "bob").stdout == (
            '{"killed":0}\n')
        # A handshake has a number, too.
        worker, number = one["id"].split("-")
        for other in range(1, int(number) + 3):
            if other != int(number):
                ctl(server, "kill", f"{worker}-{other}", status=1)
        silent.settimeout(0.1)
        with pytest.raises(TimeoutError):
            silent.recv(1)
        assert echoed(alice, b"y") == b"y"
    wait_for(lambda: sessions(server) == [], "no session")


@pytest.mark.spec("CTL-6")
def test_what_is_there_on_another_file_system_stays(lb, up, tmp_path):
    (tmp_path / "run").mkdir()
    server = lb.proxy(up, server=control.section(
        admin_socket=str(tmp_path / "run/a.sock")))
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if os.stat(other).st_dev == tmp_path.stat().st_dev:
            pytest.fail("this test needs two file systems")
        there = pathlib.Path(other, "a.sock")
        there.write_text("mine")
        (tmp_path / "run").rename(tmp_path / "gone")
        (tmp_path / "run").symlink_to(other)
        server.stop()
        assert there.read_text() == "mine"


@pytest.mark.spec("CTL-3", "CTL-19")
def test_a_configuration_in_the_working_directory(lb, up, monkeypatch):
    """Its path has no slash."""
    server = lb.proxy(up, server=SECTION)
    monkeypatch.chdir(server.path.parent)
    done = control.run("-c", server.path.name, "--json", "status")
    assert json.loads(done.stdout)["generation"] == 1
