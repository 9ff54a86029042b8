"""What each call can fail with, and what of all that is tried."""

import dataclasses
import errno
import os

# Threads in the order of starting.
MAIN, RESOLVER, WORKERS, ACCEPTOR = 0, 1, (2, 3), 4
# Beyond errno: what getaddrinfo itself returns.
EAI = 1000
EAI_AGAIN, EAI_FAIL, EAI_MEMORY = EAI + 3, EAI + 4, EAI + 10
# No failure, but less than was asked for; or all of it, but later.
SHORT, LATE = 0, -1
TEXTS = {SHORT: "short", LATE: "late", EAI_AGAIN: "EAI_AGAIN", EAI_FAIL: "EAI_FAIL",
         EAI_MEMORY: "EAI_MEMORY"}
CAUSES = {EAI_AGAIN: "Temporary failure in name resolution",
          EAI_FAIL: "Non-recoverable failure in name resolution",
          EAI_MEMORY: "memory"}

DESCRIPTORS = ("EMFILE", "ENFILE")
MEMORY = ("ENOMEM", "ENOBUFS")
FILE = ("EIO", "EINTR")
ERRORS = {
    "alloc": ("ENOMEM",),
    "open": (*DESCRIPTORS, "EACCES", "EINTR"),
    "openat": (*DESCRIPTORS, "EACCES", "EINTR"),
    "fopen": ("EMFILE",),
    "opendir": ("EMFILE", "ENOENT"),
    "readdir": ("EIO",),
    "read": (*FILE, "EAGAIN", SHORT),
    "pread": (*FILE, SHORT),
    "write": (*FILE, "ENOSPC", "EPIPE", "EAGAIN", SHORT),
    "close": FILE,
    "fstat": ("EIO",),
    "fstatat": ("EIO",),
    "lseek": ("EIO",),
    "ftruncate": ("EIO",),
    "fcntl": ("EPERM",),
    "ioctl": ("EINVAL",),
    "isatty": ("ENOTTY",),
    "poll": ("EINTR",),
    "select": ("EINTR", "ENOMEM"),
    "epoll_create1": (*DESCRIPTORS, "ENOMEM"),
    "epoll_ctl": ("ENOMEM", "ENOSPC"),
    "epoll_wait": ("EINTR",),
    "eventfd": (*DESCRIPTORS, "ENOMEM"),
    "socket": (*DESCRIPTORS, *MEMORY, "EAFNOSUPPORT"),
    "bind": ("EADDRINUSE", "EADDRNOTAVAIL", "EACCES", "ENOMEM"),
    "listen": ("EADDRINUSE",),
    "accept4": (*DESCRIPTORS, *MEMORY, "ECONNABORTED", "EPERM", "EPROTO",
                "ENETDOWN", "EINTR", "EAGAIN"),
    "connect": ("EADDRNOTAVAIL", "EAGAIN", "EPERM", "ENOBUFS",
                "ECONNREFUSED", "ENETUNREACH", "ETIMEDOUT"),
    "getsockname": ("ENOBUFS",),
    "getpeername": ("ENOBUFS", "ENOTCONN"),
    "getsockopt": ("EACCES",),
    "setsockopt": ("ENOMEM", "EINVAL"),
    "recv": (*MEMORY, "EINTR", "EAGAIN", "ECONNRESET", "ETIMEDOUT", SHORT),
    "send": (*MEMORY, "EINTR", "EAGAIN", "ECONNRESET", "EPIPE", SHORT),
    "shutdown": ("ENOTCONN",),
    "getrandom": ("EINTR", "ENOSYS"),
    "getrlimit": ("EPERM",),
    "setrlimit": ("EPERM",),
    "sched_getaffinity": ("EPERM", "EINVAL"),
    "pthread_create": ("EAGAIN", "ENOMEM"),
    "chmod": ("EPERM",),
    "fchmod": ("EPERM",),
    "lstat": ("EIO",),
    "rename": ("ENOSPC",),
    "sendmsg": ("ENOBUFS",),
    "getaddrinfo": ("EMFILE", EAI_AGAIN, EAI_FAIL, EAI_MEMORY),
}
# What is tried again, so that nobody notices.
RETRIED = ("EINTR", SHORT)
# What a peer, or the network on the way to it, can have caused.
PEERS = ("ECONNRESET", "ETIMEDOUT", "EPIPE", "ECONNREFUSED", "ENETUNREACH",
         "ENOTCONN")

# What else the server calls that is no system call, cannot fail, or fails
# only for want of memory, which then is an allocation here.
HARMLESS = set("""abort bcmp calloc clock_gettime closedir dirfd
    eventfd_write explicit_bzero ferror fflush fprintf fputc free
    freeaddrinfo fwrite geteuid
    gai_strerror getopt_long getenv getpid getrusage glob globfree
    gmtime_r inet_ntop inet_pton malloc memchr memcmp memcpy memmove
    memset optarg opterr optind perror printf pthread_cond_broadcast
    pthread_cond_destroy pthread_cond_init pthread_cond_signal
    pthread_cond_timedwait pthread_cond_wait
    pthread_condattr_destroy pthread_condattr_init
    pthread_condattr_setclock pthread_detach pthread_join
    pthread_mutex_destroy pthread_mutex_init pthread_mutex_lock
    pthread_mutex_unlock pthread_sigmask puts qsort realloc
    setvbuf sigaction sigaddset sigemptyset sigfillset sigprocmask snprintf
    stderr stdout strchr strcmp strcspn strdup strerror strftime strlen
    strncmp strndup strpbrk strrchr strspn strstr strtod strtol strtoull
    sysconf time timegm unlink unsetenv vasprintf vfprintf vsnprintf""".split())


@dataclasses.dataclass(frozen=True)
class Fault:
    """The at-th call of its kind in the thread `role` fails."""

    phase: str
    role: int
    call: str
    at: int
    name: object
    stays: bool = False

    @property
    def error(self):
        """The number for the program."""
        return (getattr(errno, self.name) if isinstance(self.name, str)
                else self.name)

    @property
    def cause(self):
        """The words for it in messages."""
        return CAUSES.get(self.name) or os.strerror(self.error)

    def __str__(self):
        later = " and later" if self.stays else ""
        return (f"{self.phase}: thread {self.role}, {self.call} "
                f"{self.at}{later}: {TEXTS.get(self.name, self.name)}")


class Chooser:
    """Which faults to try of the calls of one phase after the other."""

    def __init__(self, step=None, once=False):
        """All of one call of each place in the program; with a step, of every
        call, but of every step-th allocation; or once: those of which there
        was none yet in the same function, in whichever phase and thread."""
        self.step = step
        self.once = once
        self.tried = set()

    def _is_new_error(self, phase, call, name):
        """The first error, and what has to be tried again, of each caller; of
        the place each error."""
        known = {(call.name, call.place, name)}
        if name in (ERRORS[call.name][0], "EAGAIN", "and later"):
            # Which of its calls it is may differ from run to run.
            part = phase.split()[:2] if call.name != "alloc" else ()
            known.add((call.name, call.near, name, *part))
        if known <= self.tried:
            return False
        self.tried |= known
        return True

    def faults_of(self, phase, calls):
        seen = set()
        found = []
        for call in calls:
            key = (call.role, call.name, call.site)
            is_new = key not in seen
            seen.add(key)
            is_due = self.step and (call.name != "alloc"
                                    or call.at % self.step == 0)
            if not is_new and not is_due:
                continue
            found += [Fault(phase, *call[:3], name)
                      for name in ERRORS[call.name]
                      if not self.once
                      or self._is_new_error(phase, call, name)]
            # The acceptor would try again for as long as it takes.
            if call.name == "alloc" and is_new and call.role != ACCEPTOR:
                if (not self.once
                        or self._is_new_error(phase, call, "and later")):
                    found.append(Fault(phase, *call[:3], "ENOMEM", True))
        return found
