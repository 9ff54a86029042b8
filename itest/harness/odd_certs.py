"""What certs-gen does not make: odd keys, certificates and revocation lists,
by openssl(1)."""

import base64
import pathlib
import subprocess
import tempfile

P256 = ("EC", "ec_paramgen_curve:P-256")


def openssl(*args, data=None):
    """Its standard output; it must succeed."""
    done = subprocess.run(["openssl", *map(str, args)], input=data,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, (args, done.stderr.decode())
    return done.stdout


def make_key(path, algorithm="EC", *options):
    """A private key, as PKCS#8; options as genpkey's -pkeyopt."""
    if algorithm == "EC" and not options:
        options = P256[1:]
    pairs = [part for one in options for part in ("-pkeyopt", one)]
    path.write_bytes(openssl("genpkey", "-algorithm", algorithm, *pairs))
    return path


def make_cert(path, key, issuer=None, extensions="", digest="sha256",
              subject="odd", days=90, serial=None):
    """A certificate of a key, any that has a public half; issuer is (its
    certificate, its key), or None for a self-signed one."""
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        public = directory / "public"
        public.write_bytes(openssl("pkey", "-in", key, "-pubout"))
        config = directory / "config"
        config.write_text(f"[v]\n{extensions}\n", encoding="ascii")
        signer = ["-CA", issuer[0], "-CAkey", issuer[1]] if issuer else [
            "-signkey", key]
        path.write_bytes(openssl(
            "x509", "-new", "-subj", f"/CN={subject}", f"-{digest}",
            "-force_pubkey", public, "-days", str(days),
            "-extfile", config, "-extensions", "v", *signer,
            *(["-set_serial", serial] if serial else [])))
    return path


def make_crl(path, issuer, serials=(), extensions="", reason="superseded",
             life=("-1", "+30")):
    """A revocation list; issuer is (certificate, key), serials are hex, life
    is in days from now."""
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        (directory / "index").write_text("".join(
            f"R\t491231235959Z\t250101000000Z,{reason}\t"
            f"{serial.replace(':', '')}\tunknown\t/CN=x\n"
            for serial in serials), encoding="ascii")
        config = directory / "config"
        config.write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={directory}/index\n"
            f"default_md=sha256\n[e]\n{extensions}\n", encoding="ascii")
        more = ["-crlexts", "e"] if extensions else []
        begin, end = (when(days) for days in life)
        path.write_bytes(openssl(
            "ca", "-config", config, "-gencrl", "-cert", issuer[0],
            "-keyfile", issuer[1], "-crl_lastupdate", begin,
            "-crl_nextupdate", end, *more))
    return path


def when(days):
    """So many days from now, as openssl writes a time."""
    done = subprocess.run(
        ["date", "-u", "-d", f"{float(days) * 86400:+.0f} seconds",
         "+%Y%m%d%H%M%SZ"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


# --- what openssl(1) would not write ----------------------------------------

def der(tag, *parts):
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        head = bytes([size])
    else:
        octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
        head = bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + head + body


def subject_of(pem):
    """The DER of a CA's own name, which its lists begin with."""
    whole = openssl("x509", "-in", pem, "-outform", "DER")
    listing = openssl("asn1parse", "-inform", "DER", data=whole).decode()
    names = [line for line in listing.splitlines()
             if "d=2" in line and "SEQUENCE" in line]
    # signature, issuer, validity, subject, key
    offset = int(names[3].split(":")[0])
    size = int(names[3].split(" l=")[1].split()[0])
    head = int(names[3].split("hl=")[1].split()[0])
    return whole[offset:offset + head + size]


def pem_of(label, whole):
    """DER as a block of PEM."""
    return (f"-----BEGIN {label}-----\n{base64.encodebytes(whole).decode()}"
            f"-----END {label}-----\n").encode()


def sign_crl(ca_dir, entries=(), begin=b"250101000000Z",
             end=b"20990101000000Z", extensions=()):
    """A list in PEM that a P-256 CA signs, whatever its fields say. entries
    are (serial as octets, their extensions in DER); end may be None."""
    algorithm = der(0x30, bytes.fromhex("06082a8648ce3d040302"))
    rows = [der(0x30, der(0x02, serial), der(0x17, b"250101000000Z"),
                *([der(0x30, *more)] if more else []))
            for serial, more in entries]
    body = der(0x30, b"\x02\x01\x01", algorithm,
               subject_of(ca_dir / "ca.pem"), der(0x17, begin),
               *([der(0x18, end)] if end else []), *([der(0x30, *rows)] if rows else []),
               *([der(0xa0, der(0x30, *extensions))] if extensions else []))
    signature = openssl("dgst", "-sha256", "-sign", ca_dir / "ca.key",
                        data=body)
    return pem_of("X509 CRL", der(0x30, body, algorithm,
                                  der(0x03, b"\0" + signature)))


def with_subject(pem, ca_dir, subject):
    """A certificate of a P-256 CA, signed anew with another subject in DER."""
    whole = openssl("x509", "-in", pem, "-outform", "DER")
    listing = openssl("asn1parse", "-inform", "DER", data=whole).decode()
    rows = [(int(row.split(":")[0]),
             int(row.split("hl=")[1].split()[0]),
             int(row.split(" l=")[1].split()[0]), row)
            for row in listing.splitlines()]
    # What is signed, and in it signature, issuer, validity and subject.
    at, head, size, _ = [row for row in rows if "d=1" in row[3]][0]
    begin, end = at + head, at + head + size
    at, head, size, _ = [row for row in rows if "d=2" in row[3]
                         and "SEQUENCE" in row[3]][3]
    size += head
    body = der(0x30, whole[begin:at], subject, whole[at + size:end])
    algorithm = der(0x30, bytes.fromhex("06082a8648ce3d040302"))
    signature = openssl("dgst", "-sha256", "-sign", ca_dir / "ca.key",
                        data=body)
    return pem_of("CERTIFICATE", der(0x30, body, algorithm,
                                     der(0x03, b"\0" + signature)))
