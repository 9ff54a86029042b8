"""The systemd unit: how much it forbids, and that the server works with it."""

import os
import subprocess

import pytest

from harness import admin, unit, upstreams
from harness import server as srv
from harness.certs import ROOT
from harness.manager import Manager

CTL = ROOT / "build/lbproxyctl"

# A file system that is read-only, as ProtectSystem=strict makes it, but for a
# RuntimeDirectory.
HARDENED = """\
#!/bin/sh
exec unshare --mount sh -c '
	mount --bind {runtime} {runtime} && mount -o remount,bind,ro / &&
	exec "$@"
' sh /usr/bin/python3 -B {unit} {program} "$@"
"""


@pytest.fixture
def unit_file(tmp_path):
    path = tmp_path / "lbproxyd.service"
    text = unit.UNIT.read_text(encoding="utf-8")
    path.write_text(text.replace("@PREFIX@", str(ROOT / "build/installed")))
    return path


@pytest.mark.spec("INS-20")
def test_the_unit_is_rated_below_two(unit_file, need):
    need("systemd-analyze", "systemd")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager",
         "--threshold=19", unit_file], capture_output=True, text=True,
        check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "LimitCORE=0\n" in unit_file.read_text()


@pytest.mark.spec("INS-20")
def test_systemd_knows_every_line(unit_file, need):
    need("systemd-analyze", "systemd")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit_file],
        capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines()
                  if "is not executable" not in line]
    assert not complaints


@pytest.fixture
def hardened(tmp_path):
    """Runs lbproxyd under what the unit forbids."""
    program = tmp_path / "hardened"
    runtime = tmp_path / "run"
    runtime.mkdir()
    program.write_text(HARDENED.format(
        program=srv.LBPROXYD, unit=unit.__file__, runtime=runtime))
    program.chmod(0o755)
    return program


@pytest.mark.spec("INS-21")
def test_the_server_works_under_it(pki, tmp_path, upstream, hardened, need):
    need("systemd-analyze", "systemd")
    manager = Manager()
    by_name = upstream(upstreams.echo).url.replace("127.0.0.1", "localhost")
    at_path = upstreams.UnixUpstream(tmp_path / "echo", upstreams.echo)
    apps = [srv.app("name", [by_name]), srv.app("unix", [at_path])]
    control = tmp_path / "run/admin.sock"
    tree = srv.config(pki, apps, server={
        **admin.section(), "admin_socket": str(control)})
    server = srv.Lbproxyd(
        pki, srv.write_config(tmp_path, tree), tree, program=hardened,
        inherit=lambda: os.environ.update(manager.environment()))
    try:
        server.wait_ready()
        for _ in range(2):
            for name in ("name", "unix"):
                with server.connect(name=name) as peer:
                    peer.send(b"hello")
                    assert peer.recv_exactly(5) == b"hello"
                    peer.finish()
                    peer.expect_end("clean")
            assert admin.ask(server, "/status").status == 200
            assert admin.ask(server, "/metrics").status == 200
            subprocess.run([CTL, "-s", control, "status"], check=True,
                           stdout=subprocess.DEVNULL)
            server.reload()
        server.stop()
        manager.wait_states("READY", *["RELOADING", "READY"] * 2, "STOPPING")
        assert server.events("error") == []
        reasons = [line["reason"] for line in server.events("session")]
        assert reasons == ["done"] * 4
    finally:
        server.end()
        at_path.stop()
        manager.stop()


@pytest.mark.spec("INS-21")
def test_what_it_forbids_is_forbidden_here(hardened, tmp_path):
    """So that the test above says something."""
    text = hardened.read_text().replace(srv.LBPROXYD, "/usr/bin/python3")
    hardened.write_text(text)

    def tries(code):
        return subprocess.run([hardened, "-c", code], capture_output=True,
                              text=True, check=False).stderr
    assert "Operation not permitted" in tries("import os; os.chroot('/')")
    assert "Operation not permitted" in tries(
        "import socket as s; s.socket(s.AF_PACKET, s.SOCK_RAW)")
    assert "Read-only file system" in tries(f"open('{tmp_path}/x', 'w')")
    assert tries(f"open('{tmp_path}/run/x', 'w')") == ""
