"""What make builds and installs."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

from harness import server as srv
from harness import upstreams
from harness.certs import ROOT

# Finds these headers of OpenSSL first, and takes no library of it.
COMPILER = """\
#!/bin/sh
case " $* " in *" -lssl "*|*" -lcrypto "*) exit 1 ;; esac
exec {cc} -isystem {poison} "$@"
"""
PROGRAMS = {"bin/lbproxyd", "bin/lbproxyctl", "bin/certs-gen"}
OTHERS = {"lib/systemd/system/lbproxyd.service", "share/man/man8/lbproxyd.8",
          "share/man/man5/lbproxyd.toml.5", "share/man/man1/lbproxyctl.1",
          "share/man/man1/certs-gen.1",
          "share/doc/lbproxy/lbproxyd.toml",
          "share/doc/lbproxy/lbproxyd.schema.json",
          "share/doc/lbproxy/status.schema.json",
          *(f"share/bash-completion/completions/{name}" for name in
            ("lbproxyd", "lbproxyctl", "certs-gen"))}


def make(tree, *args):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(["make", "-C", tree, *args], env=environment,
                          capture_output=True, text=True, timeout=300,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def library_alone(tmp_path):
    """A tree with the library's sources, and a compiler without OpenSSL."""
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "ci", tree / "ci")
    shutil.copytree(ROOT / "lib", tree / "lib",
                    ignore=shutil.ignore_patterns("server", "test"))
    shutil.copy(ROOT / "Makefile", tree)
    poison = tmp_path / "poison"
    (poison / "openssl").mkdir(parents=True)
    for header in ("bio", "crypto", "err", "evp", "rand", "ssl", "x509"):
        (poison / f"openssl/{header}.h").write_text("#error OpenSSL\n")
    compiler = tmp_path / "cc"
    compiler.write_text(COMPILER.format(cc=os.environ.get("CC", "cc"),
                                        poison=poison))
    compiler.chmod(0o755)
    return tree, f"CC={compiler}"


def installed(root):
    return {str(path.relative_to(root)) for path in root.rglob("*")
            if not path.is_dir()}


def is_library(names):
    """Is this the library with its headers, and nothing else?"""
    lib = pathlib.Path(ROOT, "lib")
    headers = {f"include/lbproxy/{path.relative_to(lib)}"
               for path in [*lib.glob("*.h"), *lib.glob("posix/*.h")]}
    others = {"lib/liblbproxy.a", "lib/pkgconfig/lbproxy.pc",
              "share/man/man3/lbproxy.3"}
    rest = names - headers - others
    shared = {name for name in rest
              if name.startswith("lib/liblbproxy.so")}
    return len(names - rest) == len(headers) + len(others) and len(shared) == 3 \
        and rest == shared


@pytest.mark.spec("INS-1")
def test_the_library_needs_no_openssl(library_alone):
    tree, compiler = library_alone
    make(tree, "lib", compiler, "CFLAGS=-O0")
    built = {path.name for path in (tree / "build").iterdir()}
    assert built == {"liblbproxy.a", "liblbproxy.so", "obj"}


@pytest.mark.spec("INS-3")
def test_the_library_is_installed_alone(library_alone, tmp_path):
    tree, compiler = library_alone
    to = tmp_path / "to"
    make(tree, "install-lib", compiler, "CFLAGS=-O0", f"DESTDIR={to}",
         "PREFIX=/opt")
    assert is_library(installed(to / "opt"))


@pytest.mark.long(25)
@pytest.mark.spec("INS-4")
def test_two_builds_are_the_same():
    make(ROOT, "reproducible")


@pytest.mark.spec("INS-2")
def test_no_test_program_is_installed(tmp_path):
    make(ROOT, "install", f"DESTDIR={tmp_path}", "PREFIX=/opt")
    names = installed(tmp_path / "opt")
    assert names >= PROGRAMS | OTHERS
    assert is_library(names - PROGRAMS - OTHERS)


def link_command(*args):
    """How make would link the server if all else were up to date."""
    done = subprocess.run(
        ["make", "-n", "-C", ROOT, "-W", "Makefile", *args, "build/lbproxyd"],
        env={name: value for name, value in os.environ.items()
             if not name.startswith(("MAKE", "MFLAGS"))},
        capture_output=True, text=True, timeout=60, check=True)
    return re.search(r"&& (\S+ .* -o )build/lbproxyd( .*)", done.stdout)


def libraries(program):
    return subprocess.run(["ldd", program], capture_output=True, text=True,
                          timeout=60, check=True).stdout


@pytest.mark.spec("INS-26")
def test_another_allocator(pki, upstream, tmp_path):
    before, after = link_command("ALLOCATOR=mimalloc").groups()
    program = tmp_path / "lbproxyd"
    subprocess.run(f"{before}{program}{after}", shell=True, cwd=ROOT,
                   timeout=60, check=True)
    assert "libmimalloc" in libraries(program)
    assert "malloc" not in libraries(ROOT / "build/lbproxyd")
    tree = srv.config(pki, [srv.app("echo", [upstream(upstreams.echo)])])
    path = srv.write_config(tmp_path, tree)
    server = srv.Lbproxyd(pki, path, tree, program=str(program))
    try:
        with server.wait_ready().connect() as peer:
            peer.send(b"x" * 100_000)
            assert peer.recv_exactly(100_000) == b"x" * 100_000
        server.stop()
    finally:
        server.end()
