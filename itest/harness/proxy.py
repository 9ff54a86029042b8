"""The PROXY protocol, read and written without the server's code."""

import dataclasses
import socket
import struct

from harness.upstreams import Upstream

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
LOCAL, PROXY = 0x20, 0x21
ALPN, AUTHORITY, CRC32C, NOOP, SSL = 1, 2, 3, 4, 0x20
VERSION, COMMON_NAME, CIPHER = 0x21, 0x22, 0x23
SERIAL, CLIENT, NAME = 0xE0, 0xE1, 0xE2
TLS, CERT_CONN, CERT_SESS = 1, 2, 4


@dataclasses.dataclass
class Header:
    """A header of version 2; source and destination as "host:port"."""

    command: int
    family: int
    source: str = None
    destination: str = None
    values: dict = dataclasses.field(default_factory=dict)
    tls: dict = dataclasses.field(default_factory=dict)
    bits: int = None
    verify: int = None
    length: int = 0


def _values(data):
    found = {}
    while data:
        kind, length = struct.unpack_from(">BH", data)
        assert len(data) >= 3 + length, f"value {kind:#x} is cut"
        assert kind not in found, f"value {kind:#x} is there twice"
        found[kind] = data[3:3 + length]
        data = data[3 + length:]
    return found


def parse(head, rest):
    """A header from its 16 bytes and what follows them."""
    assert head[:12] == SIGNATURE, head
    header = Header(head[12], head[13], length=16 + len(rest))
    size = {0x00: 0, 0x11: 4, 0x21: 16}[header.family]
    if size:
        family = socket.AF_INET if size == 4 else socket.AF_INET6
        ports = struct.unpack_from(">HH", rest, 2 * size)
        shown = "%s:%d" if size == 4 else "[%s]:%d"
        header.source, header.destination = (
            shown % (socket.inet_ntop(family, rest[at:at + size]), port)
            for at, port in zip((0, size), ports))
        rest = rest[2 * size + 4:]
    header.values = _values(rest)
    if SSL in header.values:
        header.bits, header.verify = struct.unpack_from(
            ">BI", header.values[SSL])
        header.tls = _values(header.values[SSL][5:])
    return header


def _recv(sock, count):
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            raise EOFError(f"{len(data)} of {count} bytes: {data}")
        data += part
    return data


def line(source, destination, family="TCP4"):
    """A header of version 1; both ends are (host, port)."""
    return (f"PROXY {family} {source[0]} {destination[0]} "
            f"{source[1]} {destination[1]}\r\n").encode()


def crc32c(data):
    """The checksum of RFC 4960, bit by bit."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def value(kind, data):
    return struct.pack(">BH", kind, len(data)) + data


def header(source=None, destination=None, command=PROXY, family=None,
           values=b"", checksum=False):
    """A header of version 2; both ends are (host, port)."""
    ends = b""
    if source:
        inet = socket.AF_INET6 if ":" in source[0] else socket.AF_INET
        ends = b"".join(socket.inet_pton(inet, host) for host in
                        (source[0], destination[0]))
        ends += struct.pack(">HH", source[1], destination[1])
        family = family or (0x21 if inet == socket.AF_INET6 else 0x11)
    rest = ends + values + (value(CRC32C, bytes(4)) if checksum else b"")
    whole = SIGNATURE + struct.pack(">BBH", command, family or 0,
                                    len(rest)) + rest
    if checksum:
        whole = whole[:-4] + struct.pack(">I", crc32c(whole))
    return whole


class ProxyUpstream(Upstream):
    """Reads a header before anything else, and keeps it in `headers`."""

    def __init__(self, *args, **options):
        self.headers = []
        self.bad = []
        super().__init__(*args, **options)

    def _greet(self, sock):
        try:
            head = _recv(sock, 16)
            rest = _recv(sock, struct.unpack(">H", head[14:])[0])
            self.headers.append(parse(head, rest))
        except (AssertionError, EOFError, OSError, KeyError) as error:
            self.bad.append(repr(error))
            sock.close()
            return None
        return super()._greet(sock)

    def of_clients(self):
        return [one for one in self.headers if one.command == PROXY]
