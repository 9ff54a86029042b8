"""A configuration and the files that it names, for --check."""

import re

from harness import server as srv

UPSTREAM = "tls://127.0.0.1:7443"
# Each key that names a file, the file's name here, and what it accepts.
FILES = {
    "tls.certificate": ("server.pem", "certificate"),
    "tls.private_key": ("server.key", "private key"),
    "tls.client_ca": ("ca.pem", "certificate"),
    "tls.crl": ("ca.crl", "revocation list"),
    "app.upstream.ca": ("upstream-ca.pem", "certificate"),
    "app.upstream.certificate": ("proxy.pem", "certificate"),
    "app.upstream.private_key": ("proxy.key", "private key"),
}


class Home:
    """A directory with a good configuration and a copy of all its files."""

    def __init__(self, pki, directory):
        self.pki = pki
        self.dir = directory
        for name, path in {
                "server.pem": pki.of("server")[0],
                "server.key": pki.of("server")[1],
                "ca.pem": pki.ca, "ca.crl": pki.crl,
                "upstream-ca.pem": pki.upstream_ca,
                "proxy.pem": pki.of_upstream("proxy")[0],
                "proxy.key": pki.of_upstream("proxy")[1]}.items():
            (directory / name).write_bytes(path.read_bytes())
        self.names = {key: name for key, (name, _) in FILES.items()}
        self.tls = {}
        self.issuer = (pki.ca, pki.ca_dir / "ca.key")

    def file(self, key):
        return self.dir / self.names[key]

    def write(self, clients=None):
        def named(table):
            return {key.rsplit(".", 1)[1]: name
                    for key, name in self.names.items()
                    if key.rsplit(".", 1)[0] == table and name}
        apps = [srv.app("echo", [{"url": UPSTREAM,
                                  **named("app.upstream")}])]
        tree = {"tls": {**named("tls"), **self.tls}, "app": apps,
                "client": clients or []}
        return srv.write_config(self.dir, tree)

    def check(self, clients=None):
        """Of --check: the status, and lines as (level, key, message)."""
        path = self.write(clients)
        text = path.read_text().splitlines()
        done = srv.run("-c", path, "--check")
        found = []
        for line in srv.messages(done.stderr):
            match = re.fullmatch(
                rf"{re.escape(str(path))}:(\d+):(\d+): (\w+): (.+)", line)
            assert match, line
            row, column = int(match[1]), int(match[2])
            at = re.match(r"([\w.]+) = ", text[row - 1])
            assert at and column == at.end() + 1, (line, text[row - 1])
            found.append((match[3], at[1], match[4]))
        return done.returncode, found

    def errors(self):
        status, found = self.check()
        assert status == 2, found
        assert {level for level, _, _ in found} == {"error"}, found
        return [(key, message) for _, key, message in found]

    def one_error(self, key):
        """The message of the only error, which is at this key."""
        found = self.errors()
        assert [where for where, _ in found] == [key.rsplit(".", 1)[1]], found
        assert "; accepted: " in found[0][1], found
        return found[0][1]

    def warnings(self, clients=None):
        status, found = self.check(clients)
        assert status == 0, found
        assert {level for level, _, _ in found} <= {"warning"}, found
        return [(key, message) for _, key, message in found]

    def is_fine(self):
        assert self.check() == (0, [])
