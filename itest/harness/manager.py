"""A stand-in for the service manager: systemd's side of sd_notify(3)."""

import fcntl
import os
import pathlib
import socket
import tempfile
import threading

from harness.wait import wait_for


class Message:
    """What one datagram says, and the descriptors that came with it."""

    def __init__(self, data, fds):
        lines = data.decode("ascii").split("\n")
        self.fields = dict(line.split("=", 1) for line in lines)
        assert len(self.fields) == len(lines), f"a key twice: {lines}"
        self.fds = fds


class Manager:
    """Takes what servers tell it at its socket, and keeps the descriptors
    that are put into its store, as systemd does: by name."""

    def __init__(self, abstract=False):
        # The path of a socket must be short.
        self._directory = tempfile.TemporaryDirectory(prefix="manager")
        path = str(pathlib.Path(self._directory.name, "notify"))
        self.name = f"@{path}" if abstract else path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{path}" if abstract else path)
        self.messages = []
        self.store = []  # names and descriptors
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            data, fds, _, _ = socket.recv_fds(self._socket, 4096, 253)
            if not data:
                return
            message = Message(data, fds)
            self._keep(message)
            self.messages.append(message)

    def _keep(self, message):
        name = message.fields.get("FDNAME")
        if "FDSTORE" in message.fields:
            self.store += [(name, fd) for fd in message.fds]
        if "FDSTOREREMOVE" in message.fields:
            for _, fd in [entry for entry in self.store if entry[0] == name]:
                os.close(fd)
            self.store = [entry for entry in self.store if entry[0] != name]

    def passing(self, more=(), pid=None):
        """For inherit: passes what is stored, and more (names and
        descriptors)."""
        passed = [*self.store, *more]

        def inherit():
            os.environ.update(self.environment(
                LISTEN_PID=str(pid or os.getpid()),
                LISTEN_FDS=str(len(passed)),
                LISTEN_FDNAMES=":".join(name for name, _ in passed)))
            # None may be overwritten before it is in its place.
            high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 500)
                    for _, fd in passed]
            for place, fd in enumerate(high, 3):
                os.dup2(fd, place)
        return inherit

    def stop(self):
        if self._thread.is_alive():
            path = self.name.replace("@", "\0", 1)
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
                one.sendto(b"", path)
            self._thread.join()
        for _, fd in self.store:
            os.close(fd)
        self._socket.close()
        self._directory.cleanup()

    def said(self, key):
        """The values of a key, in the order of the messages."""
        return [message.fields[key] for message in list(self.messages)
                if key in message.fields]

    def states(self):
        """The changes of state, in their order."""
        names = {"READY", "RELOADING", "STOPPING"}
        return [name for message in list(self.messages)
                for name in message.fields if name in names]

    def wait_states(self, *states):
        wait_for(lambda: len(self.states()) >= len(states),
                 f"the states {states}")
        assert self.states() == list(states)

    def wait_said(self, key, value):
        wait_for(lambda: value in self.said(key)[-1:],
                 f"{key}={value}")

    def environment(self, **more):
        return {"NOTIFY_SOCKET": self.name, **more}
