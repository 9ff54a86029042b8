"""Programs of others at both ends: nginx, redis, curl, openssl."""

import random
import subprocess
import threading

import pytest

from harness import server as srv
from harness import upstreams
from harness.ports import free_port
from harness.program import Program
from harness.wait import BOUND, SLOW, wait_for


NGINX = """\
daemon off;
master_process off;
pid {dir}/nginx.pid;
error_log stderr error;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
	access_log off;
	client_body_temp_path {dir}/body;
	proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi;
	scgi_temp_path {dir}/scgi;
	client_max_body_size 64m;
	server {{
		listen 127.0.0.1:{http};
		listen 127.0.0.1:{https} ssl;
		ssl_protocols TLSv1.2 TLSv1.3;
		ssl_certificate {cert};
		ssl_certificate_key {key};
		root {dir}/www;
		location /name {{ return 200 "nginx $ssl_protocol\\n"; }}
	}}
}}
"""


@pytest.fixture
def nginx(need, pki, tmp_path):
    home = tmp_path / "nginx"
    www = home / "www"
    www.mkdir(parents=True)
    # The worker may be another user when the tests run as root.
    for directory in (home, www):
        directory.chmod(0o755)
    body = random.Random(5).randbytes(3 << 20)
    (www / "big").write_bytes(body)
    http, https = free_port(), free_port()
    cert, key = pki.of_upstream("loopback")
    path = home / "nginx.conf"
    path.write_text(NGINX.format(dir=home, http=http, https=https,
                                 cert=cert, key=key))
    program = Program(http, need("nginx", "nginx"), "-p", home, "-e",
                      home / "error.log", "-c", path)
    program.https = https
    program.body = body
    yield program
    program.stop()


def curl(need, server, who, path, *args, name=None):
    """curl through the proxy, with or without a client certificate."""
    cert = []
    if who:
        pem, key = server.pki.of(who)
        cert = ["--cert", pem, "--key", key]
    host, port = server.address(name)
    return subprocess.run(
        [need("curl", "curl"), "-sS", "--max-time", str(BOUND * 4),
         "--cacert", server.pki.ca, *cert, *args,
         f"https://{host}:{port}{path}"],
        capture_output=True, timeout=BOUND * 6, check=False)


@pytest.mark.spec("FLW-1", "SRV-14", "SES-7", "LOG-3")
def test_curl_to_nginx(lb, pki, nginx, need):
    server = lb.start([
        srv.app("plain", [f"tcp://127.0.0.1:{nginx.port}"]),
        srv.app("secure", [{"url": f"tls://localhost:{nginx.https}",
                            "ca": pki.upstream_ca}])])
    for name, shown in (("plain", b"nginx "), ("secure", b"nginx TLSv1.3")):
        done = curl(need, server, "alice", "/name", name=name)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(shown)
        done = curl(need, server, "alice", "/big", "--tlsv1.2",
                    "--tls-max", "1.2", name=name)
        assert done.returncode == 0, done.stderr
        assert done.stdout == nginx.body
    server.wait_event("session", count=2, app="plain", client="alice")
    server.wait_event("session", count=2, app="secure", client="alice")


@pytest.mark.spec("FLW-1", "FLW-4", "SRV-18")
@pytest.mark.parametrize("args", [
    ["--limit-rate", "4m"], ["--no-keepalive"], ["--range", "0-3145727"],
    ["--tlsv1.3", "--tls13-ciphers", "TLS_CHACHA20_POLY1305_SHA256"],
    ["--tls-max", "1.2", "--ciphers", "ECDHE-ECDSA-AES128-GCM-SHA256"],
    ["--http1.0"], ["--alpn"], ["--no-alpn"], ["--no-sessionid"]],
    ids=lambda args: args[0].strip("-"))
def test_curl_in_every_way(lb, nginx, need, args):
    server = lb.proxy(f"tcp://127.0.0.1:{nginx.port}")
    done = curl(need, server, "alice", "/big", *args)
    assert done.returncode == 0, done.stderr
    assert done.stdout == nginx.body


@pytest.mark.spec("FLW-1", "FLW-5", "SES-7")
def test_curl_uploads_and_goes_on(lb, nginx, need, tmp_path):
    """Three requests on one connection, two of them with a long body."""
    server = lb.proxy(f"tcp://127.0.0.1:{nginx.port}")
    body = tmp_path / "body"
    body.write_bytes(nginx.body * 2)
    host, port = server.address()
    url = f"https://{host}:{port}/name"
    done = curl(need, server, "alice", "/name", "--data-binary", f"@{body}",
                url, "-H", "Transfer-Encoding: chunked", url)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(b"nginx ") == 3
    line = server.wait_event("session")
    assert line["bytes_up"] > 3 * len(nginx.body) * 2
    assert len(server.events("session")) == 1


@pytest.mark.spec("SES-8", "SES-25")
def test_curl_breaks_off(lb, nginx, need):
    server = lb.proxy(f"tcp://127.0.0.1:{nginx.port}")
    done = curl(need, server, "alice", "/big", "--limit-rate", "1m",
                "--max-time", "0.5")
    assert done.returncode == 28 and len(done.stdout) < len(nginx.body)
    line = server.wait_event("session", timeout=BOUND * 2)
    assert line["reason"] in ("client_reset", "client_truncated", "done")


@pytest.mark.spec("SRV-9", "SRV-11", "SES-1")
@pytest.mark.parametrize("who,reason", [
    (None, "no_certificate"), ("stranger", "untrusted"),
    ("revoked", "revoked"), ("unlisted", "unknown_client")])
def test_curl_is_refused(lb, nginx, need, who, reason):
    server = lb.proxy(f"tcp://127.0.0.1:{nginx.port}")
    done = curl(need, server, who, "/name")
    assert done.returncode != 0
    assert done.stdout == b""
    assert b"alert" in done.stderr, done.stderr
    assert server.wait_event("reject")["reason"] == reason


@pytest.mark.spec("FLW-1", "SES-7")
def test_openssl_s_client(lb, pki, nginx, need):
    server = lb.proxy(f"tcp://127.0.0.1:{nginx.port}")
    host, port = server.address()
    pem, key = pki.of("alice")
    done = subprocess.run(
        [need("openssl", "openssl"), "s_client", "-quiet", "-connect",
         f"{host}:{port}", "-cert", pem, "-key", key, "-CAfile", pki.ca,
         "-verify_return_error"], capture_output=True, timeout=BOUND * 4,
        input=b"GET /name HTTP/1.0\r\n\r\n", check=False)
    assert b"nginx" in done.stdout, done.stderr


@pytest.fixture
def redis(need, tmp_path):
    port = free_port()
    program = Program(port, need("redis-server", "redis-server"),
                      "--port", port, "--bind", "127.0.0.1", "--save", "",
                      "--appendonly", "no", "--dir", tmp_path,
                      "--logfile", tmp_path / "redis.log")
    yield program
    program.stop()


def redis_command(need, tool, server, who, *args):
    pem, key = server.pki.of(who)
    host, port = server.address()
    return [need(tool, "redis-tools"), "-h", host, "-p", str(port), "--tls",
            "--cacert", server.pki.ca, "--cert", pem, "--key", key, *args]


def redis_tool(need, tool, server, who, *args, data=None):
    return subprocess.run(
        redis_command(need, tool, server, who, *args), input=data,
        capture_output=True, text=True, timeout=BOUND * 12, check=False)


@pytest.mark.spec("FLW-1", "SES-1", "LOG-3")
def test_redis_cli(lb, redis, need):
    server = lb.proxy(f"tcp://127.0.0.1:{redis.port}")
    value = "v" * 100_000
    done = redis_tool(need, "redis-cli", server, "alice", "set", "k", value)
    assert done.stdout.strip() == "OK", done.stderr
    done = redis_tool(need, "redis-cli", server, "bob", "get", "k")
    assert done.stdout.strip() == value
    server.wait_event("session", client="alice")
    server.wait_event("session", client="bob")
    done = redis_tool(need, "redis-cli", server, "unlisted", "get", "k")
    assert done.stdout.strip() != value
    assert server.wait_event("reject")["reason"] == "unknown_client"


@pytest.mark.workers
@pytest.mark.spec("FLW-1", "SRV-23")
def test_redis_benchmark(lb, redis, need):
    server = lb.proxy(f"tcp://127.0.0.1:{redis.port}")
    done = redis_tool(need, "redis-benchmark", server, "alice", "-c", "32",
                      "-n", "8000", "-P", "4", "-d", "512", "-t", "set,get",
                      "--csv")
    assert done.returncode == 0, done.stderr
    assert '"GET"' in done.stdout and '"SET"' in done.stdout, done.stdout
    assert "Error" not in done.stdout + done.stderr
    server.wait_event("session", count=32, client="alice")
    assert not server.events("reject")


@pytest.mark.workers
@pytest.mark.spec("FLW-1", "SRV-23", "SES-7")
def test_redis_benchmark_of_all_commands(lb, redis, need):
    server = lb.proxy(f"tcp://127.0.0.1:{redis.port}")
    done = redis_tool(need, "redis-benchmark", server, "alice", "-c", "16",
                      "-n", "400", "-r", "1000", "--csv")
    assert done.returncode == 0, done.stderr
    assert "Error" not in done.stdout + done.stderr
    names = [line.split('"')[1] for line in done.stdout.splitlines()[1:]]
    assert len(names) >= 18 and "LRANGE_600 (first 600 elements)" in names
    # It closes its connections as it stands, those in a handshake too.
    assert {line["reason"] for line in server.events("session")} <= {
        "done", "client_truncated", "client_reset"}
    assert {line["reason"] for line in server.events("reject")} <= {
        "handshake_failed"}


@pytest.mark.workers
@pytest.mark.spec("FLW-1", "SRV-23", "SRV-53")
def test_redis_benchmark_with_a_session_each(lb, redis, need):
    server = lb.proxy(f"tcp://127.0.0.1:{redis.port}")
    done = redis_tool(need, "redis-benchmark", server, "alice", "-c", "8",
                      "-n", "300", "-k", "0", "-t", "ping_mbulk", "--csv")
    assert done.returncode == 0, done.stderr
    assert "PING" in done.stdout and "Error" not in done.stdout + done.stderr
    server.wait_event("session", count=300, client="alice")


@pytest.mark.spec("FLW-1", "FLW-4", "SES-7")
def test_redis_cli_pipes_commands(lb, redis, need):
    """It writes them all before it waits for the last answer."""
    server = lb.proxy(f"tcp://127.0.0.1:{redis.port}")
    count = 20_000
    commands = "".join(f"SET key:{n} {'v' * (1 + n % 50)}\r\n"
                       for n in range(count))
    done = redis_tool(need, "redis-cli", server, "alice", "--pipe",
                      data=commands)
    assert f"errors: 0, replies: {count}" in done.stdout, done.stdout
    done = redis_tool(need, "redis-cli", server, "bob", "dbsize")
    assert done.stdout.strip() == str(count)
    done = redis_tool(need, "redis-cli", server, "bob", "--scan",
                      "--pattern", "key:199*")
    assert len(done.stdout.split()) == 111


@pytest.mark.spec("FLW-1", "SRV-18")
@pytest.mark.parametrize("size", [0, 1, 8 << 20])
def test_redis_cli_carries_a_value_of_any_size(lb, redis, need, size):
    server = lb.proxy(f"tcp://127.0.0.1:{redis.port}")
    value = random.Random(7).randbytes(size // 2).hex() + "!" * (size % 2)
    done = redis_tool(need, "redis-cli", server, "alice", "-x", "set", "k",
                      data=value)
    assert done.stdout.strip() == "OK", done.stderr
    done = redis_tool(need, "redis-cli", server, "bob", "--raw", "get", "k")
    assert done.stdout == value + "\n"


@pytest.mark.spec("FLW-5", "SRV-35")
def test_redis_cli_hears_what_others_say(lb, redis, need):
    """A subscriber that says nothing, and somebody who waits for a list."""
    server = lb.proxy(f"tcp://127.0.0.1:{redis.port}")
    heard = bytearray()
    listener = subprocess.Popen(
        redis_command(need, "redis-cli", server, "bob", "subscribe", "news"),
        stdout=subprocess.PIPE)
    reader = threading.Thread(target=read_all, daemon=True,
                              args=(listener.stdout, heard))
    reader.start()
    waiter = subprocess.Popen(
        redis_command(need, "redis-cli", server, "carol", "blpop", "list",
                      "20"), stdout=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: b"subscribe" in heard, "the subscription")
        for word in ("one", "two"):
            done = redis_tool(need, "redis-cli", server, "alice", "publish",
                              "news", word)
            assert done.stdout.strip() == "1"
            wait_for(lambda: word.encode() in heard, word)
        done = redis_tool(need, "redis-cli", server, "alice", "rpush",
                          "list", "item")
        assert done.returncode == 0
        assert waiter.communicate(timeout=BOUND)[0] == "list\nitem\n"
    finally:
        for program in (listener, waiter):
            program.kill()
            program.wait()
        reader.join(BOUND)
        listener.stdout.close()
        waiter.stdout.close()


@pytest.mark.spec("FLW-1", "SRV-8")
def test_a_key_update_in_the_middle(lb, pki, upstream, need):
    """s_client makes one when it reads a line with "K"."""
    server = lb.proxy(upstream(upstreams.echo))
    host, port = server.address()
    pem, key = pki.of("alice")
    client = subprocess.Popen(
        [need("openssl", "openssl"), "s_client", "-connect",
         f"{host}:{port}", "-tls1_3", "-cert", pem, "-key", key,
         "-CAfile", pki.ca], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    seen = bytearray()
    reader = threading.Thread(target=read_all, daemon=True,
                              args=(client.stdout, seen))
    reader.start()
    try:
        for line, answer in ((b"one\n", b"\none\n"),
                             (b"K\n", b"KEYUPDATE"),
                             (b"two\n", b"\ntwo\n"),
                             (b"K\n", b"KEYUPDATE"),
                             (b"three\n", b"\nthree\n")):
            at = len(seen)
            client.stdin.write(line)
            client.stdin.flush()
            wait_for(lambda: answer.strip() in seen[at:],
                     f"{answer} from s_client: {bytes(seen[at:])}")
    finally:
        client.stdin.close()
        client.terminate()
        client.wait()
        reader.join(BOUND)
        client.stdout.close()
    assert server.wait_event("session")["bytes_up"] == len("onetwothree") + 3


def read_all(file, into):
    while data := file.read1(65536):
        into.extend(data)
