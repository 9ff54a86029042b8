"""A server that answers at a unix socket by heart, as lbproxyd would."""

import json
import socket
import threading

# Beyond what is read of an answer at once.
LONG = "x" * 70000

UPSTREAMS = [
    {"url": "tcp://a:1", "state": "up", "draining": False, "choice": "next",
     "open": 1, "weight": 2, "changed": 1000, "cause": "it answers"},
    {"url": "tcp://b:1", "state": "down", "draining": True, "choice": "down",
     "open": 0, "weight": 1}]
STATUS = {
    "version": "1.0", "now": 9000, "started": 1000, "generation": 3,
    "ready": True, "draining": False, "sessions": 1, "max_sessions": 400,
    "process": {"descriptors": 9, "resident_bytes": 5 << 20},
    "counts": {"admitted": 5, "bytes_up": 7, "bytes_down": 8,
               "rejected": {"revoked": 2}},
    "apps": [{"id": name, "ready": True, "upstreams": UPSTREAMS}
             for name in ("plain", "secure")],
    "clients": [{"client": "alice", "app": "plain", "open": 1,
                 "concurrent": 2, "admitted": 3, "next_place_ms": 1500}],
    "clients_left_out": 4,
    "rejects": [{"at": 8000, "app": "plain", "peer": "1.2.3.4:5",
                 "client": "bob", "reason": "revoked",
                 "explanation": LONG}],
    "expiring": [{"key": "tls.certificate", "file": "a.pem", "line": 3,
                  "days_left": 9}]}
# Of a time to come: their age does not change.
SESSIONS = [{"id": f"0-{n}", "app": "plain", "client": "alice",
             "since": 1 << 40, "bytes_up": n} for n in range(40)]
CLIENT = {"open": 1, "admitted": 2, "next_place_ms": 0}
RELOAD = {"ok": False, "generation": 3, "duration_ms": 4, "log": [
    {"event": "error", "level": "error", "message": "it is wrong",
     "file": "a.toml", "line": 3, "column": 4},
    {"event": "reload", "level": "error"}], "log_omitted": 1}
ANSWERS = {"/status": STATUS, "/sessions": SESSIONS, "/client": CLIENT,
           "/reload": RELOAD, "/kill": {"killed": 2}, "/drain": None}


class Heart:
    """Answers until it is stopped."""

    def __init__(self, path):
        self.path = str(path)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            peer, _ = self._listener.accept()
            with peer:
                peer.settimeout(60)
                try:
                    if not self._answer(peer):
                        return
                except OSError:
                    pass

    @staticmethod
    def _answer(peer):
        """False: it is told to end."""
        asked = b""
        while b"\r\n\r\n" not in asked:
            data = peer.recv(65536)
            if not data:
                return asked != b"end"
            asked += data
        path = asked.split(b" ")[1].split(b"?")[0].decode()
        body = ANSWERS[path]
        text = b"" if body is None else json.dumps(body).encode() + b"\n"
        peer.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + text)
        return True

    def stop(self):
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(self.path)
            last.sendall(b"end")
        self._thread.join()
        self._listener.close()
