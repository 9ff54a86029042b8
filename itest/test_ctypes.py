"""The library from another language: its decisions, through ctypes."""

import subprocess
import sys

import pytest

from harness.certs import ROOT


@pytest.mark.spec("BAL-1", "ACL-2", "ACL-3", "LIM-1", "SES-32")
def test_python_gets_the_decisions_of_the_library():
    """One of three places too few, no grant, nobody; weights 1 and 2."""
    done = subprocess.run(
        [sys.executable, ROOT / "lib/example/decide.py",
         ROOT / "build/liblbproxy.so"],
        capture_output=True, text=True, timeout=20, check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "alice one",
        "alice two",
        "alice two",
        "alice concurrent_limit",
        "bob not_allowed",
        "eve unknown_client",
    ]
