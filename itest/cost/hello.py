"""TLS client hellos made by hand, with whatever a stranger may put in one."""

import os
import struct

TLS12, TLS13 = 0x0303, 0x0304
HANDSHAKE, CHANGE_CIPHER_SPEC = 22, 20
RECORD_MAX = 16384

# Named groups, each with a key share that a server accepts: on the curves the
# generator is a public key as good as any.
X25519, X448 = 0x001D, 0x001E
P256, P384, P521 = 0x0017, 0x0018, 0x0019
FFDHE2048, FFDHE8192 = 0x0100, 0x0104
SHARES = {
    X25519: os.urandom(32),
    X448: os.urandom(56),
    P256: bytes.fromhex(
        "04"
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"),
    P384: bytes.fromhex(
        "04"
        "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38"
        "5502f25dbf55296c3a545e3872760ab7"
        "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c0"
        "0a60b1ce1d7e819d7a431d7c90ea0e5f"),
    P521: bytes.fromhex(
        "04"
        "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d"
        "3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5"
        "bd66"
        "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e"
        "662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd1"
        "6650"),
    FFDHE2048: b"\x01" + os.urandom(255),
    FFDHE8192: b"\x01" + os.urandom(1023),
}
CIPHERS_13 = [0x1301, 0x1302]
CIPHERS_12 = [0xC02B, 0xC02F, 0xC02C, 0xC030]
SIGNATURES = [0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401]


def vector(width, data):
    """Data behind its length in so many bytes."""
    return len(data).to_bytes(width, "big") + data


def numbers(values):
    return vector(2, b"".join(struct.pack(">H", value) for value in values))


def extension(number, data):
    return struct.pack(">H", number) + vector(2, data)


def key_shares(groups):
    return vector(2, b"".join(
        struct.pack(">H", group) + vector(2, SHARES[group])
        for group in groups))


def message(groups=(X25519,), shares=None, version=TLS13, ciphers=None,
            signatures=SIGNATURES, session_id=b"", more=b""):
    """A ClientHello message; `more` is a string of further extensions."""
    if ciphers is None:
        ciphers = CIPHERS_13 if version == TLS13 else CIPHERS_12
    extensions = extension(0x000A, numbers(groups))
    extensions += extension(0x000B, b"\x01\x00")
    extensions += extension(0x000D, numbers(signatures))
    if version == TLS13:
        extensions += extension(0x002B, vector(1, struct.pack(">H", TLS13)))
        extensions += extension(
            0x0033, key_shares(groups if shares is None else shares))
        extensions += extension(0x002D, b"\x01\x01")
    body = struct.pack(">H", TLS12) + os.urandom(32)
    body += vector(1, session_id) + numbers(ciphers) + b"\x01\x00"
    body += vector(2, extensions + more)
    return b"\x01" + vector(3, body)


def records(data, kind=HANDSHAKE, size=RECORD_MAX):
    """Data in records of at most so many bytes each."""
    return b"".join(
        struct.pack(">BH", kind, 0x0301) + vector(2, data[at:at + size])
        for at in range(0, len(data), size))


def hello(**what):
    return records(message(**what))
