"""The page of the admin port, as a browser shows it."""

import base64
import hashlib
import html.parser
import http.server
import json
import re
import struct
import subprocess
import threading
import zlib

import pytest

from harness import admin, upstreams
from harness.client import attempt
from harness.ports import free_port
from harness.wait import SLOW

CHECKS = {"enabled": True, "interval": "50ms", "timeout": "1s", "rise": 1,
          "fall": 1}
DESK = (1280, 2000)


def browse(need, server, directory, *what, size=DESK, dark=False, calm=True):
    """Runs a browser until it has shown what there is; returns its output."""
    host, port = server if isinstance(server, tuple) else admin.address(server)
    done = subprocess.run(
        [need("chromium", "chromium"), "--headless=new", "--no-sandbox",
         "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--hide-scrollbars", f"--user-data-dir={directory}/profile",
         f"--window-size={size[0]},{size[1]}", "--lang=en",
         "--enable-logging=stderr", "--virtual-time-budget=9000",
         f"--blink-settings=preferredColorScheme={0 if dark else 1}",
         *what, f"http://{host}:{port}/"],
        capture_output=True, text=True, timeout=60 * SLOW, check=True)
    said = [line for line in done.stderr.splitlines()
            if "CONSOLE" in line and "favicon" not in line]
    assert not calm or not said, said
    return done.stdout


class Dom(html.parser.HTMLParser):
    """Elements in order, with their attributes and all text in them."""

    def __init__(self, text):
        super().__init__()
        self.all, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        element = {"tag": tag, "attrs": dict(attrs), "text": ""}
        self.all.append(element)
        if tag not in ("meta", "link", "input", "br"):
            self.open.append(element)

    def handle_endtag(self, tag):
        while self.open and self.open.pop()["tag"] != tag:
            pass

    def handle_data(self, data):
        for element in self.open:
            element["text"] += data

    def find(self, tag, **attrs):
        return [one for one in self.all if one["tag"] == tag and all(
            one["attrs"].get(key.replace("_", "-")) == value
            for key, value in attrs.items())]

    def rows(self):
        return [one["text"] for one in self.find("tr")]


@pytest.fixture
def busy(lb, upstream, tmp_path):
    """A server that has something to show in each part of the page."""
    up = upstream(upstreams.echo)
    dead = f"tcp://127.0.0.1:{free_port()}"
    odd = f"unix:{tmp_path}/<b>&\"'.sock"
    server = lb.proxy({"url": up.url, "max_connections": 10}, dead,
                      {"url": odd, "backup": True}, health=CHECKS,
                      limits={"concurrent": 3, "connections": 4,
                              "window": "1h"}, server=admin.section())
    server.wait_event("upstream_down", upstream=dead)
    server.wait_event("upstream_down", upstream=odd)
    attempt(server.address(), server.context("revoked", "1.2"))
    for _ in range(4):
        with server.connect() as peer:
            peer.send(b"x")
            assert peer.recv() == b"x"
    with server.connect() as peer:
        assert peer.recv() == b""
    with server.connect("bob") as peer:
        peer.send(b"x")
        assert peer.recv() == b"x"
        server.wait_event("reject", reason="rate_limit")
        server.dead, server.odd = dead, odd
        yield server


@pytest.mark.spec("ADM-30")
def test_it_needs_nothing_else(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), server=admin.section())
    answer = admin.ask(server, "/")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"(src|srcset|data|action)\s*=|https?:|@import|url\(",
                         answer.text)
    assert set(re.findall(r'href="([^"]*)"', answer.text)) <= {
        "/status", "/metrics"}
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy and "*" not in policy
    for tag, part in (("script", "script-src"), ("style", "style-src")):
        [inside] = re.findall(rf"<{tag}>(.*?)</{tag}>", answer.text, re.S)
        digest = hashlib.sha256(inside.encode("utf-8")).digest()
        want = f"{part} 'sha256-{base64.b64encode(digest).decode()}';"
        assert want in policy, f"page.c has to say {want}"
    assert not re.search(r'\son\w+="|style="', answer.text)


@pytest.mark.spec("ADM-30")
def test_other_answers_may_do_nothing(lb, upstream):
    server = lb.proxy(upstream(upstreams.echo), server=admin.section())
    for path in ("/status", "/metrics", "/readyz", "/<script>"):
        answer = admin.ask(server, path)
        assert answer.headers["content-security-policy"] == (
            "default-src 'none'; frame-ancestors 'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.spec("ADM-31")
def test_what_it_shows(busy, need, tmp_path):
    dom = Dom(browse(need, busy, tmp_path, "--dump-dom"))
    [state] = dom.find("p", id="state")
    assert state["text"] == "Ready"
    [server] = dom.find("dl", id="server")
    assert "Sessions1 of 400" in server["text"]
    text = "\n".join(dom.rows())
    down = [row for row in dom.rows() if row.startswith(busy.dead)]
    assert "down" in down[0] and "Connection refused" in down[0]
    assert "backup" in next(row for row in dom.rows() if busy.odd in row)
    alice = next(row for row in dom.rows() if row.startswith("alice"))
    assert re.search(r"0 of 3.*4 of 4.*in 60 min", alice), alice
    bob = next(row for row in dom.rows() if row.startswith("bob"))
    assert re.search(r"1 of 3.*1 of 4.*now", bob), bob
    assert "the client was admitted as often as it may be" in text
    assert "the certificate is on the revocation list" in text
    assert "tls.certificate" in text and "Revocation list" in text
    title = dom.find("title")[0]["text"]
    assert title.startswith("Ready")


class Canned(http.server.BaseHTTPRequestHandler):
    """The page, and answers to /status that were prepared, one by one."""

    def do_GET(self):
        page = self.server.page
        body, kind, status = page.body, "text/html; charset=utf-8", 200
        if self.path == "/status":
            self.server.asked += 1
            kind, body = "application/json", b""
            if self.server.answers:
                body = json.dumps(self.server.answers.pop(0)).encode()
            else:
                status = 503
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy",
                         page.headers["content-security-policy"])
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.spec("ADM-31")
def test_it_is_live(lb, upstream, need, tmp_path):
    server = lb.proxy(upstream(upstreams.echo), server=admin.section())
    one = json.loads(admin.ask(server, "/status").text)
    two = json.loads(json.dumps(one))
    two["ready"] = two["apps"][0]["ready"] = False
    two["sessions"], two["now"] = 77, one["now"] + 2
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Canned) as canned:
        canned.page, canned.asked = admin.ask(server, "/"), 0
        threading.Thread(target=canned.serve_forever, daemon=True).start()
        try:
            for answers, state in (([one] + [two] * 50, "Not ready: echo"),
                                   ([two] + [one] * 50, "Ready"),
                                   ([one], "No answer since ")):
                canned.answers = answers
                dom = Dom(browse(need, canned.server_address, tmp_path,
                                 "--dump-dom", calm=len(answers) > 1))
                assert dom.find("p", id="state")[0]["text"].startswith(state)
                told = dom.find("dl", id="server")[0]["text"]
                assert ("77 of 400" in told) == (state == "Not ready: echo")
            assert canned.asked >= 6
        finally:
            canned.shutdown()


@pytest.mark.spec("ADM-32")
def test_hostile_texts_stay_texts(busy, need, tmp_path):
    dom = Dom(browse(need, busy, tmp_path, "--dump-dom"))
    assert not dom.find("b")
    assert any(busy.odd in one["text"] for one in dom.find("th"))


@pytest.mark.spec("ADM-33")
def test_it_can_be_listened_to(busy, need, tmp_path):
    dom = Dom(browse(need, busy, tmp_path, "--dump-dom"))
    assert dom.find("html")[0]["attrs"]["lang"] == "en"
    assert len(dom.find("h1")) == 1 and len(dom.find("main")) == 1
    assert dom.find("p", role="status")
    for section in dom.find("section"):
        assert dom.find("h2", id=section["attrs"]["aria-labelledby"])
    tables = dom.find("table")
    assert len(tables) == len(dom.find("caption")) == 4
    assert all(one["attrs"].get("role") == "table" for one in tables)
    assert all(one["attrs"].get("scope") for one in dom.find("th"))
    # States are words, not colours alone.
    for one in dom.find("span"):
        if one["attrs"].get("class") in ("good", "bad", "warn"):
            assert one["text"].strip()
    assert dom.find("meter")
    assert all(one["attrs"].get("aria-label") for one in dom.find("meter"))


def pixels(path):
    """Width, height and the rows of a PNG of 8 bits without interlace."""
    data, at, body = path.read_bytes(), 8, b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack(
                ">IIBB", data[at + 8:at + 18])
        elif kind == b"IDAT":
            body += data[at + 8:at + 8 + size]
        at += size + 12
    step = {2: 3, 6: 4}[colour]
    raw, rows, last = zlib.decompress(body), [], bytes(width * step)
    for y in range(height):
        line = raw[y * (width * step + 1):(y + 1) * (width * step + 1)]
        last = unfilter(line[0], bytearray(line[1:]), last, step)
        rows.append(last)
    return width, height, step, rows


def unfilter(kind, line, above, step):
    for i, _ in enumerate(line):
        left = line[i - step] if i >= step else 0
        up, corner = above[i], above[i - step] if i >= step else 0
        if kind == 1:
            add = left
        elif kind == 2:
            add = up
        elif kind == 3:
            add = (left + up) // 2
        elif kind == 4:
            add = min((abs(left + up - corner - near), order, near)
                      for order, near in enumerate((left, up, corner)))[2]
        else:
            add = 0
        line[i] = (line[i] + add) & 255
    return bytes(line)


@pytest.mark.spec("ADM-33")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_light_and_dark(busy, need, tmp_path, dark):
    shot = tmp_path / "shot.png"
    browse(need, busy, tmp_path, f"--screenshot={shot}", size=(412, 300),
           dark=dark)
    _, _, step, rows = pixels(shot)
    back = rows[0][:3]
    assert all(value < 40 for value in back) if dark else all(
        value > 230 for value in back)
    # And something that differs from it is on it.
    assert any(abs(row[i] - back[0]) > 100 for row in rows
               for i in range(0, len(row), step))


@pytest.mark.spec("ADM-33")
def test_a_phone_needs_no_sideways_scrolling(busy, need, tmp_path):
    """Whatever is at a phone's right edge is the page's margin."""
    shot = tmp_path / "shot.png"
    browse(need, busy, tmp_path, f"--screenshot={shot}", size=(500, 2400))
    width, _, step, rows = pixels(shot)
    back = rows[0][:3]
    for row in rows:
        edge = row[(width - 8) * step:]
        assert all(edge[i:i + 3] == back
                   for i in range(0, len(edge), step))
