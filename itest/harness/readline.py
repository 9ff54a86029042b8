"""bash at a terminal, asked for its completions by keys."""

import os
import pathlib
import pty
import subprocess
import tempfile
import threading

from harness import server as srv
from harness.wait import SLOW, wait_for

# Alt-* inserts all completions; the key after it writes the line to a file.
RC = r"""
PS1= PROMPT_COMMAND=
bind 'set enable-bracketed-paste off'
bind 'set bell-style none'
bind '"\e*": insert-completions'
bind -x '"\C-xd": printf %%s "$READLINE_LINE" >%(out)s.new;
mv %(out)s.new %(out)s'
. %(file)s
"""


def completions(file, line, home, **environment):
    """What bash has in the place of the last word of a line, as text, once
    all its completions have been inserted; by the definitions of a file."""
    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory, "out")
        rc = pathlib.Path(directory, "rc")
        rc.write_text(RC % {"out": out, "file": file})
        ours, its = pty.openpty()
        shell = subprocess.Popen(
            [*srv.WITH_ITS_PARENT, "bash", "--noprofile", "--rcfile", rc,
             "-i"], stdin=its, stdout=its, stderr=its, cwd=home,
            env={**os.environ, "TERM": "dumb", "LC_ALL": "C.UTF-8",
                 "HISTFILE": "", **environment}, start_new_session=True)
        os.close(its)
        # What nobody reads would stop it.
        reader = threading.Thread(target=_drain, args=(ours,), daemon=True)
        reader.start()
        try:
            os.write(ours, line.encode() + b"\x1b*\x18d")
            wait_for(out.exists, f"bash completes {line!r}", 10 * SLOW)
            found = out.read_text(encoding="utf-8")
        finally:
            shell.kill()
            shell.wait()
            reader.join()
            os.close(ours)
    kept = line[:len(line) - len(line.split(" ")[-1])]
    assert found.startswith(kept), found
    return found[len(kept):].rstrip(" ")


def _drain(terminal):
    while True:
        try:
            if not os.read(terminal, 4096):
                return
        except OSError:
            return
