"""One fault at a time in each part of the server's life, and what it may
come to."""

import signal
import time

from harness.wait import POLL
from plan import ACCEPTOR, PEERS, RETRIED, WORKERS
from world import HANG_S

# A visit that takes longer waited for something that never came.
SLOW_S = 15.0
# The processor time of two visits, with their sanitizers.
CPU_S = 2.0
# As long must pass until the same cause is logged anew [SRV-142].
AHEAD_NS = 3_000_000_000
DAY_NS = 25 * 3600 * 1_000_000_000
# Whose failure nobody need notice, unless the peer caused it.
QUIET = ("close", "setsockopt", "ioctl", "getsockname", "getpeername", "write",
         "poll", "select", "epoll_wait", "shutdown", "read", "isatty", "lseek",
         "ftruncate", "fcntl")
# What a line of the log may be lost to.
OF_LOG = ("write", "poll")
# Accept goes on at once; nothing was lost.
OF_ONE_CONNECTION = ("ECONNABORTED", "EPERM", "EPROTO", "ENETDOWN", "EINTR",
                     "EAGAIN")
REASONS_OF_PEERS = ("client_reset", "upstream_reset", "handshake_failed",
                    "no_upstream", "upstream_truncated", "client_truncated")


class Wrong(Exception):
    """What should not be."""


def check(condition, what):
    if not condition:
        raise Wrong(what)


def errors_with(lines, fault):
    """The error lines with the cause of the fault."""
    return [line for line in lines
            if line["event"] == "error" and line.get("cause") == fault.cause]


def drain(world):
    world.server.signal(signal.SIGTERM)
    status = world.wait_exit()
    check(status == 0, f"the drain ended with status {status}")


# --- the start --------------------------------------------------------------

def wait_start(world):
    """Until it is open and at rest, or has ended."""
    end = time.monotonic() + HANG_S
    while not world.is_open() and world.server.process.poll() is None:
        check(time.monotonic() < end, "neither open nor ended")
        time.sleep(POLL)
    world.settle()


def judge_exit(world, fault):
    status = world.wait_exit()
    text = world.server.log_text()
    check(status in (1, 2), f"it ended with status {status}")
    check("error" in text, "it ended without a word")
    # The C library takes a name that it has no memory for as unknown.
    words = (["memory", "service not known"] if fault.call == "alloc"
             else [fault.cause])
    # Whatever the reason why there is no thread.
    if ("cannot start a thread" in text or "cannot open the admin" in text
            or "cannot resolve names in the background" in text):
        words.append("temporarily unavailable")
    # The queue of whoever listens at the socket's path is full.
    if (fault.call, fault.name) == ("connect", "EAGAIN"):
        words.append("another server answers there")
    check(any(word in text for word in words), f"it does not say {words}")


def has_ended(world):
    """Whether it ends by itself, having been open for a moment. If it has said
    why, it may take its time, for its sanitizers."""
    says_why = [line for line in world.server.events("error")
                if line["level"] == "error"]
    try:
        world.server.process.wait(HANG_S if says_why else 0.3)
    except TimeoutError:
        return False
    except Exception:  # pylint: disable=broad-except
        return False
    return True


def run_start(world, loop, fault, more=None, also=None):
    """With more in [server], of which also(world) sees to it that it is there
    too. True: the fault was met."""
    world.start(loop, fault, more=more)
    wait_start(world)
    fired = world.control.disarm()
    for app in ("plain", "secure"):
        if world.server.process.poll() is not None:
            break
        seen = world.visit(app)
        if seen[0] != "served" and has_ended(world):
            break
        check(seen[0] == "served", f"then {app} is not served: {seen}")
    if world.server.process.poll() is not None:
        judge_exit(world, fault)
        return fired
    if also:
        also(world)
    if fired and fault.call == "setrlimit":
        check([line for line in world.server.events("error")
               if "needed" in line], "it does not say that the limit is low")
    drain(world)
    return fired


# --- one connection ---------------------------------------------------------

def is_retried(fault):
    return fault.name in RETRIED or (
        fault.name == "EAGAIN" and fault.call in ("recv", "send", "read"))


def judge_line(fault, seen, line):
    reason = line["reason"]
    if seen[0] == "served":
        check(reason == "done", f"served, and its reason is {reason}")
    elif fault.name in PEERS:
        check(reason in REASONS_OF_PEERS, f"its reason is {reason}")
    else:
        check(reason == "internal", f"its reason is {reason}")


def needs_error(fault, seen):
    """Whether it must be logged as a failure of the server's own."""
    if fault.name in PEERS or fault.call in QUIET or is_retried(fault):
        return False
    if fault.call == "accept4":
        return fault.name not in OF_ONE_CONNECTION
    return seen[0] != "served"


def judge_visit(fault, seen, lines, about):
    check(seen[0] != "silent", "it hangs")
    # A PROXY header says what the kernel tells of the client's connection.
    is_told = fault.call == "getsockname" and errors_with(lines, fault)
    if is_retried(fault) or (fault.call in QUIET and fault.name not in PEERS):
        check(seen[0] == "served" or is_told, "it is not served")
    if about:
        judge_line(fault, seen, about[0])
    if needs_error(fault, seen):
        check(errors_with(lines, fault), "no error line with its cause")


def judge_refused(_fault, seen, _lines, _about):
    check(seen[0] == "ended", "whom to refuse is not refused")


def judge(world, kind, fault, before):
    """What a visit came to that met the fault, and what was before it."""
    app, who, version = kind
    server = world.server
    seen, begin, cpu = before
    check(server.process.poll() is None, "the server has ended")
    second = world.visit(app, "bob", version)
    check(second[0] == "served", f"the next one is not served: {second}")
    world.bobs += 1
    server.wait_event("session", client="bob", count=world.bobs)
    lines = [line for line in server.log[begin:]
             if line.get("client") != "bob"]
    about = [line for line in lines if line["event"] in ("session", "reject")]
    check(len(about) <= 1, f"{len(about)} lines about it")
    check(about or errors_with(lines, fault) or (
        fault.call in OF_LOG and any("dropped" in line for line in lines)),
        "no line about it")
    (judge_refused if who == "revoked" else judge_visit)(
        fault, seen, lines, about)
    check(world.has_closed_all(), f"{server.open_files()} open descriptors, "
          f"{world.files} before")
    spent = server.cpu_seconds() - cpu
    check(spent < CPU_S, f"{spent:.1f} s of processor time")


def run_visit(world, kind, fault):
    """A visit that meets the fault, then one that does not. True: it did."""
    server, control = world.server, world.control
    begin, cpu, start = (len(server.log), server.cpu_seconds(),
                         time.monotonic())
    control.recount()
    control.arm(fault)
    seen = world.visit(*kind)
    took = time.monotonic() - start
    world.settle()
    fired = control.disarm()
    control.block.ahead_ns += AHEAD_NS
    try:
        if fired:
            judge(world, kind, fault, (seen, begin, cpu))
            check(took < SLOW_S, f"it took {took:.1f} s")
        elif kind[1] != "revoked":
            check(seen[0] == "served", "it is not served without a fault")
    except Wrong as wrong:
        lines = "\n".join(map(str, server.log[begin:]))
        raise Wrong(f"{wrong}; {seen}\n{lines}") from None
    return fired


def run_first(world, loop, kind, fault):
    """The first visit of all, for which OpenSSL allocates the most."""
    world.start_quiet(loop)
    fired = run_visit(world, kind, fault)
    drain(world)
    return fired


# --- checks and names -------------------------------------------------------

def run_checks(world, fault):
    """Checks go on and fail nobody; a name is found. True: it was met."""
    server, control = world.server, world.control
    begin = len(server.log)
    counts = [upstream.accepted for upstream in world.upstreams]
    control.recount()
    control.arm(fault)
    world.wait_checks(counts, 2)
    fired = control.disarm()
    control.block.ahead_ns += AHEAD_NS
    world.wait_checks([upstream.accepted for upstream in world.upstreams], 2)
    check(server.process.poll() is None, "the server has ended")
    lines = server.log[begin:]
    check(not [line for line in lines if line["event"] == "upstream_down"],
          f"an upstream is down: {lines}")
    check(world.has_closed_all(), f"{server.open_files()} open descriptors")
    return fired


# --- a day later ---

def run_day(world):
    """What is amiss is said once a day [SRV-80]."""
    server, control = world.server, world.control
    known = len([line for line in server.events("error") if "column" in line])
    check(known > 0, "nothing is amiss")
    control.block.ahead_ns += DAY_NS
    # It looks at the clock when it is woken.
    server.signal(signal.SIGHUP)
    server.wait_event("reload")
    end = time.monotonic() + HANG_S
    while len([line for line in server.events("error")
               if "column" in line]) < 3 * known:
        check(time.monotonic() < end, "it is not said again")
        time.sleep(POLL)


# --- signals and the end ----------------------------------------------------

def run_drain(world, loop, fault):
    """SIGHUP, SIGTERM amid a session, its end. True: the fault was met."""
    server = world.start_quiet(loop, resolves=True)
    control = world.control
    with server.connect("alice", "plain") as peer:
        peer.send(b"before")
        check(peer.recv_exactly(6) == b"before", "not served")
        world.settle()
        control.recount()
        if fault:
            control.arm(fault)
        # A name that is gone keeps its addresses.
        control.block.resolves = 0
        server.signal(signal.SIGHUP)
        world.settle()
        server.signal(signal.SIGTERM)
        world.settle()
        peer.finish()
        rest = peer.read_to_end()
    status = world.wait_exit()
    fired = fault is not None and control.disarm()
    check(status == 0, f"it ended with status {status}")
    if not fired or fault.role not in WORKERS or is_retried(fault):
        check(rest == b"last words" and peer.ending == "clean",
              f"its session: {rest}, {peer.ending}")
    if not fired or fault.call not in OF_LOG:
        for event in ("drain", "session", "stopped"):
            check(len(server.events(event)) == 1, f"not one line {event}")
    return fired


assert ACCEPTOR not in WORKERS
