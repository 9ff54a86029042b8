"""The admin port and the admin socket, whose requests and whose change by a
reload meet one fault at a time: [ADM-1], [CTL-7], [SRV-31], [RLD-4]."""

import contextlib
import http.client
import json
import signal
import socket

from harness import admin, control
from harness.ports import free_port
from harness.wait import wait_for
from phases import AHEAD_NS, check, drain
from world import HANG_S

SOCKET = "admin.sock"

# name -> (which of both is asked, the method, what for, the status)
REQUESTS = {
    "healthz": (admin, "GET", "/healthz", 200),
    "readyz": (admin, "GET", "/readyz", 200),
    "metrics": (admin, "GET", "/metrics", 200),
    "status": (admin, "GET", "/status?clients=9", 200),
    "page": (admin, "GET", "/", 200),
    "nothing": (admin, "GET", "/nothing", 404),
    "method": (admin, "POST", "/status", 405),
    "sessions": (control, "GET", "/sessions", 200),
    "client": (control, "GET", "/client?app=plain&client=alice", 200),
    "drain": (control, "POST", "/drain?app=secure&upstream=%s", 200),
    "resume": (control, "POST", "/resume?app=secure&upstream=%s", 200),
    "gone": (control, "POST", "/drain?app=gone&upstream=x", 404),
    "kill": (control, "POST", "/kill?client=bob", 200),
    "reload": (control, "POST", "/reload", 200),
}
TOO_LITTLE = (500, 503)


def section(world):
    """A [server] table with both; a server that is gone has left a socket."""
    with contextlib.suppress(OSError), socket.socket(
            socket.AF_UNIX) as left:
        left.bind(f"{world.dir}/{SOCKET}")
    return {"admin": f"127.0.0.1:{free_port()}", "admin_socket": SOCKET}


def start_quiet(world, loop):
    """A server with both, and with a session."""
    world.start(loop, more=section(world)).wait_ready()
    keep_session(world)
    for name in REQUESTS:
        check(is_whole(name, ask(world, name)), f"{name} is not answered")
    keep_session(world)
    world.settle(0.3)
    world.files = world.server.open_files()


def keep_session(world):
    """A session of alice's that is open, for all that can be asked of it."""
    with contextlib.suppress(OSError, AssertionError):
        if world.open:
            world.open.send(b"x")
            if world.open.recv_exactly(1) == b"x":
                return
    world.let_go()
    world.open = world.server.connect("alice", "plain")
    world.open.send(b"x")
    check(world.open.recv_exactly(1) == b"x", "its session is not served")


def ask(world, name):
    """The answer, or None if the connection ended before it was whole."""
    where, method, target, _ = REQUESTS[name]
    if "%s" in target:
        target = target % world.secure.url.replace(":", "%3A")
    try:
        return where.ask(world.server, target, method)
    except TimeoutError:
        check(False, f"{target} is not answered")
    except (http.client.HTTPException, OSError):
        return None


def is_whole(name, answer):
    """Whether it says all that it should."""
    if answer is None or answer.status != REQUESTS[name][3]:
        return False
    if answer.status != 200:
        return True
    kind = answer.headers.get("content-type", "")
    with contextlib.suppress(ValueError):
        if kind == "application/json":
            return json.loads(answer.text) is not None
        if name == "page":
            return answer.text.rstrip().endswith("</html>")
        return name in ("drain", "resume") or answer.text.endswith("\n")
    return False


def told(answer):
    return answer and (answer.status, answer.text[-200:])


def run(world, name, fault):
    """A request that meets the fault, then one that does not. True: it did."""
    keep_session(world)
    world.settle()
    world.control.recount()
    world.control.arm(fault)
    answer = ask(world, name)
    world.settle()
    fired = world.control.disarm()
    world.control.block.ahead_ns += AHEAD_NS
    check(world.server.process.poll() is None, "the server has ended")
    check(answer is None or answer.status in TOO_LITTLE
          or is_whole(name, answer), f"it answers {told(answer)}")
    check(fired or is_whole(name, answer), f"without a fault {told(answer)}")
    again = ask(world, name)
    check(is_whole(name, again), f"the next one gets {told(again)}")
    keep_session(world)
    check(world.has_closed_all(), f"{world.server.open_files()} open "
          f"descriptors, {world.files} before")
    return fired


# --- a reload that changes both ---------------------------------------------

def changed(world, host, path):
    """The same port by another name, and another socket."""
    tree = json.loads(json.dumps(world.server.tree, default=str))
    port = tree["server"]["admin"].rpartition(":")[2]
    tree["server"].update(admin=f"{host}:{port}", admin_socket=path)
    return tree


def reload_once(world, tree):
    """Whether it is in force."""
    server = world.server
    count = len(server.events("reload")) + 1
    world.control.block.resolves = 1
    server.rewrite(tree)
    server.signal(signal.SIGHUP)
    ok = server.wait_event("reload", count)["ok"]
    world.settle()
    if ok:
        server.tree = tree
        # There is one more to listen on.
        world.files += "both.test" in tree["server"]["admin"]
    return ok


def are_there(world):
    """Both are where the configuration in force has them."""
    check(is_whole("healthz", ask_port(world)), "the port is gone")
    check(is_whole("status", control.ask(world.server, "/status")),
          "the socket is gone")
    check(world.has_closed_all(), f"{world.server.open_files()} open "
          f"descriptors, {world.files} before")


def run_renewed(world, loop, fault):
    """True: the fault was met."""
    start_quiet(world, loop)
    server = world.server
    # Of the same address, but no name of this machine's own.
    check(reload_once(world, changed(world, "later.test", SOCKET)), "refused")
    are_there(world)
    # This one has another address, too.
    tree = changed(world, "both.test", "new.sock")
    world.control.recount()
    if fault:
        world.control.arm(fault)
    ok = reload_once(world, tree)
    fired = fault is not None and world.control.disarm()
    check(server.process.poll() is None, "the server has ended")
    are_there(world)
    if not ok:
        check(fired, "it is refused without a fault")
        check(server.events("error"), "it is refused without a word")
        check(reload_once(world, tree), "the next reload is refused")
        are_there(world)
    return fired


def ask_port(world):
    """By its number, whatever its name."""
    port = int(world.server.tree["server"]["admin"].rpartition(":")[2])
    one = http.client.HTTPConnection("127.0.0.1", port, timeout=HANG_S)
    with contextlib.closing(one):
        one.request("GET", "/healthz")
        return admin.Answer(one.getresponse())


# --- the start --------------------------------------------------------------

# The threads of port and socket, in the order of starting.
PORT, SOCKETS = 2, 3
STARTING = {"healthz": 200, "nothing": 404, "readyz": 503, "status": 503}


def run_late(world, loop, fault):
    """Whoever asks before all is there is told so. True: it was met."""
    world.start(loop, fault, more=section(world))
    wait_for(lambda: world.control.block.fired, "the thread", HANG_S)
    for name, status in STARTING.items():
        check(ask(world, name).status == status, f"{name} is not {status}")
    if fault.at == SOCKETS:
        for name in ("sessions", "drain", "reload"):
            check(ask(world, name).status == 503, f"{name} is done too early")
    fired = world.control.disarm()
    world.server.wait_ready()
    answers(world)
    drain(world)
    return fired



def answers(world):
    """Whether both answer, as they must when it has opened."""
    for name in ("healthz", "sessions"):
        answer = ask(world, name)
        check(is_whole(name, answer), f"then {name} gets {told(answer)}")
