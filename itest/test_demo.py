"""The demo, the first of lbproxy that anybody sees."""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import urllib.request

import pytest

from harness.certs import ROOT
from harness.wait import BOUND

DEMO = ROOT / "ci/demo"
# Something else is done, or expected, than the demo promises.
FAULTS = {
    "NOT AS PROMISED: 6, 6 and 12 connections": (
        '{"blue": 6, "green": 6, "gold": 12}', '{"blue": 24}'),
    "a connection that should be cut is open": (
        '"revoke", "certs", "erin"', '"crl", "certs"'),
}


@pytest.fixture
def directory():
    """A path of a socket in it is no longer than it may be."""
    with tempfile.TemporaryDirectory(prefix="d") as path:
        yield pathlib.Path(path)


def take_interrupts():
    """Whatever started the tests in the background may ignore them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start(directory, demo=DEMO, **environment):
    """The demo, with its files below a directory."""
    return subprocess.Popen(
        ["/usr/bin/python3", demo], text=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "TMPDIR": str(directory), **environment},
        start_new_session=True, preexec_fn=take_interrupts)


def finish(demo, directory):
    """What it said, after an end that has left no process."""
    try:
        said = demo.communicate(timeout=BOUND * 24)[0]
    finally:
        demo.kill()
        demo.wait()
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        assert os.fsencode(directory) not in command, command
    return said


@pytest.mark.spec("INS-10")
def test_the_demo(directory):
    demo = start(directory)
    said = finish(demo, directory)
    assert demo.returncode == 0, said
    assert "Everything was as promised" in said
    assert "NOT AS PROMISED" not in said
    assert said.count("\n== ") == 10, said
    assert not list(directory.iterdir())


@pytest.mark.spec("INS-10")
def test_it_is_left_running(directory):
    demo = start(directory, KEEP="1")
    shown = ""
    try:
        while not shown.endswith("tail -f ../log\n"):
            line = demo.stdout.readline()
            assert line, shown
            shown += line
        page = re.search(r"curl (http://127\S+)/metrics", shown)[1]
        with urllib.request.urlopen(f"{page}/readyz", timeout=BOUND) as got:
            assert got.read() == b"ready\n"
        demo.send_signal(signal.SIGINT)
    finally:
        said = finish(demo, directory)
    assert demo.returncode == 0, said
    assert not list(directory.iterdir())


@pytest.mark.spec("INS-10")
@pytest.mark.parametrize("said", FAULTS)
def test_what_is_not_as_promised(directory, said):
    copy = directory / "tree/ci/demo"
    copy.parent.mkdir(parents=True)
    for name in ("build", "certs-gen"):
        (directory / "tree" / name).symlink_to(ROOT / name)
    text = DEMO.read_text()
    for old, new in (FAULTS[said], ("PATIENCE_S = 15", "PATIENCE_S = 5")):
        assert text.count(old) == 1
        text = text.replace(old, new)
    copy.write_text(text)
    demo = start(directory, copy)
    shown = finish(demo, directory)
    assert demo.returncode == 1
    assert said in shown, shown
