"""What a server does by itself later on: it finds the address of a name
[SRV-114], and a file with other content [WAT-1]; one call of that fails."""

from harness.wait import wait_for
from phases import check, drain
from world import HANG_S

# It comes to rest in between.
WATCH = {"watch": "1s"}


def is_found(world):
    return bool(world.server.events("upstream_up"))


def run_named(world, loop, fault):
    """The name is found, now or when it is asked for again. True: it was met."""
    world.start_quiet(loop)
    world.control.recount()
    if fault:
        world.control.arm(fault)
    world.control.block.resolves = 1
    wait_for(lambda: world.control.block.fired or is_found(world),
             "its address", HANG_S)
    world.settle()
    fired = fault is not None and world.control.disarm()
    wait_for(lambda: is_found(world), "its address", HANG_S)
    check(world.has_closed_all(), f"{world.server.open_files()} open "
          f"descriptors, {world.files} before")
    drain(world)
    return fired


def change_list(world):
    """Whether the list is taken that has one more line."""
    count = len(world.server.events("reload"))
    with open(world.list, "a", encoding="ascii") as file:
        file.write("a line of no block\n")
    line = world.server.wait_event("reload", count + 1)
    world.settle()
    check(line["cause"] == "watch", f"{line}")
    return line["ok"]


def run_watched(world, loop, fault):
    """The list is taken, or the next one. True: the fault was met."""
    world.start_quiet(loop, more=WATCH)
    server = world.server
    world.control.recount()
    if fault:
        world.control.arm(fault)
    ok = change_list(world)
    fired = fault is not None and world.control.disarm()
    check(server.process.poll() is None, "the server has ended")
    if not ok:
        check(fired, "it is refused without a fault")
        check(server.events("error"), "it is refused without a word")
        check(change_list(world), "the next list is refused")
    seen = world.visit("plain")
    check(seen[0] == "served", f"then nobody is served: {seen}")
    drain(world)
    return fired
