"""What SPEC.md says of each event of the log: its levels and its fields."""

import dataclasses

HEAD = ["ts", "level", "event"]


@dataclasses.dataclass(frozen=True)
class Event:
    """Fields that its lines have, may have, and may have at level debug."""

    levels: tuple
    fields: tuple = ()
    may: tuple = ()
    debug: tuple = ()


HEALTH = ("app", "upstream", "cause")
EVENTS = {
    "ready": Event(("info",), ("workers", "event_loop", "provider", "listen"),
                   ("listen_omitted",)),
    "session": Event(
        ("info",),
        ("app", "client", "serial", "peer", "tls", "resumed", "bytes_up",
         "bytes_down", "duration_ms", "reason"),
        ("upstream", "cause", "name"), ("worker",)),
    "reject": Event(("info",), ("app", "peer", "reason"),
                    ("client", "serial", "name"), ("worker", "detail")),
    "sum": Event(("info",), ("peer", "reason", "suppressed")),
    "upstream_down": Event(("warn",), HEALTH),
    "upstream_up": Event(("info",), HEALTH),
    "reload": Event(("info", "error"),
                    ("ok", "cause", "generation", "duration_ms"),
                    tuple(f"{kind}_{how}"
                          for kind in ("apps", "upstreams", "clients")
                          for how in ("added", "removed", "changed"))),
    "drain": Event(("info",), ("connections",)),
    "admin": Event(("info",), ("command", "uid"),
                   ("app", "upstream", "session", "client", "sessions")),
    "stopped": Event(("info",), ("cut",)),
    "error": Event(
        ("error", "warn"), ("message",),
        ("cause", "app", "listen", "file", "line", "column", "limit",
         "needed", "dropped")),
}


def event_of(line):
    """The name of a line's event here, where sums are one of their own."""
    return "sum" if "suppressed" in line else line["event"]


def check(line, is_debug):
    """[LOG-25], [LOG-26]: fails unless a line is as it should be."""
    assert list(line)[:3] == HEAD, line
    event = EVENTS[event_of(line)]
    assert line["level"] in event.levels, line
    found = set(line) - set(HEAD)
    omitted = found & {"fields_omitted"}
    missing = set(event.fields) - found
    assert not missing or omitted, f"{missing} are missing: {line}"
    may = {*event.fields, *event.may, *omitted,
           *(event.debug if is_debug else ())}
    assert found <= may, f"{found - may} are too many: {line}"
    if event_of(line) == "session":
        assert ("upstream" in line) != ("cause" in line), line
    assert "worker" in line or not is_debug or "worker" not in event.debug
