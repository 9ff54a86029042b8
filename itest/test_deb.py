"""The Debian packages: what is in them, and their life on a machine."""

import fcntl
import os
import re
import subprocess

import pytest

from harness.certs import ROOT
from harness.ports import free_port

STEPS = ["installed", "nobody is let in without certificates",
         "alice was let in", "an upgrade keeps the configuration",
         "removed, but for the configuration",
         "purged, but for the certificates that were not the package's",
         "purged, and nothing is left"]
SERVER = {
    "etc/lbproxy/lbproxyd.toml", "lib/systemd/system/lbproxyd.service",
    "usr/bin/certs-gen", "usr/bin/lbproxyctl", "usr/bin/lbproxyd",
    "usr/share/bash-completion/completions/certs-gen",
    "usr/share/bash-completion/completions/lbproxyctl",
    "usr/share/bash-completion/completions/lbproxyd",
    "usr/share/doc/lbproxy/lbproxyd.schema.json",
    "usr/share/doc/lbproxy/lbproxyd.toml",
    "usr/share/doc/lbproxy/status.schema.json",
    "usr/share/doc/lbproxyd/README.Debian",
    "usr/share/man/man1/certs-gen.1.gz", "usr/share/man/man1/lbproxyctl.1.gz",
    "usr/share/man/man5/lbproxyd.toml.5.gz",
    "usr/share/man/man8/lbproxyd.8.gz",
}
OF_EVERY_PACKAGE = r"usr/share/doc/[a-z0-9-]+/(changelog.*|copyright)"


def run(*command):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True,
                          capture_output=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """Their files, by name. Of the processes that run tests, one makes them."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    said = base / "deb"
    with open(f"{said}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            said.write_text(run("make", "deb"), encoding="utf-8")
    out = said.read_text(encoding="utf-8")
    assert not re.search("^[EW]: ", out, re.M), out
    paths = re.findall(r"^deb: (\S+)$", out, re.M)
    return {re.match(r"(\S+?)_", os.path.basename(path))[1]: ROOT / path
            for path in paths}


def files(package):
    listed = run("dpkg-deb", "--contents", package)
    names = {line.split(None, 5)[5].split(" -> ")[0].removeprefix("./")
             for line in listed.splitlines() if not line.startswith("d")}
    return {name for name in names if not re.fullmatch(OF_EVERY_PACKAGE, name)}


@pytest.mark.long(60)
@pytest.mark.spec("INS-22")
def test_what_is_in_them(packages):
    assert {name for name in packages if not name.endswith("dbgsym")} == {
        "lbproxyd", "liblbproxy0", "liblbproxy-dev"}
    assert files(packages["lbproxyd"]) == SERVER
    library = files(packages["liblbproxy0"])
    assert {os.path.basename(name) for name in library} == {
        "liblbproxy.so.0", "liblbproxy.so.0.1.0"}
    assert any(name.endswith("/pkgconfig/lbproxy.pc")
               for name in files(packages["liblbproxy-dev"]))


@pytest.mark.spec("INS-22")
def test_they_are_built_with_what_the_build_needs():
    group = (ROOT / "ci/deps.txt").read_text().split("[build]")[1]
    needed = re.findall(r"^(lib\S+-dev) ", group.split("\n[")[0], re.M)
    control = (ROOT / "ci/debian/control").read_text()
    named = re.search("^Build-Depends: (.*)$", control, re.M)[1]
    for package in set(needed) - {"libc6-dev"}:
        assert package in named


@pytest.mark.spec("INS-23")
def test_their_life(packages):
    out = run(ROOT / "itest/deb/life", packages["lbproxyd"].parent,
              str(free_port()))
    assert out.splitlines() == [f"life: {step}" for step in STEPS]
