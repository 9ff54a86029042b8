"""The proxies of the benchmark, each with a configuration that does the same
for the client: TLS with a certificate of the same CA, no log of connections,
least connections over the same upstreams where the proxy can do that."""

import os
import resource
import signal
from pathlib import Path
from typing import Callable, NamedTuple

NGINX_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
CONNECTIONS = 4000


class Setting:
    """What all proxies have in common."""

    def __init__(self, directory, options, ports, serials):
        self.dir = directory
        self.workers = options.workers
        self.lbproxyd = options.lbproxyd
        self.event_loop = options.event_loop
        self.ports = ports
        self.serials = serials

    def both(self, directory):
        """The server's certificate and key in one file."""
        pem = directory / "both.pem"
        pem.touch(0o600)
        pem.write_text((self.dir / "server.pem").read_text() +
                       (self.dir / "server.key").read_text())
        return pem


def lbproxyd(setting, directory, port):
    upstreams = "".join(f'[[app.upstream]]\nurl = "tcp://127.0.0.1:{p}"\n'
                        for p in setting.ports)
    config = directory / "lbproxy.toml"
    config.write_text(f"""
[server]
workers = {setting.workers}
event_loop = "{setting.event_loop}"
max_connections = {400 if setting.event_loop == "select" else CONNECTIONS}
[tls]
certificate = "{setting.dir}/server.pem"
private_key = "{setting.dir}/server.key"
client_ca = "{setting.dir}/ca.pem"
[log]
level = "warn"
[[app]]
id = "echo"
listen = ["127.0.0.1:{port}"]
[app.health]
enabled = false
{upstreams}[[client]]
id = "bench"
{setting.serials}
apps = ["echo"]
""")
    return [setting.lbproxyd, "-c", config]


def nginx(setting, directory, port, extra=""):
    servers = "".join(f"        server 127.0.0.1:{p};\n" for p in setting.ports)
    config = directory / "nginx.conf"
    config.write_text(f"""
load_module {NGINX_MODULE};
daemon off;
pid {directory}/nginx.pid;
error_log stderr error;
worker_processes {setting.workers};
worker_rlimit_nofile {resource.getrlimit(resource.RLIMIT_NOFILE)[0]};
events {{ worker_connections {CONNECTIONS + 96}; }}
stream {{
    upstream echo {{
        least_conn;
{servers}    }}
    server {{
        listen 127.0.0.1:{port} ssl;
        proxy_pass echo;
        ssl_certificate {setting.dir}/server.pem;
        ssl_certificate_key {setting.dir}/server.key;
        ssl_client_certificate {setting.dir}/ca.pem;
        ssl_verify_client on;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ecdh_curve X25519:prime256v1;
        {extra}
    }}
}}
""")
    return ["/usr/sbin/nginx", "-p", directory, "-e", "stderr", "-c", config]


def nginx_tuned(setting, directory, port):
    """Its cheapest: a builtin cache serves only the process that fills it."""
    cache = "builtin:20480" if setting.workers == 1 else "shared:tls:20m"
    return nginx(setting, directory, port, "ssl_session_tickets off; "
                 f"ssl_session_cache {cache};")


def haproxy(setting, directory, port, extra="", shared="", tls=True):
    servers = "".join(f"    server u{p} 127.0.0.1:{p}\n" for p in setting.ports)
    if tls:
        extra = (f" ssl crt {setting.both(directory)} ca-file "
                 f"{setting.dir}/ca.pem verify required "
                 f"curves X25519:P-256{extra}")
    config = directory / "haproxy.cfg"
    config.write_text(f"""
global
    nbthread {setting.workers}
    maxconn {CONNECTIONS}
{shared}
defaults
    mode tcp
    timeout connect 3s
    timeout client 10m
    timeout server 10m
frontend tls
    bind 127.0.0.1:{port}{extra}
    default_backend echo
backend echo
    balance leastconn
{servers}""")
    return ["/usr/sbin/haproxy", "-W", "-db", "-f", config]


def haproxy_tuned(setting, directory, port):
    return haproxy(setting, directory, port, " no-tls-tickets",
                   "    tune.ssl.cachesize 40000")


def plain(setting, directory, port):
    """No TLS at all: what the relaying alone takes, of a proxy that may
    splice."""
    return haproxy(setting, directory, port, tls=False)


def hitch(setting, directory, port):
    """It has one upstream, and does not serve as root."""
    user = 'user = "nobody"\ngroup = "nogroup"' if os.geteuid() == 0 else ""
    config = directory / "hitch.conf"
    config.write_text(f"""
frontend = {{ host = "127.0.0.1" port = "{port}" }}
backend = "[127.0.0.1]:{setting.ports[0]}"
pem-file = "{setting.both(directory)}"
client-verify = required
client-verify-ca = "{setting.dir}/ca.pem"
tls-protos = TLSv1.2 TLSv1.3
ecdh-curve = "X25519:prime256v1"
workers = {setting.workers}
daemon = off
log-level = 0
{user}
""")
    return ["/usr/sbin/hitch", f"--config={config}"]


def stunnel(setting, directory, port):
    """A thread for each connection, however many workers were asked for."""
    connects = "".join(f"connect = 127.0.0.1:{p}\n" for p in setting.ports)
    config = directory / "stunnel.conf"
    config.write_text(f"""
foreground = yes
pid =
syslog = no
debug = crit
[echo]
accept = 127.0.0.1:{port}
{connects}cert = {setting.dir}/server.pem
key = {setting.dir}/server.key
CAfile = {setting.dir}/ca.pem
verifyChain = yes
sslVersionMin = TLSv1.2
curves = X25519:P-256
""")
    return ["/usr/bin/stunnel4", config]


class Peer(NamedTuple):
    """A row of the tables."""

    make: Callable  # (setting, directory, port) -> its command
    program: str
    package: str
    kind: str  # "ours", "default" settings, "tuned", or "floor": no TLS
    reload: int = signal.SIGHUP  # 0: then it loses connections


PEERS = {
    "lbproxyd": Peer(lbproxyd, "", "", "ours"),
    "nginx": Peer(nginx, str(NGINX_MODULE), "libnginx-mod-stream", "default"),
    "nginx-tuned": Peer(nginx_tuned, str(NGINX_MODULE), "libnginx-mod-stream",
                        "tuned"),
    "haproxy": Peer(haproxy, "/usr/sbin/haproxy", "haproxy", "default",
                    signal.SIGUSR2),
    "haproxy-tuned": Peer(haproxy_tuned, "/usr/sbin/haproxy", "haproxy",
                          "tuned", signal.SIGUSR2),
    "hitch": Peer(hitch, "/usr/sbin/hitch", "hitch", "default", 0),
    "stunnel": Peer(stunnel, "/usr/bin/stunnel4", "stunnel4", "default", 0),
    "plain": Peer(plain, "/usr/sbin/haproxy", "haproxy", "floor",
                  signal.SIGUSR2),
}
