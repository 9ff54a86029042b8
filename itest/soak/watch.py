"""What is seen of the server during a soak, and whether it stays as it is."""

import collections
import csv
import json
import threading
import time

from harness import server as srv

MIB = 1 << 20
# What the cache of TLS sessions may take for each that it keeps [SRV-69].
KEPT_BYTES, KEPT_MOST = 6 * 1024, 4096
SLACK_BYTES, SLACK_SHARE = 2 * MIB, 0.02

COLUMNS = ["seconds", "rss", "descriptors", "threads", "cpu_seconds",
           "connections", "sessions", "rejects", "quiet"]

# How sessions of an application may end.
REASONS = {
    "echo": {"done", "client_reset", "client_truncated"},
    "secure": {"done", "client_reset", "client_truncated"},
    "tight": {"done", "client_reset", "client_truncated"},
    "brief": {"idle_timeout"},
    "flaky": {"done", "client_reset", "client_truncated", "upstream_reset",
              "no_upstream"},
}


class Soaked(srv.Lbproxyd):
    """A server whose log is counted, as it would be too long to keep."""

    def __init__(self, *args, **options):
        self.counts = collections.Counter()
        self.odd = []
        super().__init__(*args, **options)

    def _read_loop(self):
        for line in self.process.stderr:
            try:
                self._count(json.loads(line))
            except (ValueError, KeyError) as error:
                self.odd.append(f"{error!r} in the log line {line!r}")

    def _count(self, entry):
        event = entry["event"]
        self.counts[event] += 1
        if event == "session":
            self._count_session(entry)
        elif event == "reject":
            self.counts["rejects"] += entry.get("suppressed", 1)
            self.counts[f"reject {entry['reason']}"] += entry.get(
                "suppressed", 1)
        elif event == "error":
            self.counts["dropped"] += entry.get("dropped", 0)
            self.odd.append(f"an error: {entry}")
        elif event in ("ready", "drain", "stopped"):
            self.log.append(entry)

    def _count_session(self, entry):
        app, reason = entry["app"], entry["reason"]
        self.counts[f"{app} {reason}"] += 1
        self.counts["resumed"] += entry["resumed"]
        if reason == "done" and app in ("echo", "secure"):
            self.counts["bytes up"] += entry["bytes_up"]
            self.counts["bytes down"] += entry["bytes_down"]
        if reason not in REASONS[app] | {"drain_timeout"}:
            self.odd.append(f"a session's end: {entry}")

    def lines(self):
        """Connections that the log has told of."""
        return self.counts["session"] + self.counts["rejects"]

    def threads(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return int(next(line.split()[1] for line in f
                            if line.startswith("Threads:")))


class Sampler:
    """A row of COLUMNS every so often, in a thread of its own."""

    def __init__(self, server, totals, quiet, period_s):
        self.server = server
        self.totals = totals
        self.quiet = quiet
        self.period_s = period_s
        self.begun = time.monotonic()
        self.rows = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True)
        self._thread.start()

    def look(self):
        server = self.server
        return [round(time.monotonic() - self.begun, 2), server.rss(),
                server.open_files(), server.threads(), server.cpu_seconds(),
                self.totals["connections"], server.counts["session"],
                server.counts["rejects"], int(self.quiet.is_set())]

    def _loop(self):
        while not self._over.wait(self.period_s):
            try:
                self.rows.append(self.look())
            except (OSError, StopIteration):
                return

    def stop(self):
        self._over.set()
        self._thread.join()

    def save(self, path):
        with open(path, "w", encoding="ascii", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(COLUMNS)
            writer.writerows(self.rows)


class Pause:
    """What is left when nobody comes."""

    def __init__(self, seconds, server, connections):
        self.seconds = seconds
        self.rss = server.rss()
        self.descriptors = server.open_files()
        self.threads = server.threads()
        self.connections = connections
        self.lines = server.lines()
        self.kept = min(KEPT_MOST, server.counts["session"]
                        - server.counts["resumed"])

    def look_again(self, server):
        """Health checks come and go: the fewest are those that stay."""
        self.descriptors = min(self.descriptors, server.open_files())
        self.rss = min(self.rss, server.rss())


def judge(pauses, warm_s, memory=True):
    """What is not flat from the first pause after warm_s on."""
    wrong = []
    first = next((one for one in pauses if one.seconds >= warm_s), pauses[-1])
    for one in pauses:
        if one.descriptors != pauses[0].descriptors:
            wrong.append(f"{one.descriptors} descriptors at "
                         f"{one.seconds:.0f} s, {pauses[0].descriptors} at "
                         "the beginning")
        if one.threads != pauses[0].threads:
            wrong.append(f"{one.threads} threads at {one.seconds:.0f} s")
        if one.connections != one.lines:
            wrong.append(f"{one.connections} connections, {one.lines} of "
                         f"them in the log at {one.seconds:.0f} s")
        most = allowed(first, one)
        if memory and one.seconds > first.seconds and one.rss > most:
            wrong.append(
                f"{one.rss / MIB:.1f} MiB at {one.seconds:.0f} s, "
                f"{first.rss / MIB:.1f} at {first.seconds:.0f} s: more than "
                f"{most / MIB:.1f}")
    return wrong


def allowed(first, later):
    return (first.rss * (1 + SLACK_SHARE) + SLACK_BYTES
            + max(0, later.kept - first.kept) * KEPT_BYTES)
