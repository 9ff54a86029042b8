"""Certificates that no CA of ours ever made, and a long revocation list."""

import os
import ssl
import subprocess

from harness.certs import certs_gen

CRL_ENTRIES = 100_000
CHAIN_BYTES = 98_000


def openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], text=True,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, f"openssl {args}: {done.stderr}"


def new_key(directory, name, algorithm="EC", option="ec_paramgen_curve:P-256"):
    key = directory / f"{name}.key"
    openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", option,
            "-out", key)
    return key


def self_signed(directory, name, key=None, subject="/CN=stranger", more=()):
    """(certificate, key)."""
    key = key or new_key(directory, name)
    cert = directory / f"{name}.pem"
    openssl("req", "-x509", "-new", "-key", key, "-subj", subject,
            "-days", "30", "-out", cert, *more)
    return cert, key


def forged(directory, pki):
    """A leaf that names our CA and its key, signed by somebody else."""
    name = "forged"
    fake_ca, fake_key = self_signed(
        directory, "fake-ca", subject="/CN=test clients CA",
        more=("-addext", "subjectKeyIdentifier=" + key_identifier(pki.ca)))
    key = new_key(directory, name)
    request, cert = directory / f"{name}.csr", directory / f"{name}.pem"
    extensions = directory / f"{name}.cnf"
    extensions.write_text("authorityKeyIdentifier=keyid:always\n"
                          "keyUsage=critical,digitalSignature\n"
                          "extendedKeyUsage=clientAuth\n")
    openssl("req", "-new", "-key", key, "-subj", "/CN=alice", "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", fake_ca, "-CAkey",
            fake_key, "-set_serial", "0x0A11CE", "-days", "30",
            "-extfile", extensions, "-out", cert)
    return cert, key


def key_identifier(cert):
    done = subprocess.run(
        ["openssl", "x509", "-in", str(cert), "-noout", "-ext",
         "subjectKeyIdentifier"], text=True, capture_output=True, check=True)
    return done.stdout.split()[-1]


def der(tag, content):
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def rsa_public_key(bits, exponent_bits):
    """A public key that has no private one."""
    rsa_encryption = bytes.fromhex("06092a864886f70d0101010500")
    parts = b""
    for size in (bits, exponent_bits):
        number = bytearray(os.urandom(size // 8))
        number[0] |= 0x80
        number[-1] |= 1
        parts += der(0x02, b"\0" + bytes(number))
    return der(0x30, der(0x30, rsa_encryption)
               + der(0x03, b"\0" + der(0x30, parts)))


def issued_for_any_key(directory, name, public_key):
    """A certificate of a key that nobody has, made with one that we have."""
    signer = new_key(directory, name)
    public, cert = directory / f"{name}.der", directory / f"{name}.pem"
    public.write_bytes(public_key)
    pem = directory / f"{name}.pub"
    openssl("pkey", "-pubin", "-inform", "DER", "-in", public, "-out", pem)
    openssl("x509", "-new", "-subj", f"/CN={name}", "-force_pubkey", pem,
            "-key", signer, "-days", "30", "-out", cert)
    return cert


def chain(directory, name, leaf, others):
    """A leaf with further certificates behind it: (certificates, key)."""
    cert, key = leaf
    both = directory / f"{name}.pem"
    both.write_text(cert.read_text()
                    + "".join(other.read_text() for other in others))
    return both, key


def how_many(certs):
    """How often they go into a list of CHAIN_BYTES."""
    size = sum(3 + len(ssl.PEM_cert_to_DER_cert(cert.read_text()))
               for cert in certs)
    return CHAIN_BYTES // size


def grow_crl(pki):
    """Gives our CA's list very many entries."""
    index = pki.ca_dir / "ca.db" / "index"
    with index.open("a", encoding="ascii") as file:
        for number in range(CRL_ENTRIES):
            file.write("R\t330101000000Z\t230101000000Z\t"
                       f"{0x7000_0000_0000 + number * 7:012X}"
                       f"\tunknown\t/CN=gone{number}\n")
    certs_gen("crl", pki.ca_dir)
