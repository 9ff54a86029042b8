"""The certificates of the whole run, made once by certs-gen."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CERTS_GEN = os.environ.get("CERTS_GEN", str(ROOT / "certs-gen/certs-gen"))

# Clients and their serials; every name without a dash is listed by the
# configurations that the tests use.
SERIALS = {
    "alice": "0A:11:CE",
    "alice-renewed": "0A:11:CE:02",
    "bob": "B0:B0",
    "carol": "CA:20",
    "expired": "E0:01",
    "future": "F0:01",
    "revoked": "DE:AD",
    "usage": "05:A6",
}
UNLISTED = "7F:00:00:01"
PAST = ("20200101000000Z", "20210101000000Z")
FUTURE = ("20900101000000Z", "20910101000000Z")


def certs_gen(*args):
    done = subprocess.run([CERTS_GEN, *map(str, args)], text=True,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, f"certs-gen {args}: {done.stderr}"
    return done.stdout


class Pki:
    """All files under one directory; `of` gives (certificate, key).

    made: they are there already.
    """

    def __init__(self, base, made=False):
        self.dir = pathlib.Path(base)
        self.ca_dir = self.dir / "ca"
        self.ca = self.ca_dir / "ca.pem"
        self.crl = self.ca_dir / "ca.crl"
        self.upstream_dir = self.dir / "upstream"
        self.upstream_ca = self.upstream_dir / "ca.pem"
        self.other_dir = self.dir / "other"
        self.other_ca = self.other_dir / "ca.pem"
        if not made:
            self._make_ours()
            self._make_other()
            self._make_upstream()

    def _make_ours(self):
        certs_gen("ca", self.ca_dir, "--name", "test clients CA")
        certs_gen("server", self.ca_dir, "server")
        for name in ("alice", "alice-renewed", "bob", "carol", "revoked"):
            self._client(name)
        self._client("expired", "--not-before", PAST[0],
                     "--not-after", PAST[1])
        self._client("future", "--not-before", FUTURE[0],
                     "--not-after", FUTURE[1])
        self._client("usage", "--eku", "server")
        certs_gen("client", self.ca_dir, "unlisted", "--serial", UNLISTED)
        certs_gen("revoke", self.ca_dir, "revoked")
        certs_gen("intermediate", self.ca_dir, "middle")
        certs_gen("client", self.ca_dir / "middle", "below",
                  "--serial", SERIALS["alice"])

    def _client(self, name, *options):
        certs_gen("client", self.ca_dir, name, "--serial", SERIALS[name],
                  *options)

    def _make_other(self):
        # The same name on purpose: only the key tells the CAs apart.
        certs_gen("ca", self.other_dir, "--name", "test clients CA")
        certs_gen("client", self.other_dir, "stranger",
                  "--serial", SERIALS["alice"])

    def _make_upstream(self):
        certs_gen("ca", self.upstream_dir, "--name", "test upstreams CA")
        certs_gen("upstream", self.upstream_dir, "db",
                  "--san", "DNS:db.internal")
        certs_gen("upstream", self.upstream_dir, "loopback",
                  "--san", "DNS:localhost,IP:127.0.0.1,IP:::1")
        certs_gen("upstream", self.upstream_dir, "outdated",
                  "--not-before", PAST[0], "--not-after", PAST[1])
        certs_gen("client", self.upstream_dir, "proxy")
        certs_gen("client", self.upstream_dir, "outdated-proxy",
                  "--not-before", PAST[0], "--not-after", PAST[1])

    @staticmethod
    def _pair(directory, name):
        return directory / f"{name}.pem", directory / f"{name}.key"

    def of(self, name):
        if name == "below":
            return self._pair(self.ca_dir / "middle", name)
        if name == "stranger":
            return self._pair(self.other_dir, name)
        return self._pair(self.ca_dir, name)

    def of_upstream(self, name):
        return self._pair(self.upstream_dir, name)


def signed_with_subject(pki, directory, subject, serial, extension=""):
    """A client certificate with any common name, any number as serial and
    one more extension, as openssl's configuration has it."""
    pem, key = directory / "subject.pem", directory / "subject.key"
    ext = directory / "subject.ext"
    ext.write_text(f"[v]\nextendedKeyUsage=clientAuth\n{extension}\n"
                   "[req]\ndistinguished_name=d\n[d]\n", encoding="ascii")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-config", ext,
         "-extensions", "v", "-CA", pki.ca, "-CAkey",
         pki.ca_dir / "ca.key", "-subj", "/CN=" + subject, "-utf8",
         "-set_serial", serial, "-days", "2", "-keyout", key, "-out", pem],
        check=True, capture_output=True, timeout=60)
    return pem, key
