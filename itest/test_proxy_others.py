"""PROXY headers of and for HAProxy and nginx: the authors' idea of them."""

import pathlib
import socket

import pytest

from harness import client, proxy, server as srv, upstreams
from harness.ports import free_port
from harness.program import Program
from harness.wait import wait_for

NGINX_MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")
FAR = ("127.0.0.5", 0)

HAPROXY = """\
defaults
	timeout connect 5s
	timeout client 30s
	timeout server 30s
listen front
	mode tcp
	bind 127.0.0.1:{front}
	server one 127.0.0.1:{to} {options}
frontend back
	mode http
	bind 127.0.0.1:{back} accept-proxy
	bind 127.0.0.1:{secure} accept-proxy ssl crt {pem}
	http-request return status 200 content-type text/plain \
lf-string "%[fc_rcvd_proxy] %[src]:%[src_port] %[dst]:%[dst_port] \
%[fc_pp_authority]"
"""

NGINX = """\
daemon off;
master_process off;
load_module {module};
pid {dir}/nginx.pid;
error_log stderr crit;
worker_processes 1;
events {{ worker_connections 256; }}
stream {{
	server {{
		listen 127.0.0.1:{front};
		proxy_pass 127.0.0.1:{to};
		proxy_protocol on;
	}}
}}
http {{
	access_log off;
	client_body_temp_path {dir}/body;
	proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi;
	scgi_temp_path {dir}/scgi;
	server {{
		listen 127.0.0.1:{back} proxy_protocol;
		location / {{
			return 200 "$proxy_protocol_addr:$proxy_protocol_port \
$proxy_protocol_server_addr:$proxy_protocol_server_port";
		}}
	}}
}}
"""


class Others:
    """HAProxy or nginx, in front of a port and as an upstream."""

    def __init__(self, need, pki, home, kind, to, options=""):
        self.front, self.back, self.secure = (free_port() for _ in range(3))
        home.mkdir()
        home.chmod(0o755)
        cert, key = pki.of_upstream("loopback")
        pem = home / "both.pem"
        pem.write_bytes(pathlib.Path(cert).read_bytes() +
                        pathlib.Path(key).read_bytes())
        text = HAPROXY if kind == "haproxy" else NGINX
        path = home / "conf"
        path.write_text(text.format(
            dir=home, module=NGINX_MODULE, to=to, options=options,
            pem=pem, front=self.front, back=self.back, secure=self.secure))
        if kind == "haproxy":
            self.program = Program(self.front, need("haproxy", "haproxy"),
                                   "-q", "-db", "-f", path)
        else:
            assert NGINX_MODULE.exists(), (
                "apt-get install libnginx-mod-stream")
            self.program = Program(
                self.front, need("nginx", "nginx"), "-p", home, "-e",
                home / "error.log", "-c", path)


@pytest.fixture
def others(need, pki, tmp_path):
    made = []

    def make(kind, to=1, options=""):
        made.append(Others(need, pki, tmp_path / f"{kind}-{len(made)}", kind,
                           to, options))
        return made[-1]

    yield make
    for one in made:
        one.program.stop()


def echo_once(peer):
    peer.send(b"hello")
    assert peer.recv_exactly(5) == b"hello"
    # nginx passes no end of one direction on.
    peer.finish(fin=False)
    peer.expect_end("clean")


@pytest.mark.spec("PRX-30", "PRX-32")
@pytest.mark.parametrize("kind,options", [
    ("haproxy", "send-proxy"), ("haproxy", "send-proxy-v2"),
    ("haproxy", "send-proxy-v2-ssl-cn proxy-v2-options crc32c"),
    ("nginx", "")])
def test_they_are_in_front(lb, upstream, others, kind, options):
    up = upstream(upstreams.echo)
    server = lb.start(srv.app("echo", [up.url],
                              accept_proxy=["127.0.0.1/32"]))
    front = others(kind, server.address()[1], options).front
    with client.connect(("127.0.0.1", front), server.context(),
                        source=FAR) as peer:
        shown = peer.local
        echo_once(peer)
    assert server.wait_event("session", reason="done")["peer"] == shown
    assert not server.events("reject", reason="bad_proxy_header")


@pytest.mark.spec("PRX-7", "PRX-31")
@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2"])
def test_their_checks_harm_nobody(lb, upstream, others, options):
    """A header of a check, of version 2 with LOCAL, and then an end."""
    server = lb.start(srv.app("echo", [upstream(upstreams.echo).url],
                              accept_proxy=["127.0.0.1"]))
    others("haproxy", server.address()[1],
           f"{options} check inter 100ms on-marked-down shutdown-sessions")
    server.wait_rejected(3, reason="handshake_failed")
    assert not server.events("reject", reason="bad_proxy_header")


@pytest.mark.spec("PRX-9", "PRX-20")
@pytest.mark.parametrize("kind,secure", [
    ("haproxy", False), ("haproxy", True), ("nginx", False)])
def test_they_are_upstreams(lb, pki, others, kind, secure):
    """nginx 1.22 takes no header above 107 bytes before TLS."""
    other = others(kind)
    table = {"url": f"tcp://127.0.0.1:{other.back}"}
    if secure:
        table = {"url": f"tls://127.0.0.1:{other.secure}",
                 "ca": pki.upstream_ca}
    server = lb.start(srv.app(
        "echo", [table], None, {"interval": "100ms", "timeout": "1s"},
        proxy_protocol=True))
    with server.connect() as peer:
        peer.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        body = peer.read_to_end().rpartition(b"\r\n\r\n")[2].decode()
        shown = f"{peer.local} %s:%d" % server.address()
        peer.finish()
    # The tests' clients ask for localhost.
    if kind == "haproxy":
        shown = f"1 {shown} localhost"
    assert body == shown
    server.wait_event("session", reason="done")
    assert not server.events("upstream_down")


@pytest.mark.spec("PRX-8", "PRX-30")
def test_what_haproxy_adds(lb, upstream, others):
    """Its values, its checksum and its unique id: all are skipped."""
    heard = []

    def note(peer):
        data = peer.recv()
        # Somebody has looked whether HAProxy listens, too.
        if socket.inet_aton(FAR[0]) in data:
            heard.append(data)
        peer.close()

    up = upstream(note)
    front = others("haproxy", up.port,
                   "send-proxy-v2-ssl-cn proxy-v2-options crc32c,authority")
    sock = client.tcp_connect(("127.0.0.1", front.front), source=FAR)
    sock.sendall(b"x")
    wait_for(lambda: heard, "a header")
    sock.close()
    header = heard[0]
    assert header.startswith(proxy.SIGNATURE)
    size = 16 + int.from_bytes(header[14:16], "big")
    assert proxy.CRC32C in proxy.parse(header[:16], header[16:size]).values
    # The same bytes, with nothing of HAProxy between.
    server = lb.start(srv.app("echo", [upstream(upstreams.echo).url],
                              accept_proxy=["127.0.0.1"]))
    with client.begin(server.address(), server.context()) as peer:
        peer.sock.send(header[:size])
        assert peer.handshake()
        echo_once(peer)
    line = server.wait_event("session", reason="done")
    assert line["peer"].startswith("127.0.0.5:")
