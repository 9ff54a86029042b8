"""Waiting for a condition with a bound; no test sleeps a fixed time."""

import os
import time

# Sanitizer builds are slower; every bound is stretched by this factor.
SLOW = float(os.environ.get("ITEST_SLOW", "1"))
BOUND = 5.0 * SLOW
POLL = 0.004


def wait_for(condition, what, timeout=BOUND):
    """Returns condition()'s first true value; fails after timeout seconds."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise AssertionError(f"not within {timeout:.1f} s: {what}")
        time.sleep(POLL)


def holds_for(condition, what, seconds):
    """Fails as soon as condition() is false within the given time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not condition():
            raise AssertionError(f"did not hold for {seconds} s: {what}")
        time.sleep(POLL)
