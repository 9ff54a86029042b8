"""The server under test and all around it: files, upstreams, clients."""

import contextlib
import os
import resource
import shutil
import socket
import time

from harness import server as srv
from harness import proxy, upstreams
from harness.certs import SERIALS, Pki, certs_gen
from harness.client import begin, client_context
from harness.peer import Ended
from harness.ports import free_port
from harness.wait import POLL, wait_for

DATA = os.urandom(1) * 7000 + b"the end of it"
HEALTH = {"enabled": True, "interval": "8760h", "timeout": "30s"}
# Who waits for one of these waits in vain; a busy machine is no reason.
TIMEOUTS = {"handshake": "30s", "connect": "30s", "idle": "40s",
            "drain": "40s"}
# As sd_listen_fds(3) says.
FIRST_PASSED = 3
# Long beyond what anything here takes.
HANG_S = 60.0


class FewCerts(Pki):
    """Only those that are used here."""

    def _make_ours(self):
        certs_gen("ca", self.ca_dir, "--name", "test clients CA")
        certs_gen("server", self.ca_dir, "server")
        for name in ("alice", "bob", "revoked"):
            self._client(name)
        certs_gen("revoke", self.ca_dir, "revoked")

    def _make_other(self):
        pass

    def _make_upstream(self):
        certs_gen("ca", self.upstream_dir, "--name", "test upstreams CA")
        certs_gen("upstream", self.upstream_dir, "loopback",
                  "--san", "DNS:localhost,IP:127.0.0.1,IP:::1")
        certs_gen("client", self.upstream_dir, "proxy")


def managed(passed):
    """For inherit: a service manager has passed this socket, and hears
    nothing. There are fewer descriptors than needed, so that the server asks
    for more."""
    def inherit():
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, most))
        os.set_inheritable(passed.fileno(), True)
        if passed.fileno() != FIRST_PASSED:
            os.dup2(passed.fileno(), FIRST_PASSED)
            passed.close()
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1",
                          LISTEN_FDNAMES="plain",
                          NOTIFY_SOCKET="@lbproxy-faults-nobody",
                          WATCHDOG_USEC="3600000000")
    return inherit


def last_words(peer):
    """Echoes, and says more when the client has ended."""
    while data := peer.recv(timeout=60):
        peer.send(data, timeout=60)
    if peer.ending == "clean":
        peer.send(b"last words")
        peer.finish()
        peer.close()
    else:
        peer.reset()


def is_listened_on(address):
    """Looks without a connection of its own."""
    port = f":{address[1]:04X}"
    with open("/proc/net/tcp", encoding="ascii") as file:
        lines = [line.split() for line in file]
    return any(line[1].endswith(port) and line[3] == "0A"
               for line in lines[1:])


class World:
    def __init__(self, directory, control, pki):
        self.dir = directory
        self.control = control
        self.pki = pki
        pair = self.pki.of_upstream("loopback")
        self.plain = proxy.ProxyUpstream(last_words)
        self.secure = upstreams.Upstream(
            last_words, upstreams.server_context(pair, self.pki.upstream_ca))
        self.contexts = {
            (who, version): client_context(self.pki.ca, self.pki.of(who),
                                           version)
            for who in ("alice", "bob", "revoked")
            for version in ("1.2", "1.3")}
        self.upstreams = (self.plain, self.secure)
        self.server = None
        self.loop = None
        self.list = shutil.copy(pki.crl, directory)
        self.open = None  # a session that stays
        self.files = 0  # that are open when nobody is there
        self.bobs = 0   # visits of his

    def tree(self, loop, health, more):
        pem, key = self.pki.of_upstream("proxy")
        apps = [
            srv.app("plain", [
                self.plain,
                {"url": f"tcp://later.test:{self.plain.port}"}],
                health=health, proxy_protocol=True),
            srv.app("secure", [
                {"url": self.secure.url, "ca": self.pki.upstream_ca,
                 "server_name": "localhost", "certificate": pem,
                 "private_key": key}],
                listen=[f"localhost:{free_port()}"], health=health),
            # Nobody comes to it.
            srv.app("third", [
                {"url": f"unix://{self.dir}/nobody"}],
                accept_proxy=["192.0.2.0/24"])]
        clients = [srv.client(name, [SERIALS[name]], ["plain", "secure"])
                   for name in ("alice", "bob")]
        # For a warning.
        clients.append(srv.client("gone", [SERIALS["revoked"]], ["plain"]))
        return srv.config(self.pki, apps, clients, loop,
                          server={"workers": 2, "max_connections": 4,
                                  "max_handshakes": 4, **more},
                          tls={"crl": self.list}, timeouts=TIMEOUTS)

    def start(self, loop, fault=None, health=None, resolves=False,
              more=None):
        """Starts a server, in which this fails, with more in [server], and
        waits for nothing; resolves: later.test has its address already."""
        tree = self.tree(loop, health or HEALTH, more or {})
        tree["include"] = ["more-*.toml"]
        path = srv.write_config(self.dir, tree)
        srv.write_config(self.dir, {"client": [srv.client(
            "more", [SERIALS["carol"]], ["plain"])]}, "more-1.toml")
        self.control.reset()
        self.control.block.resolves = resolves
        self.control.block.traces = fault is None
        if fault:
            self.control.arm(fault)
        host, port = tree["app"][0]["listen"][0].split(":")
        with socket.create_server((host, int(port))) as passed:
            self.server = srv.Lbproxyd(self.pki, path, tree,
                                       inherit=managed(passed))
        self.loop, self.bobs = loop, 0
        return self.server

    def is_open(self):
        """Whether all listeners are open, as far as the log tells: the line
        that says so may be lost."""
        if self.server.events("ready"):
            return True
        if not self.control.block.fired:
            return False
        return all(is_listened_on(self.server.address(app))
                   for app in ("plain", "secure"))

    def start_quiet(self, loop, health=None, resolves=False, more=None):
        """The same without a fault, waits until it has nothing to do."""
        self.start(loop, None, health, resolves, more).wait_ready()
        if health:
            # It is never at rest for long.
            self.wait_checks([one.accepted for one in self.upstreams], 1)
            self.files = min(self._samples(0.3))
        else:
            self.settle(0.3)
            self.files = self.server.open_files()
        return self.server

    def _samples(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            yield self.server.open_files()
            time.sleep(POLL)

    def has_closed_all(self):
        """Whether soon no more descriptors are open than at the start."""
        with contextlib.suppress(AssertionError):
            wait_for(lambda: self.server.open_files() <= self.files,
                     "no more open descriptors than before", 5.0)
            # At the start a check may not have been over yet.
            self.files = min(self.files, self.server.open_files())
            return True
        return False

    def wait_checks(self, counts, more):
        """Until each upstream has been checked so many times more."""
        for upstream, count in zip(self.upstreams, counts):
            upstream.wait_accepted(count + more, HANG_S)

    def settle(self, quiet=0.05):
        """Until no call was made for a while."""
        end = time.monotonic() + HANG_S
        last, since = -1, time.monotonic()
        while time.monotonic() - since < quiet:
            assert time.monotonic() < end, "the server does not come to rest"
            time.sleep(0.01)
            if (now := self.control.total()) != last:
                last, since = now, time.monotonic()

    def visit(self, app, who="alice", version="1.3", wait=HANG_S):
        """What a client sees: ("served" | "ended" | "silent", details)."""
        got = b""
        try:
            with begin(self.server.address(app), self.contexts[who, version],
                       timeout=wait) as peer:
                if not peer.handshake(wait):
                    return "ended", f"handshake: {peer.describe()}"
                peer.send(DATA, wait)
                got += peer.recv_exactly(len(DATA), wait)
                peer.finish()
                got += peer.read_to_end(wait)
                how = peer.describe()
        except TimeoutError as error:
            return "silent", f"{error}, after {len(got)} bytes"
        except (Ended, OSError) as error:
            return "ended", str(error)
        if got == DATA + b"last words" and peer.ending == "clean":
            return "served", ""
        return "ended", f"{how}, after {len(got)} bytes"

    def let_go(self):
        if self.open:
            self.open.close()
            self.open = None

    def end(self):
        """Whatever is left of the server."""
        self.let_go()
        with contextlib.suppress(ProcessLookupError):
            self.server.process.kill()
        self.server.process.wait()
        self.server.end()

    def wait_exit(self, timeout=HANG_S):
        """Its status, or None; all of its log is there then."""
        end = time.monotonic() + timeout
        while self.server.process.poll() is None:
            if time.monotonic() >= end:
                return None
            time.sleep(POLL)
        self.server._reader.join(HANG_S)
        return self.server.process.returncode

    def stop(self):
        for upstream in (self.plain, self.secure):
            upstream.stop()
