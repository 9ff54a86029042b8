"""Files of clients that a configuration includes."""

import json
import os
import time

import pytest

from harness import server as srv
from harness import upstreams
from harness.home import Home
from harness.wait import SLOW

ACCEPTED = "; accepted: a TOML file with [[client]] tables only"


def table(name, serial, more=""):
    return (f'[[client]]\nid = "{name}"\nserials = ["{serial}"]\n'
            f'apps = ["echo"]\n{more}')


class Check:
    """--check of a configuration that includes."""

    def __init__(self, pki, directory):
        self.dir = directory
        self.home = Home(pki, directory)

    def add(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def write(self, *items, clients=""):
        path = self.home.write()
        text = path.read_text().replace("client = []\n", "")
        line = f"include = {json.dumps(items)}\n"
        path.write_text(line + text + clients)
        return path

    def run(self, *items, clients="", status=2, cwd=None):
        """Lines as "PATH:LINE:COLUMN: LEVEL: MESSAGE", paths relative."""
        path = self.write(*items, clients=clients)
        shown = path if cwd is None else os.path.relpath(path, cwd)
        done = srv.run("-c", shown, "--check", cwd=cwd)
        assert done.returncode == status, done.stderr
        return srv.messages(done.stderr.replace(f"{self.dir}/", ""))


@pytest.fixture
def check(pki, tmp_path):
    return Check(pki, tmp_path)


@pytest.mark.spec("CFG-73")
def test_nothing_matches(check):
    assert check.run("clients.d/*.toml", "no[a-z]", "x?", status=0) == []
    (check.dir / "clients.d").mkdir()
    assert check.run("clients.d/*.toml", status=0) == []


@pytest.mark.spec("CFG-76")
def test_a_plain_name_must_exist(check):
    assert check.run("c.toml") == [
        "lbproxy.toml:1:12: error: include: 'c.toml' cannot be read: "
        "No such file or directory" + ACCEPTED]


@pytest.mark.spec("CFG-76")
def test_an_item_that_is_no_name(check):
    """The others are read all the same."""
    check.add("c.toml", "x = 1\n")
    found = check.run(7, "c.toml")
    assert [line.split(":")[0] for line in found] == [
        "lbproxy.toml", "c.toml"], found
    assert "not an integer" in found[0], found


@pytest.mark.spec("CFG-74")
def test_the_order_of_names(check):
    """By bytes: upper case before lower, no number's value, no locale."""
    names = ["Z.toml", "_.toml", "a.toml", "a10.toml", "a9.toml", "\u00e4.toml"]
    for name in reversed(names):
        check.add(f"d/{name}", "x = 1\n")
    check.add("d/.hidden.toml", "x = 1\n")
    check.add("d/a.toml.swp", "x = 1\n")
    check.add("0", "x = 1\n")
    found = check.run("d/*.toml", "0")
    assert [line.split(":")[0] for line in found] == \
        [f"d/{name}" for name in names] + ["0"]


@pytest.mark.spec("CFG-73")
def test_paths_are_relative_to_the_configuration(check, tmp_path):
    """Also in a directory whose name looks like a pattern."""
    check.dir = tmp_path / "we[ir]d*\\?"
    check.dir.mkdir()
    check.home = Home(check.home.pki, check.dir)
    check.add("d/a.toml", "x = 1\n")
    check.add("../e/b.toml", "y = 1\n")
    found = check.run("d/*", "d/a.toml", "../e/?.toml",
                      f"{tmp_path}/e/b.toml")
    of_a = "d/a.toml:1:1: error: unknown key 'x'; accepted: client"
    of_b = "e/b.toml:1:1: error: unknown key 'y'; accepted: client"
    assert found == [of_a, of_a, f"../{of_b}", f"{tmp_path}/{of_b}"]
    assert check.run("d/*", cwd=check.dir) == [of_a]


@pytest.mark.spec("CFG-74", "CFG-77")
def test_errors_in_several_files(check):
    check.add("a.toml", table("a", "1") + "[server]\nworkers = 1\n")
    check.add("b.toml", "[[client]]\nid =\n")
    check.add("c.toml", table("c", "zz"))
    found = check.run("?.toml", "no", clients=table("m", "5", "x = 1\n"))
    assert found[0].startswith("lbproxy.toml:1:22: error: include: 'no' ")
    assert "unknown key 'client.x'" in found[1]
    assert found[2:] == [
        "a.toml:5:2: error: unknown key 'server'; accepted: client",
        "b.toml:2:5: error: expected a value, found the end of the line",
        'c.toml:3:12: error: client.serials must be an array of one or more '
        'serial numbers, each hex like "1A:2B:3C", positive and at most 20 '
        "octets, not 'zz': it is not pairs of hex digits"]


@pytest.mark.spec("CFG-75")
def test_a_clash_over_files(check):
    check.add("d/a", table("a", "1"))
    check.add("d/b", "\n" + table("m", "01") + table("a", "2"))
    own = check.write("d/*", clients=table("m", "3")).read_text()
    line = own[:own.index('id = "m"')].count("\n") + 1
    assert check.run("d/*", clients=table("m", "3")) == [
        f"d/b:3:6: error: client.id 'm' is already on line {line} of "
        "'lbproxy.toml' (client.id) and must be unique",
        "d/b:4:12: error: client.serials '01' is already on line 3 of 'd/a' "
        "(client.serials) and must be unique",
        "d/b:7:6: error: client.id 'a' is already on line 2 of 'd/a' "
        "(client.id) and must be unique"]


@pytest.mark.spec("CFG-76")
def test_what_is_no_file(check):
    (check.dir / "d").mkdir()
    os.mkfifo(check.dir / "d/a")
    (check.dir / "d/b").mkdir()
    (check.dir / "d/c").symlink_to("nowhere")
    check.add("d/d\n", "")
    with open(os.fsencode(check.dir / "d") + b"/e\xff", "w"):
        pass
    start = "lbproxy.toml:1:12: error: include: 'd/"
    assert check.run("d/*") == [
        start + "a' cannot be read: it is a pipe, not a regular file"
        + ACCEPTED,
        start + "b' cannot be read: it is a directory" + ACCEPTED,
        start + "c' cannot be read: No such file or directory" + ACCEPTED,
        start + "d\\u000A' has a control character in its name" + ACCEPTED,
        start + "e\\uFFFD' has a name that is not UTF-8" + ACCEPTED]


@pytest.mark.spec("CFG-79")
def test_a_directory_that_cannot_be_searched(check):
    (check.dir / "loop").symlink_to("loop")
    assert check.run("loop/*", "file/*", "a/b/*") == [
        "lbproxy.toml:1:12: error: include: 'loop/*' cannot be searched for: "
        "Too many levels of symbolic links" + ACCEPTED]


@pytest.mark.spec("CFG-78")
def test_too_much_in_all(check):
    for number in range(3):
        with open(check.add(f"d/{number}", ""), "wb") as file:
            file.truncate(40 << 20)
            file.write(b"#")
    found = check.run("d/*", "d/0")
    assert found[0] == (
        "lbproxy.toml:1:12: error: include: 'd/1' brings the included files "
        "to more than 64 MiB" + ACCEPTED)
    assert len(found) == 2 and found[1].startswith("d/0:1:2: error: ")


@pytest.mark.long(20)
@pytest.mark.spec("CFG-78")
def test_too_many(check):
    (check.dir / "d").mkdir()
    for number in range(100001):
        os.close(os.open(check.dir / f"d/{number:06}", os.O_CREAT))
    assert check.run("d/*") == [
        "lbproxy.toml:1:12: error: include: 'd/100000' is one more than "
        "100000 included files" + ACCEPTED]
    (check.dir / "d/000000").unlink()
    assert check.run("d/*", status=0) == []


@pytest.mark.spec("CFG-74")
def test_warnings(check):
    check.add("a", table("a", "1", 'limits.echo.window = "1s"\n'))
    check.add("b", table("b", "2", "limits.echo.concurrent = 401\n"))
    assert check.run("b", "a", status=0) == [
        "b:5:26: warning: client.limits.echo.concurrent has no effect above "
        "server.max_connections, which is 400",
        "a:5:22: warning: client.limits.echo.window has no effect without "
        "connections"]


def including(running, *items, **sections):
    tree = {"include": list(items), **running.tree, "client": []}
    for name, keys in sections.items():
        tree[name] = {**tree[name], **keys}
    return tree


def add_client(server, path, name="alice"):
    path = server.path.parent / path
    path.parent.mkdir(exist_ok=True)
    path.write_text(table(name, srv.SERIALS[name]))
    return path


@pytest.mark.spec("CFG-72", "RLD-1")
def test_included_clients_are_served(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    add_client(server, "clients.d/a.toml")
    tree = including(server, "clients.d/*.toml")
    line = server.reload(tree)
    assert (line["clients_added"], line["clients_changed"]) == (0, 0)
    with server.connect() as alice:
        add_client(server, "clients.d/b.toml", "bob")
        assert server.reload()["clients_added"] == 1
        server.connect("bob").close()
        (server.path.parent / "clients.d/a.toml").unlink()
        assert server.reload()["clients_removed"] == 1
        alice.expect_end("reset")


@pytest.mark.spec("RLD-2", "RLD-4", "CFG-77")
def test_a_directory_full_of_broken_files(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo))
    add_client(server, "clients.d/a.toml")
    server.reload(including(server, "clients.d/*.toml"))
    directory = server.path.parent / "clients.d"
    for number in range(50):
        (directory / f"b{number:02}").write_text("")
        (directory / f"b{number:02}.toml").write_text(
            "\n" * number + "[[client]\n")
    (directory / "c.toml").mkdir()
    with server.connect() as alice:
        server.reload(ok=False)
        alice.send(b"x")
        assert alice.recv_exactly(1) == b"x"
    server.connect().close()
    found = [(line["file"], line["line"]) for line in server.events("error")]
    assert found == [(str(server.path), 1)] + [
        (str(directory / f"b{number:02}.toml"), number + 1)
        for number in range(50)]


@pytest.mark.spec("WAT-5")
def test_watch_does_not_read_included_files(lb, upstream, pki, tmp_path):
    crl = tmp_path / "watched.crl"
    crl.write_bytes(pki.crl.read_bytes())
    server = lb.proxy(upstream(upstreams.echo))
    path = add_client(server, "clients.d/a.toml")
    add_client(server, "clients.d/b.toml", "bob")
    server.reload(including(server, "clients.d/*.toml",
                            server={"watch": "50ms"}, tls={"crl": crl}))
    path.write_text("broken")
    crl.write_bytes(pki.crl.read_bytes() + b"\n")
    line = server.wait_event("reload", 2)
    assert (line["ok"], line["cause"]) == (True, "watch"), server.log_text()
    assert (line["clients_added"], line["clients_removed"]) == (0, 0)
    server.connect().close()
    server.connect("bob").close()
    # And once more, from what that one kept.
    crl.write_bytes(pki.crl.read_bytes())
    assert server.wait_event("reload", 3)["ok"]
    server.connect("bob").close()


@pytest.mark.spec("CFG-15", "CFG-72")
def test_many_clients_in_many_files(check):
    """About a second on an idle core; the bound is for any other machine."""
    for number in range(1000):
        check.add(f"d/{number:04}.toml", "".join(
            table(f"c{number}-{i}", f"{0x100000 + number * 100 + i:X}")
            for i in range(100)))
    began = time.monotonic()
    assert check.run("d/*.toml", status=0) == []
    assert time.monotonic() - began < 10 * SLOW
