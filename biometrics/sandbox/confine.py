"""Takes away from a process of Linux what it does not need, for good.

It decides no limits. What the kernel does not grant is said, not hidden: see `Confinement`.
"""

import ctypes
import os
import platform
import resource
import signal
import struct
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

_NICE: Final = 5
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_MODE_FILTER: Final = 2
_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_CLONE_NEWIPC: Final = 0x08000000

_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""AUDIT_ARCH_* of linux/audit.h."""
_CALLS: Final[dict[str, dict[str, int]]] = {
    "x86_64": {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9,
        "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14,
        "rt_sigreturn": 15, "writev": 20, "sched_yield": 24, "mremap": 25, "madvise": 28,
        "nanosleep": 35, "getpid": 39, "sendto": 44, "recvfrom": 45, "exit": 60,
        "gettimeofday": 96, "getrusage": 98, "sigaltstack": 131, "gettid": 186, "futex": 202,
        "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228,
        "clock_nanosleep": 230, "exit_group": 231, "getrandom": 318,
    },
    "aarch64": {
        "close": 57, "lseek": 62, "read": 63, "write": 64, "writev": 66, "ppoll": 73,
        "fstat": 80, "exit": 93, "exit_group": 94, "futex": 98, "nanosleep": 101,
        "clock_gettime": 113, "clock_nanosleep": 115, "sched_getaffinity": 123,
        "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134,
        "rt_sigprocmask": 135, "rt_sigreturn": 139, "getrusage": 165, "gettimeofday": 169,
        "getpid": 172, "gettid": 178, "sendto": 206, "recvfrom": 207, "brk": 214, "munmap": 215,
        "mremap": 216, "mmap": 222, "mprotect": 226, "madvise": 233, "getrandom": 278,
    },
}  # fmt: skip
"""What computing on memory and talking over an open socket take; numbers of asm/unistd.h."""

_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_KILL, _REFUSE, _ALLOW = 0x80000000, 0x00050000 | 1, 0x7FFF0000
"""SECCOMP_RET_KILL_PROCESS, RET_ERRNO with EPERM, RET_ALLOW (linux/seccomp.h)."""
_STEP: Final = struct.Struct("=HBBI")
"""struct sock_filter of linux/filter.h."""
_NUMBER_AT, _ARCHITECTURE_AT = 0, 4
"""Offsets in struct seccomp_data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """What the kernel granted.

    Attributes:
        namespaces: user, network and IPC namespaces of its own: there is no network in them.
        calls: only the listed system calls work: no files, no sockets, no other processes.
    """

    namespaces: bool
    calls: bool

    def as_json(self) -> dict[str, bool]:
        """Return it as JSON."""
        return asdict(self)


def stand_back() -> None:
    """Let everything else run first, and be the first to go where the machine is out of memory."""
    os.nice(_NICE)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def withdraw() -> bool:
    """Move this process, which has one thread, into namespaces of its own; return if it worked."""
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC) == 0)


def end_with_parent(parent: int) -> None:
    """Die when the thread that forked this process dies; at once if `parent` is gone already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def limit(*, memory: int, cpu_seconds: float, files: int) -> None:
    """Set the limits of this process: soft and hard, they cannot be raised again.

    Args:
        memory: bytes of address space beyond what is mapped now.
        cpu_seconds: of processor time; a whole second later the kernel ends it without mercy.
        files: descriptors.
    """
    mapped = _mapped() + memory
    whole = int(cpu_seconds) + 1
    for what, most in (
        (resource.RLIMIT_AS, mapped),
        (resource.RLIMIT_CPU, whole),
        (resource.RLIMIT_NOFILE, files),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        resource.setrlimit(what, (most, most))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)


def forbid_calls() -> bool:
    """Let every system call fail but those that computing takes; return whether it worked."""
    machine = platform.machine()
    _prctl(_PR_SET_DUMPABLE, 0)
    if not _prctl(_PR_SET_NO_NEW_PRIVS, 1) or machine not in _CALLS:
        return False
    program = _program(machine)
    steps = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // _STEP.size, ctypes.addressof(steps))
    filtering = ctypes.create_string_buffer(head, len(head))
    return _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(filtering))


def _prctl(option: int, first: int = 0, second: int = 0) -> bool:
    call = ctypes.CDLL(None, use_errno=True).prctl
    call.argtypes = [ctypes.c_int, *(ctypes.c_ulong,) * 4]
    return bool(call(option, first, second, 0, 0) == 0)


def _program(machine: str) -> bytes:
    """Return the filter in classic BPF."""

    def step(code: int, value: int, then: int = 0, otherwise: int = 0) -> bytes:
        return _STEP.pack(code, then, otherwise, value)

    steps = [
        step(_LOAD, _ARCHITECTURE_AT),
        step(_EQUAL, _ARCHITECTURES[machine], then=1),
        step(_RETURN, _KILL),
        step(_LOAD, _NUMBER_AT),
    ]
    for number in sorted(_CALLS[machine].values()):
        steps += [step(_EQUAL, number, otherwise=1), step(_RETURN, _ALLOW)]
    return b"".join([*steps, step(_RETURN, _REFUSE)])


def _mapped() -> int:
    """Return the bytes of address space in use."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
    return int(pages) * resource.getpagesize()
