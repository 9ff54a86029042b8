"""Every mistake in a configuration is reported where it was made.

Each case replaces one piece of config_mistakes.toml. The new piece has a '§'
in front of the character that must be reported, and the message must match
the expression in full. Where several are marked, each has an expression;
several expressions for one mark are several errors at one place.
"""

import os
import pathlib
import re
import subprocess

import pytest

from harness import carets
from harness import server as srv
from harness.pieces import run_in_pieces

HERE = pathlib.Path(__file__).parent
BINARY = os.environ.get("LBPROXYD", str(HERE.parent / "build" / "lbproxyd"))
BASE = (HERE / "config_mistakes.toml").read_text()
MARK = "§"

DURATION = (r'a duration from "1ms" to "8760h": an integer and ms, s, m or h')
OR_OFF = DURATION + ', or "off"'
LASTING = {"timeouts.idle": OR_OFF}
ADDRESS = r'"host:port", IPv6 in brackets'
URL = (r'"tcp://host:port", "tls://host:port" \(IPv6 in brackets\) or '
       r'"unix:/path"')
ID = (r"a unique name of 1 to 64 printable ASCII characters, no space, "
      r"'\"' or '\\'")
PATH = r"the path of the PEM file with .+"
SERIALS = (r'an array of one or more serial numbers, each hex like '
           r'"1A:2B:3C", positive and at most 20 octets')

URIS = (r'an array of URIs, each as in the certificate, like '
        r'"spiffe://corp/alice", at most 2048 characters')
DNS = (r'an array of DNS names, each as in the certificate, like '
       r'"alice.corp.example", without a wildcard')

CASES = []


def already(key, shown, piece, first=None):
    """The message of what must be unique and is in the base's piece too."""
    line = BASE[:BASE.index(piece)].count("\n") + 1
    return (rf"{key} '{re.escape(shown)}' is already on line {line} "
            rf"\({first or key}\) and must be unique")


def case(name, spec, old, new, *messages):
    CASES.append(pytest.param(old, new, messages, id=name,
                              marks=pytest.mark.spec(*spec.split())))


def values(spec, key, line, accepts, *bad):
    """Bad values of a key: (TOML, how the message shows it)."""
    name = line.split(" =")[0].strip()
    for number, (toml, shown) in enumerate(bad):
        case(f"{key}-{number}", f"CFG-12 {spec}", line, f"{name} = §{toml}",
             rf"{re.escape(key)} must be {accepts}, not {shown}")


WRONG_TYPES = [("1.5", "a float"), ("true", "a boolean"),
               ("[]", "an array"), ("{}", "an? (inline )?table"),
               ("1979-05-27", "a.* date")]

# Integers.
for spec, key, line, low, high in [
        ("CFG-20", "server.workers", "workers = 2", 1, 256),
        ("CFG-20", "server.max_connections", "max_connections = 400", 1,
         1000000),
        ("CFG-20", "server.max_handshakes", "max_handshakes = 256", 1,
         1000000),
        ("CFG-26", "app.health.rise", "rise = 2", 1, 1000),
        ("CFG-26", "app.health.fall", "fall = 3", 1, 1000),
        ("CFG-27", "app.upstream.weight", "weight = 1", 1, 256),
        ("CFG-30", "client.limits.echo.concurrent", "concurrent = 5", 1,
         1000000),
        ("CFG-30", "client.limits.echo.connections", "connections = 7", 1,
         1000000)]:
    values(spec, key, line, f"an integer from {low} to {high}",
           (low - 1, low - 1), (high + 1, high + 1), (-1, -1),
           ("9223372036854775807", "9223372036854775807"),
           ('"2"', "a string"), WRONG_TYPES[0])
values("CFG-20", "server.workers", "workers = 2", "an integer from 1 to 256",
       *WRONG_TYPES[1:], ("0x101", "257"))
case("app.limits.concurrent", "CFG-12 CFG-25", "concurrent = 100",
     "concurrent = §0",
     "app.limits.concurrent must be an integer from 1 to 1000000, not 0")
case("app.limits.connections", "CFG-12 CFG-25", "connections = 200",
     "connections = §1000001",
     "app.limits.connections must be an integer from 1 to 1000000, "
     "not 1000001")

# Durations.
for spec, key, line in [
        ("CFG-23", "timeouts.handshake", 'handshake = "5s"'),
        ("CFG-23", "timeouts.connect", 'connect = "3s"'),
        ("CFG-23", "timeouts.idle", 'idle = "10m"'),
        ("CFG-23", "timeouts.drain", 'drain = "30s"'),
        ("CFG-26", "app.health.interval", 'interval = "2s"'),
        ("CFG-26", "app.health.timeout", 'timeout = "1s"'),
        ("CFG-30", "client.limits.echo.window", 'window = "10s"')]:
    values(f"CFG-3 {spec}", key, line, LASTING.get(key, DURATION),
           ('"0s"', "'0s'"),
           ('"5"', "'5'"), ("5", "an integer"))
values("CFG-3 CFG-23", "timeouts.idle", 'idle = "10m"', OR_OFF,
       ('""', "''"), ('"s"', "'s'"), ('"+1s"', r"'\+1s'"),
       ('"-1s"', "'-1s'"), ('"1 s"', "'1 s'"), ('" 1s"', "' 1s'"),
       ('"1s "', "'1s '"), ('"1.5s"', r"'1\.5s'"), ('"1S"', "'1S'"),
       ('"1d"', "'1d'"), ('"1us"', "'1us'"), ('"1sec"', "'1sec'"),
       ('"1m30s"', "'1m30s'"), ('"0x1s"', "'0x1s'"),
       ('"8761h"', "'8761h'"), ('"525601m"', "'525601m'"),
       ('"31536001s"', "'31536001s'"),
       ('"31536000001ms"', "'31536000001ms'"),
       ('"18446744073709551617ms"', "'18446744073709551617ms'"),
       ('"1s\\u0000"', r"'1s\\u0000'"), ("10:00:00", "a local time"))
case("app.limits.window", "CFG-3 CFG-25", 'window = "1m"', 'window = §"1"',
     f"app.limits.window must be {DURATION}, not '1'")

# Choices.
values("CFG-20", "server.event_loop", 'event_loop = "auto"',
       '"auto", "select" or "epoll"', ('"kqueue"', "'kqueue'"),
       ('"Auto"', "'Auto'"), ('""', "''"), ("true", "a boolean"))
values("CFG-21", "tls.min_version", 'min_version = "1.2"', '"1.2" or "1.3"',
       ('"1.1"', r"'1\.1'"), ("1.2", "a float"), ('"TLSv1.3"', ".*"))
values("CFG-24", "app.unclean_end", 'unclean_end = "reset"',
       '"reset" or "end"', ('"close"', "'close'"), ('"End"', "'End'"),
       ("true", "a boolean"))
values("CFG-22", "log.level", 'level = "info"',
       '"error", "warn", "info" or "debug"', ('"warning"', "'warning'"),
       ('"INFO"', "'INFO'"), ("3", "an integer"),
       ('"info\\u0000"', r"'info\\u0000'"))

# Booleans.
values("CFG-24", "app.proxy_protocol", "proxy_protocol = false",
       "true or false", ('"yes"', "a string"), ("1", "an integer"))
values("CFG-26", "app.health.enabled", "enabled = true", "true or false",
       ('"true"', "a string"), ("0", "an integer"))

# Networks.
for number, (toml, shown) in enumerate([
        ('§"10.0.0.0/8"', "a string"), ('["::1", §8]', "an integer"),
        ('[§"10.0.0.1/8"]',
         r"'10\.0\.0\.1/8': it has bits set beyond its length"),
        ('[§"lan"]', "'lan': the IPv4 address is not valid")]):
    case(f"app.accept_proxy-{number}", "CFG-12 CFG-24 PRX-12",
         "proxy_protocol = false", f"accept_proxy = {toml}",
         r'app\.accept_proxy must be an array of at most 1024 networks, '
         rf'"10\.0\.0\.0/8" or an address, not {shown}')

# Paths and other texts.
for spec, key, line in [
        ("CFG-21", "tls.certificate", 'certificate = "server.pem"'),
        ("CFG-21", "tls.private_key", 'private_key = "server.key"'),
        ("CFG-21", "tls.client_ca", 'client_ca = "ca.pem"'),
        ("CFG-21", "tls.crl", 'crl = "ca.crl"'),
        ("CFG-27", "app.upstream.ca", 'ca = "upstream-ca.pem"'),
        ("CFG-27", "app.upstream.certificate",
         'certificate = "proxy-client.pem"'),
        ("CFG-27", "app.upstream.private_key",
         'private_key = "proxy-client.key"')]:
    values(f"CFG-8 {spec}", key, line, PATH, ('""', "'': it is empty"),
           ('"a\\u0000b"', r"'a\\u0000b': it has a control character"),
           ("[]", "empty") if key == "tls.client_ca" else
           ('["a"]', "an array"))
case("tls.client_ca-item", "CFG-94", 'client_ca = "ca.pem"\ncrl = "ca.crl"',
     'client_ca = [§"ca.pem"]', rf"tls.client_ca must be {PATH}, not a string")
case("tls.client_ca-crl", "CFG-95", 'client_ca = "ca.pem"\ncrl = "ca.crl"',
     'client_ca = [{ id = "a", file = "ca.pem" }]\ncrl = §"ca.crl"',
     r'tls.crl is accepted only with tls.client_ca = "PATH"; accepted: crl in '
     r"each \[\[tls.client_ca\]\]")
case("tls.client_ca.id", "CFG-94", 'client_ca = "ca.pem"\ncrl = "ca.crl"',
     'client_ca = [{ id = §"a/b", file = "ca.pem" }]',
     rf"tls.client_ca.id must be {ID}, and no '/', not 'a/b': it has a '/'")
values("CFG-8 CFG-21", "tls.ciphers",
       'ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"',
       "OpenSSL names of TLS 1.2 cipher suites, joined by ':'",
       ('""', "'': it is empty"), ("1", "an integer"))
values("CFG-8 CFG-21", "tls.ciphersuites",
       'ciphersuites = "TLS_AES_128_GCM_SHA256"',
       "names of TLS 1.3 cipher suites, joined by ':'",
       ('"\\u0085"', r"'\\u0085': it has a control character"),
       ('"a\\u007F"', r"'a\\u007F': it has a control character"),
       ('"a\\tb"', r"'a\\u0009b': it has a control character"),
       ("[]", "an array"))
values("CFG-8 CFG-21", "tls.groups", 'groups = "X25519:P-256"',
       "OpenSSL names of key exchange groups, joined by ':'",
       ('""', "'': it is empty"), ('["X25519"]', "an array"))

# Addresses: one key has them all, the other ones the reporting.
values("CFG-4 CFG-5 CFG-20", "server.admin", 'admin = "127.0.0.1:9900"',
       ADDRESS, ('""', "'': it is empty"), ("9900", "an integer"),
       ('"127.0.0.1"', "'127.0.0.1': the port is missing"),
       ('"127.0.0.1:"', "'127.0.0.1:': the port is empty"),
       ('":9900"', "':9900': the host is empty"),
       ('"*:9900"', r"'\*:9900': the host has a character .*"),
       ('"h:0"', "'h:0': the port is not 1 to 65535"),
       ('"h:65536"', "'h:65536': the port is not 1 to 65535"),
       ('"h:4294967377"', "'.*': the port is not 1 to 65535"),
       ('"h:080"', "'h:080': the port starts with 0"),
       ('"h:+80"', r"'h:\+80': the port is not a number"),
       ('"h:-80"', "'h:-80': the port is not a number"),
       ('"h:http"', "'h:http': the port is not a number"),
       ('"h:80 "', "'h:80 ': the port is not a number"),
       ('"h:80/"', "'h:80/': the port is not a number"),
       ('"h:80:"', "'h:80:': it has more than one ':', .* needs brackets"),
       ('"::1:80"', "'::1:80': it has more than one ':', .*"),
       ('"[::1]"', r"'\[::1\]': the port is missing"),
       ('"[::1]:"', r"'\[::1\]:': the port is empty"),
       ('"[::1]80"', r"'\[::1\]80': the port is missing"),
       ('"[::1:80"', r"'\[::1:80': the '\]' is missing"),
       ('"[]:80"', r"'\[\]:80': the IPv6 address is not valid"),
       ('"[::g]:80"', "'.*': the IPv6 address is not valid"),
       ('"[1:2:3:4:5:6:7]:80"', "'.*': the IPv6 address is not valid"),
       ('"[1:2:3:4:5:6:7:8:9]:80"', "'.*': the IPv6 address is not valid"),
       ('"[1::2::3]:80"', "'.*': the IPv6 address is not valid"),
       ('"[12345::]:80"', "'.*': the IPv6 address is not valid"),
       ('"[::1.2.3.256]:80"', "'.*': the IPv6 address is not valid"),
       ('"[127.0.0.1]:80"', "'.*': the IPv6 address is not valid"),
       ('"[fe80::1%eth0]:80"', "'.*': an IPv6 zone is not accepted"),
       ('"127.0.0.256:80"', "'.*': the IPv4 address is not valid"),
       ('"127.0.1:80"', "'.*': the IPv4 address is not valid"),
       ('"127.0.0.0.1:80"', "'.*': the IPv4 address is not valid"),
       ('"127.0.0.01:80"', "'.*': the IPv4 address is not valid"),
       ('"2130706433:80"', "'.*': the IPv4 address is not valid"),
       ('"0x7f.1:80"', "'.*': the IPv4 address is not valid"),
       ('"a..b:80"', "'a..b:80': the host has an empty part"),
       ('".a:80"', "'.a:80': the host has an empty part"),
       ('"a.:80"', "'a.:80': the host has an empty part"),
       ('"-a:80"', "'-a:80': a part of the host starts or ends with '-'"),
       ('"a-.b:80"', "'a-.b:80': a part .* starts or ends with '-'"),
       ('"a b:80"', "'a b:80': the host has a character .*"),
       ('"h\u00f6st:80"', r"'h\\u00F6st:80': the host has a character .*"),
       (f'"{"a" * 64}:80"', r"'a{64}\.\.\.': a part .* is longer than 63"),
       (f'"{"a." * 126}aa:80"', r"'.*': the host is longer than 253"),
       ('"tcp://h:80"', "'tcp://h:80': it has more than one ':', .*"),
       ('"h\\u0000:80"', r"'h\\u0000:80': the host has a character .*"))
LISTEN = 'listen = ["127.0.0.1:9001", "[::1]:9001"]'
values("CFG-24", "app.listen", LISTEN, f"an array of one or more {ADDRESS}",
       ("[]", "empty"), ('"127.0.0.1:9001"', "a string"))
case("app.listen-item", "CFG-5 CFG-12 CFG-24", '"[::1]:9001"', '§"::1:9001"',
     f"app.listen must be an array of .+{ADDRESS}, not '::1:9001': .+")
case("app.listen-item-type", "CFG-12 CFG-24", '"[::1]:9001"', "§9001",
     f"app.listen must be an array of .+{ADDRESS}, not an integer")

# Urls.
values("CFG-6 CFG-27", "app.upstream.url", 'url = "tcp://127.0.0.1:7001"',
       URL, ('""', "'': it does not start with tcp://, tls:// or unix:"),
       ('"127.0.0.1:7001"', "'.*': it does not start with .*"),
       ('"TCP://h:1"', "'TCP://h:1': it does not start with .*"),
       ('"http://h:1"', "'http://h:1': it does not start with .*"),
       ('"tcp:/h:1"', "'tcp:/h:1': it does not start with .*"),
       ('"tcp://"', "'tcp://': the host is empty"),
       ('"tcp://h"', "'tcp://h': the port is missing"),
       ('"tcp://:1"', "'tcp://:1': the host is empty"),
       ('"tcp://h:1/"', "'tcp://h:1/': it has a path"),
       ('"tcp://u@h:1"', "'tcp://u@h:1': it has a user"),
       ('"tcp://h:1?a"', r"'tcp://h:1\?a': the port is not a number"),
       ('"tcp://h:1#a"', "'tcp://h:1#a': the port is not a number"),
       ('"tcp://h:0"', "'tcp://h:0': the port is not 1 to 65535"),
       ('"tcp://::1:1"', "'tcp://::1:1': it has more than one ':', .*"),
       ('"tcp://[::1]"', r"'tcp://\[::1\]': the port is missing"),
       ('"tcp://1.2.3:1"', "'.*': the IPv4 address is not valid"),
       ('"unix:run/x"', "'unix:run/x': .+"),
       ("1", "an integer"))
values("CFG-4 CFG-27", "app.upstream.server_name",
       'server_name = "db.internal"',
       "the DNS name or IP address in the upstream's certificate",
       ('""', "'': the host is empty"), ('"a b"', "'a b': .+"),
       ('"*.a"', r"'\*.a': .+"), ('"[::1]"', r"'\[::1\]': .+"),
       ('"1.2.3"', "'1.2.3': the IPv4 address is not valid"),
       ('"::g"', "'::g': the IPv6 address is not valid"),
       ('"db.internal."', "'db.internal.': the host has an empty part"))
case("upstream-tls-without-ca", "CFG-28",
     '[[app.upstream]]\nurl = "tls://127.0.0.1:7443"\n'
     'ca = "upstream-ca.pem"\n',
     '§[[app.upstream]]\nurl = "tls://127.0.0.1:7443"\n',
     r"app.upstream.ca is required with a tls:// url: the path of .*")
for key, text in [("ca", "a.pem"), ("server_name", "a"),
                  ("certificate", "a.pem"), ("private_key", "a.pem")]:
    case(f"upstream-tcp-with-{key}", "CFG-28", "weight = 1",
         f'§{key} = "{text}"',
         rf"app.upstream.{key} is accepted only with a tls:// url, .*")
case("upstream-certificate-alone", "CFG-28",
     'certificate = "proxy-client.pem"\nprivate_key = "proxy-client.key"',
     '§certificate = "proxy-client.pem"',
     "app.upstream.certificate must come with private_key, .*")
case("upstream-private-key-alone", "CFG-28",
     'certificate = "proxy-client.pem"\nprivate_key', "§private_key",
     "app.upstream.private_key must come with certificate, .*")

# Ids, serials, references.
for spec, key, line in [("CFG-24", "app.id", 'id = "mail"'),
                        ("CFG-29", "client.id", 'id = "bob"')]:
    # That a client refers to the app's id is not reported too.
    bad = [('""', "'': it is empty"), ('"a b"', "'a b': it has a space"),
           ("'a\"b'", ".*: it has a quotation mark or backslash"),
           ("'a\\b'", r"'a\\\\b': it has a quotation mark or backslash"),
           ('"\u00e4"', r"'\\u00E4': it has a character that is not .*"),
           ('"a\\n"', r"'a\\u000A': it has a character that is not .*"),
           ('"a\\u0000"', r"'a\\u0000': it has a character that is not .*"),
           (f'"{"a" * 65}"', r"'a{64}\.\.\.': it is too long"),
           ("1", "an integer"), ('["a"]', "an array")]
    values(f"CFG-7 CFG-33 {spec}", key, line, ID, *bad)
values("CFG-9 CFG-29", "client.serials", 'serials = ["4D"]', SERIALS,
       ("[]", "empty"), ('"4D"', "a string"), ("0x4D", "an integer"))
for number, (toml, shown) in enumerate([
        ('""', "'': it is not pairs of hex digits"),
        ('"0x4D"', "'0x4D': it is not pairs of hex digits"),
        ('"4G"', "'4G': it is not pairs of hex digits"),
        ('"4D "', "'4D ': it is not pairs of hex digits"),
        ('":4D"', "':4D': it is not pairs of hex digits"),
        ('"4D:"', "'4D:': it is not pairs of hex digits"),
        ('"4D::1A"', "'4D::1A': it is not pairs of hex digits"),
        ('"-4D"', "'-4D': it is not pairs of hex digits"),
        ('"0"', "'0': it is zero or longer than 20 octets"),
        ('"00:00"', "'00:00': it is zero or longer than 20 octets"),
        (f'"{"1" * 41}"', "'1{41}': it is zero or longer than 20 octets"),
        ("77", "an integer")]):
    case(f"client.serials-item-{number}", "CFG-9 CFG-12 CFG-29", '["4D"]',
         f"[§{toml}]", f"client.serials must be {SERIALS}, not {shown}")
case("client.serials-ca", "CFG-93", '["4D"]', '[§"2026/4D"]',
     r"client.serials: no \[\[tls.client_ca\]\] has the id '2026'")
for number, (name, accepts, good, toml, shown) in enumerate([
        ("uris", URIS, "spiffe://corp/bob", '"bob"', "'bob': it has no scheme"),
        ("uris", URIS, "a:b", "1", "an integer"),
        ("dns", DNS, "bob.corp.example", '"*.corp.example"',
         r"'\*\.corp\.example': it has a wildcard"),
        ("dns", DNS, "b", '"10.0.0.1"',
         "'10.0.0.1': it is an address or has a port")]):
    case(f"client.{name}-item-{number}", "CFG-90 CFG-91 CFG-12",
         'serials = ["4D"]', f'{name} = ["{good}", §{toml}]',
         f"client.{name} must be {accepts}, not {shown}")
case("client.uris-empty", "CFG-92", 'serials = ["4D"]', "uris = §[]",
     f"client.uris must be {URIS}, not empty")
values("CFG-29", "client.apps", 'apps = ["echo", "mail"]',
       "an array of one or more app ids", ("[]", "empty"),
       ('"echo"', "a string"))
case("client.apps-item", "CFG-12 CFG-29", '"echo", "mail"', '"echo", §true',
     "client.apps must be an array of one or more app ids, "
     "not a boolean")
case("client.apps-near", "CFG-31", '"echo", "mail"', '"echo", §"mial"',
     r"client.apps: no app has the id 'mial'; did you mean 'mail'\? "
     r"accepted: echo, mail")
case("client.apps-case", "CFG-31", '"echo", "mail"', '"echo", §"Mail"',
     r"client.apps: no app has the id 'Mail'; did you mean 'mail'\? "
     r"accepted: echo, mail")
case("client.apps-far", "CFG-31", '"echo", "mail"', '"echo", §"database"',
     r"client.apps: no app has the id 'database'; accepted: echo, mail")
case("client.limits-near", "CFG-31", "[client.limits.echo]",
     "[client.limits.§ecko]",
     r"client.limits: 'ecko' is not one of this client's apps; "
     r"did you mean 'echo'\? accepted: echo")
case("client.limits-other-app", "CFG-31", "[client.limits.echo]",
     "[client.limits.§mail]",
     r"client.limits: 'mail' is not one of this client's apps; "
     r"accepted: echo")
case("client.limits-direct", "CFG-12 CFG-33",
     "[client.limits.echo]\nconcurrent = 5\nconnections = 7\n"
     'window = "10s"', "[client.limits]\nconcurrent = §5",
     r"client.limits must be a table for each app, \[client.limits.APP\], "
     r"with concurrent, connections and window, not an integer")
case("client.limits-type", "CFG-12 CFG-30",
     "[client.limits.echo]\nconcurrent = 5\nconnections = 7\n"
     'window = "10s"', "limits = §5",
     r"client.limits must be a table for each app, .*, not an integer")

# A mistake is reported once: what only follows from it is not.
case("client.limits-unknown-app", "CFG-31",
     'apps = ["echo"]\n\n[client.limits.echo]',
     'apps = ["echo", §"nowhere"]\n\n[client.limits.nowhere]',
     r"client.apps: no app has the id 'nowhere'; accepted: echo, mail")
case("client.limits-misspelt-app", "CFG-31 CFG-33",
     'apps = ["echo"]\n\n[client.limits.echo]',
     'apps = [§"ecoh"]\n\n[client.limits.echo]',
     r"client.apps: no app has the id 'ecoh'; did you mean 'echo'\? "
     r"accepted: echo, mail")
case("client-misspelt-apps", "CFG-10 CFG-33",
     'apps = ["echo"]\n\n[client.limits.echo]',
     '§app = ["echo"]\n\n[client.limits.echo]',
     r"unknown key 'client.app'; did you mean 'apps'\? accepted: .*")
case("client.limits-without-apps", "CFG-11 CFG-31",
     '[[client]]\nid = "alice"\nserials = ["1A:2B:3C", "1a2b3d"]\n'
     'apps = ["echo"]\n',
     '§[[client]]\nid = "alice"\nserials = ["1A:2B:3C", "1a2b3d"]\n',
     "client.apps is required: an array of one or more app ids")
MORE = "".join(f'[[app]]\nid = "mailed{n}"\nlisten = ["h:{n + 1}"]\n'
               f'upstream = [{{ url = "tcp://h:1" }}]\n'
               for n in range(100))
case("client.apps-nearest", "CFG-31", '"echo", "mail"]',
     '"echo", §"mailed1x"]\n' + MORE,
     r"client.apps: no app has the id 'mailed1x'; did you mean 'mailed1'\? "
     r"accepted: echo, mail, mailed0, [a-z0-9, ]{100,250}, \.\.\.")

# What must be unique.
TAIL = BASE[BASE.index('id = "mail"'):]
case("twice-app-id", "CFG-14 CFG-33", TAIL,
     TAIL.replace('id = "mail"', 'id = §"echo"'),
     already("app.id", "echo",
             'id = "echo"'))
case("twice-client-id", "CFG-14", 'id = "bob"', 'id = §"alice"',
     already("client.id", "alice",
             'id = "alice"'))
case("twice-listen", "CFG-14", '["localhost:9002"]', '[§"127.0.0.1:9001"]',
     already("app.listen", "127.0.0.1:9001",
             '["127.0.0.1:9001"'))
case("twice-listen-form", "CFG-14", '["localhost:9002"]', '[§"[0::01]:9001"]',
     already("app.listen", "[0::01]:9001",
             '["127.0.0.1:9001"'))
case("twice-listen-here", "CFG-14", '["localhost:9002"]',
     '["localhost:9002", §"LocalHost:9002"]',
     already("app.listen", "LocalHost:9002",
             '["localhost:9002"'))
case("twice-listen-admin", "CFG-14", '["localhost:9002"]',
     '[§"127.0.0.1:9900"]',
     already("app.listen", "127.0.0.1:9900",
             'admin =', "server.admin"))
case("twice-url", "CFG-14", 'weight = 1',
     '[[app.upstream]]\nurl = §"tcp://127.0.0.1:7001"',
     already("app.upstream.url", "tcp://127.0.0.1:7001",
             '"tcp://127.0.0.1:7001"'))
case("twice-url-form", "CFG-14", 'url = "tcp://[::1]:7002"',
     'url = "tcp://[::1]:7002"\n[[app.upstream]]\nurl = §"tcp://[0::1]:7002"',
     already("app.upstream.url", "tcp://[0::1]:7002",
             '"tcp://[::1]:7002"'))
case("twice-serial", "CFG-14", '["4D"]', '["4D", §"00:4d"]',
     already("client.serials", "00:4d",
             '["4D"]'))
case("twice-serial-clients", "CFG-14", '["4D"]', '["4D", §"1a2b3c"]',
     already("client.serials", "1a2b3c",
             '["1A:2B:3C"'))
case("twice-uri", "CFG-14 CFG-44", '["4D"]',
     '["4D"]\nuris = ["a:b", §"a:b"]',
     already("client.uris", "a:b", '["4D"]').replace(
         str(BASE[:BASE.index('["4D"]')].count("\n") + 1),
         str(BASE[:BASE.index('["4D"]')].count("\n") + 2)))
case("twice-client-app", "CFG-14", '["echo", "mail"]',
     '["echo", "mail", §"echo"]',
     already("client.apps", "echo",
             '["echo", "mail"]'))

# Unknown keys.
for key, line, near, accepted in [
        ("server.wokers", "workers = 2", "workers",
         "workers, event_loop, max_connections, max_handshakes, admin, "
         "admin_socket, watch"),
        ("server.max-connections", "max_connections = 400",
         "max_connections", "workers, .*"),
        ("server.Admin", 'admin = "127.0.0.1:9900"', "admin", "workers, .*"),
        ("server.color", "workers = 2", None, "workers, .*"),
        ("tls.cipher", 'ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256"',
         "ciphers", "certificate, private_key, client_ca, crl, .*"),
        ("tls.cipher_suites", 'ciphersuites = "TLS_AES_128_GCM_SHA256"',
         "ciphersuites", "certificate, .*"),
        ("tls.minversion", 'min_version = "1.2"', "min_version",
         "certificate, .*"),
        ("log.leval", 'level = "info"', "level", "level"),
        ("log.file", 'level = "info"', None, "level"),
        ("log.lavil", 'level = "info"', None, "level"),
        ("timeouts.conect", 'connect = "3s"', "connect",
         "handshake, connect, idle, .*"),
        ("timeouts.darin", 'drain = "30s"', "drain", "handshake, .*"),
        ("app.proxyprotocol", "proxy_protocol = false", "proxy_protocol",
         "id, listen, proxy_protocol, accept_proxy, alpn, unclean_end, "
         "timeouts, limits, health, upstream"),
        ("app.health.intervall", 'interval = "2s"', "interval",
         "enabled, interval, timeout, rise, fall"),
        ("app.health.raise", "rise = 2", "rise", "enabled, .*"),
        ("app.upstream.wieght", "weight = 1", "weight",
         "url, weight, max_connections, backup, ca, server_name, "
         "certificate, private_key"),
        ("app.upstream.sni", "weight = 1", None, "url, .*"),
        ("client.limits.echo.concurent", "concurrent = 5", "concurrent",
         "concurrent, connections, window"),
        ("client.limits.echo.windows", 'window = "10s"', "window",
         "concurrent, .*")]:
    hint = rf"; did you mean '{near}'\? " if near else "; "
    name = line.split(" = ")[0]
    case(f"unknown-{key}", "CFG-10", "\n" + line,
         f"\n§{key.rsplit('.', 1)[1]} = {line.split(' = ')[1]}",
         rf"unknown key '{re.escape(key)}'{hint}accepted: {accepted}")
case("unknown-client", "CFG-10", 'id = "bob"', 'id = "bob"\n§app = ["echo"]',
     r"unknown key 'client.app'; did you mean 'apps'\? "
     r"accepted: id, serials, uris, dns, apps, limits")
case("unknown-limit", "CFG-10", "concurrent = 100", "§concurrency = 100",
     r"unknown key 'app.limits.concurrency'; did you mean 'concurrent'\? "
     r"accepted: concurrent, connections, window")
case("unknown-quoted", "CFG-10 CFG-13", "workers = 2",
     "§\"a\\n\\u0000'\\\\\" = 2",
     r"unknown key 'server.a\\u000A\\u0000\\'\\\\'; accepted: workers, .*")
case("unknown-unicode", "CFG-10 CFG-13", "workers = 2",
     '§"\u202e\U0001f600" = 2',
     r"unknown key 'server.\\u202E\\U0001F600'; accepted: workers, .*")
case("unknown-long", "CFG-10 CFG-13", "workers = 2", f"§{'k' * 4000} = 2",
     r"unknown key 'server.k{64}\.\.\.'; accepted: workers, .*")
case("unknown-root-key", "CFG-10", "[server]\n", "§colour = 1\n[server]\n",
     "unknown key 'colour'; accepted: include, server, tls, log, timeouts, app, client")
case("unknown-table", "CFG-10", "[log]", "[§logs]",
     r"unknown key 'logs'; did you mean 'log'\? accepted: include, .*")
case("unknown-tables", "CFG-10", "[[client]]\nid = \"bob\"",
     "[[§clients]]\nid = \"bob\"",
     r"unknown key 'clients'; did you mean 'client'\? accepted: include, .*")
case("unknown-dotted-key", "CFG-10", "[log]\nlevel",
     "[log]\n§a.b.c = 1\nlevel", "unknown key 'log.a'; accepted: level")

# Required keys.
for key, old, new in [
        ("tls.certificate", '[tls]\ncertificate = "server.pem"\n',
         "§[tls]\n"),
        ("tls.private_key",
         '[tls]\ncertificate = "server.pem"\nprivate_key = "server.key"\n',
         '§[tls]\ncertificate = "server.pem"\n'),
        ("tls.client_ca", BASE[BASE.index("[tls]"):BASE.index("crl")],
         '§[tls]\ncertificate = "a"\nprivate_key = "b"\n'),
        ("app.listen", '[[app]]\nid = "mail"\nlisten = ["localhost:9002"]',
         '§[[app]]\nid = "mail"'),
        ("app.upstream",
         '[[app]]\nid = "mail"\nlisten = ["localhost:9002"]\n\n'
         '[[app.upstream]]\nurl = "tcp://[::1]:7002"\n',
         '§[[app]]\nid = "mail"\nlisten = ["localhost:9002"]\n'),
        ("app.upstream.url", '[[app.upstream]]\nurl = "tcp://[::1]:7002"',
         "§[[app.upstream]]"),
        ("client.id", '[[client]]\nid = "bob"\n', "§[[client]]\n"),
        ("client.serials", '[[client]]\nid = "bob"\nserials = ["4D"]\n',
         '§[[client]]\nid = "bob"\n'),
        ("client.apps",
         '[[client]]\nid = "bob"\nserials = ["4D"]\napps = ["echo", "mail"]',
         '§[[client]]\nid = "bob"\nserials = ["4D"]')]:
    case(f"missing-{key}", "CFG-11", old, new,
         rf"{re.escape(key)} is required: .+")
MAIL = BASE[BASE.index('[[app]]\nid = "mail"'):]
case("missing-app.id", "CFG-11 CFG-33", MAIL,
     "§" + MAIL.replace('id = "mail"\n', ""),
     rf"app.id is required: {ID}")
case("missing-tls", "CFG-11", BASE[:BASE.index("[log]")], "§",
     r"tls is required: a table, \[tls\], with certificate, private_key and "
     r"client_ca")
case("missing-app", "CFG-11", BASE[:], "§" + BASE[:BASE.index("[[app]]")],
     r"app is required: 1 to 1024 tables, \[\[app\]\]")
case("missing-everything", "CFG-11", BASE, "§",
     r"app is required: .*", "tls is required: .*")
case("missing-implicit", "CFG-11", BASE[:BASE.index("[log]")],
     '§tls.certificate = "a"\ntls.private_key = "b"\n',
     r"tls.client_ca is required: .*")

# Tables of the wrong kind.
for key in ("server", "log", "timeouts"):
    start = BASE.index(f"[{key}]")
    end = BASE.index("\n\n", start)
    case(f"type-{key}", "CFG-12",
         BASE[:end + 1], f"{key} = §1\n" + BASE[:start],
         rf"{key} must be a table, \[{key}\], not an integer")
case("type-tls", "CFG-12", BASE[:BASE.index("[log]")], 'tls = §"a"\n',
     r"tls must be a table, \[tls\], .*, not a string")
case("type-server-tables", "CFG-12", "[server]", "§[[server]]",
     r"server must be a table, \[server\], not an array")
case("type-app", "CFG-12", BASE[BASE.index("[[app]]"):],
     '§[app]\nid = "echo"\nlisten = ["h:1"]\n',
     r"app must be 1 to 1024 tables, \[\[app\]\], not a table")
case("type-app-empty", "CFG-12", BASE,
     "app = §[]\n" + BASE[:BASE.index("[[app]]")],
     r"app must be 1 to 1024 tables, \[\[app\]\], not empty")
case("type-client", "CFG-12", BASE[BASE.index("[[client]]"):],
     '§[client]\nid = "alice"\n',
     r"client must be at most 100000 tables, \[\[client\]\], not a table")
case("type-client-item", "CFG-12", BASE,
     "client = [§1]\n" + BASE[:BASE.index("[[client]]")],
     r"client must be at most 100000 tables, \[\[client\]\], not an integer")
case("type-upstream", "CFG-12", '[[app.upstream]]\nurl = "tcp://[::1]:7002"',
     '§[app.upstream]\nurl = "tcp://[::1]:7002"',
     r"app.upstream must be 1 to 1024 tables, \[\[app.upstream\]\], "
     r"not a table")
case("type-upstream-empty", "CFG-12",
     '[[app.upstream]]\nurl = "tcp://[::1]:7002"', "upstream = §[]",
     r"app.upstream must be 1 to 1024 tables, .*, not empty")
case("type-limits", "CFG-12", "limits = { concurrent = 100, "
     'connections = 200, window = "1m" }', "limits = §100",
     "app.limits must be a table with concurrent, connections and window, "
     "not an integer")
case("type-health", "CFG-12", 'listen = ["localhost:9002"]',
     'listen = ["localhost:9002"]\nhealth = §true',
     r"app.health must be a table, \[app.health\], not a boolean")
case("too-many-upstreams", "CFG-12 CFG-27", 'url = "tcp://[::1]:7002"',
     'url = "tcp://h:1"\n' + "".join(
         f'[[app.upstream]]\nurl = "tcp://h:{n}"\n' for n in range(2, 1025))
     + '§[[app.upstream]]\nurl = "tcp://h:1025"\n',
     r"app.upstream must be 1 to 1024 tables, .*, not more")

# TOML itself: one error, whatever follows.
for name, old, new in [
        ("no-value", "workers = 2", "workers = §"),
        ("no-equals", "workers = 2", "workers §2"),
        ("bare-word", 'level = "info"', "level = §info"),
        ("bad-escape", '"server.pem"', r'"server§\q.pem"'),
        ("leading-zero", "rise = 2", "rise = §02"),
        ("two-on-a-line", "rise = 2", "rise = 2 §fall = 2"),
        ("twice", "rise = 2", "rise = 2\n§rise = 3"),
        ("twice-table", "[log]", "[log]\n[§log]"),
        ("header", "[timeouts]", "[timeouts§\n"),
        ("inline-newline", "{ concurrent = 100,", "{§\n concurrent = 100,")]:
    case(f"toml-{name}", "CFG-1", old, new, r".+")
case("toml-first-and-only", "CFG-1", 'workers = 2\nevent_loop = "auto"',
     "workers = 0\nevent_loop = §?", ".+")

# Several at once, in the order of their places, whatever found them.
case("several", "CFG-2",
     BASE[:BASE.index("[log]")],
     '[server]\nworkers = §0\n§b = 1\n§a = 1\nadmin = §1\n[tls]\n'
     'certificate = "a"\nprivate_key = "b"\nclient_ca = §""\n',
     "server.workers must .*", "unknown key 'server.b'.*",
     "unknown key 'server.a'.*", "server.admin must .*",
     "tls.client_ca must .*")
case("thousands", "CFG-2", "[log]\n",
     "[log]\n" + "".join(f"§k{n} = 1\n" for n in range(3000)),
     *["unknown key 'log.k.*"] * 3000)


def check(path):
    done = subprocess.run([BINARY, "-c", str(path), "--check"],
                          capture_output=True, timeout=30, check=False)
    stderr = done.stderr.decode("ascii")
    carets.check(stderr, {str(path): path.read_text(encoding="utf-8")})
    return done.returncode, srv.messages(stderr)


def places(marked):
    """The text without its marks, and the places of the marks."""
    found = []
    text = ""
    for piece in marked.split(MARK):
        text += piece
        found.append((text.count("\n") + 1,
                      len(text) - (text.rfind("\n") + 1) + 1))
    return text, found[:-1]


@pytest.mark.spec("CFG-1", "CFG-32")
def test_base_has_no_mistake(tmp_path):
    """Its files do not exist, which is no mistake of the text."""
    path = tmp_path / "lbproxy.toml"
    path.write_text(BASE)
    _, lines = check(path)
    assert [line for line in lines if " must be " in line
            or "unknown key" in line or "required" in line] == []


@pytest.mark.spec("CFG-32")
def test_there_are_enough():
    assert len(CASES) >= 200


@pytest.mark.parametrize("old, new, messages", CASES)
@pytest.mark.spec("CFG-32", "CFG-100")
def test_mistake(tmp_path, old, new, messages):
    assert BASE.count(old) == 1, "the piece to replace must be unique"
    path = tmp_path / "lbproxy.toml"
    text, expected = places(BASE.replace(old, new))
    path.write_text(text, encoding="utf-8")
    status, lines = check(path)
    if len(expected) == 1:
        expected *= len(messages)
    assert status == 2
    assert len(lines) == len(messages), lines
    for line, place, message in zip(lines, expected, messages):
        prefix = f"{path}:{place[0]}:{place[1]}: error: "
        assert line.startswith(prefix)
        assert re.fullmatch(message, line[len(prefix):])


@pytest.mark.parametrize("size", (1, 61, 1000))
@pytest.mark.spec("CFG-32")
def test_text_in_pieces(tmp_path, size):
    """However the text arrives, the same is wrong with it."""
    text = "[log]\nlevel = 'é'\n" if size == 1 else BASE.replace(
        "[log]\n", "[log]\n" + "k = 1\n" + "# é\n" * 20_000 + "l = 1\n")
    path = tmp_path / "lbproxy.toml"
    path.write_text(text, encoding="utf-8")
    status, lines = check(path)
    done = run_in_pieces([BINARY, "-c", "/dev/stdin", "--check"],
                         text.encode(), size)
    assert (done.returncode, status) == (2, 2)
    assert srv.messages(done.stderr.decode()) == [
        line.replace(str(path), "/dev/stdin") for line in lines]
