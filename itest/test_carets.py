"""A line of the file and a caret below each error and warning."""

import subprocess

import pytest

from harness import carets
from harness import server as srv
from harness import upstreams
from harness.home import Home

MISTAKE = "\tmax_connections\t=\t0"


def check_text(tmp_path, text):
    """The status, and stderr as bytes."""
    path = tmp_path / "lbproxy.toml"
    path.write_bytes(text)
    done = subprocess.run([srv.LBPROXYD, "-c", path, "--check"],
                          capture_output=True, timeout=30, check=False)
    assert done.stdout == b""
    return path, done.returncode, done.stderr


def below(stderr):
    """The lines below the last message, without what they begin with."""
    lines = stderr.decode("ascii").splitlines()[-2:]
    return [line[line.index("|") + 2:] for line in lines]


@pytest.mark.spec("CFG-100")
def test_one_error(tmp_path):
    path, status, stderr = check_text(tmp_path, b"[log]\nlevel = 'x'\n")
    assert status == 2
    said = stderr.decode().splitlines()
    assert said[-3].startswith(f"{path}:2:9: error: log.level must ")
    assert said[-2:] == ["     2 | level = 'x'", "       |         ^"]


@pytest.mark.spec("CFG-100", "CFG-101")
@pytest.mark.parametrize("line, column, shown, caret", [
    ("\tk\t= 1", 2, "    k    = 1", 4),
    ("'é\u4e2d' = 1", 1, "'\\u00E9\\u4E2D' = 1", 0),
    ("a.'\U0001F600'.b = ''", 1, "a.'\\U0001F600'.b = ''", 0),
    ("log = { '\u202e' = 1 }", 9, "log = { '\\u202E' = 1 }", 8),
    ("log = { '\u0301e' = 1, k = 1 }", 19,
     "log = { '\\u0301e' = 1, k = 1 }", 23),
])
def test_what_has_another_width(tmp_path, line, column, shown, caret):
    path, status, stderr = check_text(tmp_path, f"{line}\n".encode())
    assert status == 2
    assert f"{path}:1:{column}: error: " in stderr.decode("ascii")
    assert below(stderr) == [shown, " " * caret + "^"]


@pytest.mark.spec("CFG-101")
@pytest.mark.parametrize("piece", [
    b"\x1b]0;title\x07", b"\x1b[2J", b"\x9b2J", b"\xc2\x9b2J", b"\x08\x7f",
    b"\r", b"\x00", b"\xff\xfe", b"\x0c"])
def test_nothing_commands_the_terminal(tmp_path, piece):
    """Neither the message nor what is shown has a control character."""
    for text in (b"# " + piece + b"\n", b"x = '" + piece + b"' y\n",
                 piece, b"[log]\nlevel = \"" + piece + b"\"\n"):
        _, status, stderr = check_text(tmp_path, text)
        assert status == 2
        assert all(0x20 <= byte < 0x7F or byte == 0x0A for byte in stderr)


@pytest.mark.spec("CFG-101")
def test_a_key_in_place_of_the_configuration(pki, tmp_path):
    """What is not text is not shown, for it may be a secret."""
    key = tmp_path / "key.der"
    subprocess.run(["openssl", "pkey", "-in", pki.ca_dir / "server.key",
                    "-outform", "DER", "-out", key], check=True, timeout=30)
    _, status, stderr = check_text(tmp_path, key.read_bytes())
    assert status == 2
    shown, caret = below(stderr)
    assert shown[len(caret) - 1:] in ("\\u0002", ""), (shown, caret)


@pytest.mark.spec("CFG-102")
@pytest.mark.parametrize("before, after", [
    (0, 0), (10, 500), (40, 10), (45, 0), (46, 0), (47, 0), (400, 0),
    (400, 400), (1 << 20, 1 << 20)])
def test_a_long_line(tmp_path, before, after):
    text = f"#\nlog={{ {' ' * before} k='{'x' * after}' }}\n"
    path, status, stderr = check_text(tmp_path, text.encode())
    assert status == 2
    carets.check(stderr.decode("ascii"), {str(path): text})
    assert below(stderr)[1].strip() == "^"


@pytest.mark.spec("CFG-100")
def test_a_file_that_cannot_be_read(tmp_path):
    done = srv.run("-c", tmp_path / "none.toml", "--check")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.spec("CFG-100")
def test_errors_of_named_files_and_warnings(pki, tmp_path):
    """Those that are found when the text has long been read."""
    home = Home(pki, tmp_path)
    home.names["tls.crl"] = "none.pem"
    path = home.write(clients=[srv.client(
        "a", ["01"], ["echo"], echo={"window": "2s"})])
    done = srv.run("-c", path, "--check")
    assert done.returncode == 2
    assert "error: tls.crl: " in done.stderr
    carets.check(done.stderr, {str(path): path.read_text()})
    home.names["tls.crl"] = None
    path = home.write(clients=[srv.client(
        "a", ["01"], ["echo"], echo={"window": "2s"})])
    done = srv.run("-c", path, "--check")
    assert done.returncode == 0
    assert "warning: client.limits.echo.window " in done.stderr
    carets.check(done.stderr, {str(path): path.read_text()})


@pytest.mark.spec("CFG-100")
def test_included_files(pki, tmp_path):
    home = Home(pki, tmp_path)
    tables = "".join(f"[[client]]\nid = '{i}'\nserials = ['0']\n\n"
                     for i in range(3))
    for name in "ab":
        (tmp_path / f"{name}.toml").write_text(tables)
    path = home.write()
    path.write_text('include = ["?.toml", "none"]\n' + path.read_text())
    done = srv.run("-c", path, "--check")
    texts = {str(each): each.read_text() for each in (
        path, tmp_path / "a.toml", tmp_path / "b.toml")}
    carets.check(done.stderr, texts)
    assert {line.split(":")[0] for line in srv.messages(done.stderr)} == \
        set(texts)


@pytest.mark.spec("CFG-100")
def test_many_errors_of_one_line(tmp_path):
    """No error walks through the line again."""
    text = "log = { " + ", ".join(f"k{i} = 1" for i in range(30_000)) + " }\n"
    _, status, stderr = check_text(tmp_path, text.encode())
    assert status == 2
    assert len(srv.messages(stderr.decode())) == 30_002


@pytest.mark.spec("CFG-100")
def test_the_log_shows_no_lines(lb, upstream):
    """Once the configuration has been accepted each line is an object."""
    server = lb.proxy(upstream(upstreams.echo))
    server.reload("x = 1\n", ok=False)
    assert [line["line"] for line in server.events("error")
            if "file" in line] == [1, 1, 1]
    assert all(line.startswith("{")
               for line in server.log_text().splitlines())
