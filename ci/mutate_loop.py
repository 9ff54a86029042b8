"""A pytest that stays: a plugin that runs the tests it is told to, as often as
it is told to, so that a mutant has no start-up and no certificates to wait
for.

Lines of JSON come from the descriptor in LBP_LOOP_IN: {"test": its id, "reach":
a file for mutate_reach.c, or null, "mutant": a number for mutate_fork.c, or
null}. One goes to LBP_LOOP_OUT for each:
{"failed": the error, or null, "seconds": how long it took}; the first, before
any of these, has the tests and the ids that each cites.
"""

import json
import os
import time

import pytest
from _pytest.runner import runtestprotocol


def ids_of(item):
    """The ids that a test cites."""
    return sorted({i for mark in item.iter_markers("spec") for i in mark.args})


def run(item, after):
    """Runs a test; the error, or None. after: another test, so that this one
    is torn down and what the session has is not."""
    failed = None
    for report in runtestprotocol(item, log=False, nextitem=after):
        if report.skipped:
            failed = failed or "skipped"
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            text = crash.message if crash else str(report.longrepr)
            failed = failed or f"{report.when}: {text}"
    return failed


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    """Takes orders until there are no more."""
    orders = os.fdopen(int(os.environ["LBP_LOOP_IN"]))
    answers = os.fdopen(int(os.environ["LBP_LOOP_OUT"]), "w")
    for file in (orders, answers):
        os.set_inheritable(file.fileno(), False)
    items = {item.nodeid: item for item in session.items}

    def answer(what):
        answers.write(json.dumps(what) + "\n")
        answers.flush()

    answer({name: ids_of(item) for name, item in items.items()})
    for line in orders:
        order = json.loads(line)
        item = items[order["test"]]
        others = [i for i in session.items if i.fspath != item.fspath]
        others += [i for i in session.items if i is not item]
        after = others[0] if others else None
        for name in ("reach", "mutant"):
            os.environ.pop(f"LBP_{name.upper()}", None)
            if order[name]:
                os.environ[f"LBP_{name.upper()}"] = str(order[name])
        began = time.monotonic()
        failed = run(item, after)
        answer({"failed": failed, "seconds": time.monotonic() - began})
    return True
