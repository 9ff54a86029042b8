"""The container image's root file system, and the example for Kubernetes."""

import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import threading
import tomllib

import pytest
import yaml

from harness import admin, network, upstreams
from harness import server as srv
from harness.certs import ROOT, certs_gen
from harness.client import client_context, connect
from harness.wait import wait_for

EXAMPLE = ROOT / "ci/container/kubernetes.yaml"
NOBODY = 65532
DIRECTORY = "etc/lbproxy"


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The root file system, of this tree's build."""
    root = tmp_path_factory.mktemp("image") / "root"
    subprocess.run([ROOT / "ci/container/collect", root], check=True)
    # A user without privileges goes through what pytest made.
    for path in [root, *root.parents]:
        if "pytest" in str(path):
            path.chmod(0o755)
    return root


def is_program(path):
    return (path.is_file() and not path.is_symlink()
            and path.stat().st_mode & 0o111)


@pytest.mark.long(10)
@pytest.mark.spec("INS-24")
def test_there_is_no_other_program(image):
    programs = {str(path.relative_to(image)) for path in image.rglob("*")
                if is_program(path)}
    others = {name for name in programs
              if ".so" not in pathlib.Path(name).name}
    assert others == {"usr/bin/lbproxyd", "usr/bin/lbproxyctl"}
    # Nothing is the superuser's to lend.
    assert not [path for path in image.rglob("*")
                if not path.is_symlink() and path.stat().st_mode & 0o6000]
    documented = {path.parent.name for path in image.rglob("copyright")}
    assert {"lbproxy", "libc6", "libssl3", "libmicrohttpd12"} <= documented


def inside(root):
    """For preexec_fn: in the image, as its user."""
    def enter():
        os.chroot(root)
        os.chdir("/")
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    return enter


@pytest.mark.spec("INS-24")
@pytest.mark.parametrize("program", ["lbproxyd", "lbproxyctl"])
def test_the_programs_have_their_libraries(image, program):
    done = subprocess.run([f"/usr/bin/{program}", "--version"],
                          preexec_fn=inside(image), capture_output=True,
                          text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(program)


class Nameserver:
    """Says 127.0.0.1 for any name; of IPv6 it knows nothing."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 53))
        self.asked = set()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            question, peer = self.sock.recvfrom(512)
            end = question.index(0, 12) + 5
            self.asked.add(question[13:end - 5])
            kind, = struct.unpack_from(">H", question, end - 4)
            answer = (b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4)
                      + socket.inet_aton("127.0.0.1")) if kind == 1 else b""
            head = question[:2] + struct.pack(
                ">HHHHH", 0x8180, 1, 1 if answer else 0, 0, 0)
            self.sock.sendto(head + question[12:end] + answer, peer)


def manifests():
    return {one["kind"]: one for one in
            yaml.safe_load_all(EXAMPLE.read_text(encoding="utf-8"))}


def pod():
    return manifests()["Deployment"]["spec"]["template"]["spec"]


def configuration():
    return manifests()["ConfigMap"]["data"]["lbproxyd.toml"]


@pytest.fixture
def deployed(image, tmp_path):
    """The image with what the pod's volumes have, and a client's
    certificate."""
    pki = tmp_path / "pki"
    certs_gen("ca", pki)
    certs_gen("server", pki, "server")
    certs_gen("client", pki, "alice", "--san",
              "URI:spiffe://cluster.local/alice")
    contents = {
        "config": {"lbproxyd.toml": configuration()},
        "server": {"tls.crt": (pki / "server.pem").read_text(),
                   "tls.key": (pki / "server.key").read_text()},
        "clients": {name: (pki / name).read_text()
                    for name in ("ca.pem", "ca.crl")}}
    made = []
    for mount in pod()["containers"][0]["volumeMounts"]:
        if mount["name"] == "run":
            continue
        directory = image / mount["mountPath"].lstrip("/")
        directory.mkdir(parents=True, exist_ok=True)
        made.append(directory)
        for name, text in contents.pop(mount["name"]).items():
            (directory / name).write_text(text)
            shutil.chown(directory / name, NOBODY, NOBODY)
            (directory / name).chmod(0o440)
    assert not contents
    (image / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
    yield image, pki
    for directory in made:
        shutil.rmtree(directory)


def ctl(root, command):
    """As with kubectl exec."""
    done = subprocess.run(["/usr/bin/lbproxyctl", command],
                          preexec_fn=inside(root), capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.spec("INS-25")
def test_its_configuration_is_valid(deployed):
    root, _ = deployed
    with network.own_network():
        Nameserver()
        done = subprocess.run(
            ["/usr/bin/lbproxyd", "-c", "/etc/lbproxy/lbproxyd.toml",
             "--check"], preexec_fn=inside(root), capture_output=True,
            text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.spec("INS-24")
def test_the_server_runs_there(deployed, tmp_path):
    root, pki = deployed
    with network.own_network():
        names = Nameserver()
        echo = upstreams.Upstream(upstreams.echo, port=8080)
        program = tmp_path / "program"
        program.write_text(
            f"#!/bin/sh\nexec chroot --userspec={NOBODY}:{NOBODY} --groups= "
            f'{root} /usr/bin/lbproxyd "$@"\n')
        program.chmod(0o755)
        tree = tomllib.loads(configuration())
        tree["log"] = {"level": "info"}
        server = srv.Lbproxyd(None, f"/{DIRECTORY}/lbproxyd.toml", tree,
                              program=program)
        try:
            server.wait_ready()
            wait_for(lambda: admin.ask(server, "/readyz").status == 200,
                     "it is ready")
            assert b"web\7default\3svc\7cluster\5local" in names.asked
            context = client_context(
                pki / "ca.pem", (pki / "alice.pem", pki / "alice.key"))
            with connect(("127.0.0.1", 9001), context) as peer:
                peer.send(b"hello")
                assert peer.recv_exactly(5) == b"hello"
                peer.finish()
                peer.expect_end("clean")
            assert ctl(root, "status").startswith("lbproxyd")
            ctl(root, "reload")
            server.wait_event("reload", ok=True, cause="ctl")
            server.signal(signal.SIGTERM)
            server.wait_event("drain")
            assert admin.ask(server, "/readyz").status == 503
            assert admin.ask(server, "/healthz").status == 200
            server.signal(signal.SIGTERM)
            server.wait_exit(1)
            assert server.events("session")[0]["client"] == "alice"
        finally:
            server.end()
            echo.stop()


def seconds(text):
    assert text.endswith("s"), text
    return int(text.removesuffix("s"))


@pytest.mark.spec("INS-25")
def test_the_pod_fits_the_configuration():
    tree = tomllib.loads(configuration())
    container, = pod()["containers"]
    ports = {port["name"]: port["containerPort"]
             for port in container["ports"]}
    for name, path in (("readinessProbe", "/readyz"),
                       ("livenessProbe", "/healthz")):
        assert container[name]["httpGet"] == {"path": path, "port": "admin"}
    assert tree["server"]["admin"] == f"0.0.0.0:{ports['admin']}"
    assert tree["app"][0]["listen"] == [f"0.0.0.0:{ports['web']}"]
    service, = manifests()["Service"]["spec"]["ports"]
    assert service["targetPort"] == "web"
    assert pod()["terminationGracePeriodSeconds"] > seconds(
        tree["timeouts"]["drain_delay"]) + seconds(tree["timeouts"]["drain"])
    mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
    for key in ("certificate", "private_key", "client_ca", "crl"):
        assert str(pathlib.Path(tree["tls"][key]).parent) in mounts
    assert not [mount for mount in container["volumeMounts"]
                if "subPath" in mount]
    assert {volume["name"] for volume in pod()["volumes"]} == {
        mount["name"] for mount in container["volumeMounts"]}
    assert str(pathlib.Path(tree["server"]["admin_socket"]).parent) in mounts
    assert seconds(tree["server"]["watch"]) <= 60
    assert pod()["securityContext"]["runAsUser"] == NOBODY
