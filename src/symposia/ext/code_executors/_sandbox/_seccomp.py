"""The seccomp filter of every sandbox, as a classic BPF program. Pure.

An allow-list (`_syscalls`), with a closer look at some calls:

- `socket` makes local sockets only. Vsock and netlink are in no network namespace, or lead to the kernel. Internet
  sockets lead nowhere without a network, and the buffers of UDP sockets on loopback are memory that version 1 of the
  control groups does not count.
- Where the sandbox has a network, `socket` makes TCP sockets too, of IPv4, whose only peer there is the relay on
  loopback (`_inside._relay`). They have no options but those that programs need: others lead to parts of the kernel
  that are seldom used, such as TLS inside it.
- `clone` makes no namespaces, and `ioctl` does not type into a terminal.
- `fcntl` takes no leases and watches no folders, both of which reach the programs of the host that use a mounted file,
  and makes no pipe larger: pipes are memory that is counted for the user, not for the sandbox.
- `prctl` does not make a process unreadable, as the server adds up memory where no control group does. For the same
  reason `setsockopt` does not enlarge the buffers of a socket.
- Where variables live on, all processes are stopped between two blocks, and none may have the kernel continue it: there
  are no timers with a signal of choice, nor such a signal for input and output that is ready (SIGCONT, in both). Nor
  are there terminals, whose loss continues the process that has one: the other end may be on its way through a socket
  that nothing refers to, and is then closed when a socket of any program on the machine is. A new one stays locked.
- A process changes limits and priorities of itself only, not of the server, which has the same user id.
- `clone3` hides its flags in memory where no filter can look, so it answers ENOSYS, upon which the C library uses
  `clone`.

The rest answers EPERM, and a foreign instruction set ends the process. Locks on files (`flock`, and `fcntl` with a
pointer to the range) are allowed, since SQLite and others need them in the work folder: what keeps them away from
files of the host is that mounted data is not the host's own inode (`_mounts`).

What a filter cannot do is look behind a pointer (seccomp(2)): it sees numbers, not the paths of `open` or the address
of `connect`. These are the business of mounts and of the network namespace. Nor can it be changed once it is on.

The program is assembled here rather than by libseccomp, which is a C library to install and to call from each Python,
and rather than from Docker's JSON profiles, which only Docker reads. The same bytes serve every backend.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from symposia.ext.code_executors._sandbox._syscalls import ALLOWED, CLONE3, NEWEST_KNOWN

_AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ALIASES = {"amd64": "x86_64", "arm64": "aarch64"}

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06
_JUMP_IF_EQUAL, _JUMP_IF_GREATER, _JUMP_IF_AT_LEAST, _JUMP_IF_ANY_BIT = 0x15, 0x25, 0x35, 0x45
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_ALLOW, _KILL_PROCESS, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000

# Linux's numbers: the host that builds the filter for a container may be another system, where they differ.
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97
_AF_UNIX, _AF_INET = 1, 2
_SOCKET_KINDS, _SOCK_STREAM = 0xF, 1  # the other bits are flags
_TCP_PROTOCOLS = (0, 6)
_SOL_TCP = 6
_TCP_OPTIONS = (1, 4, 5, 6, 12, 18)  # TCP_NODELAY, the three of keep-alive, TCP_QUICKACK, TCP_USER_TIMEOUT
_CLONE_NEW_ANYTHING = 0x7E020080  # every CLONE_NEW* flag
_ONLY_ON_ITSELF = {
    "prlimit64": (0,),
    "sched_setparam": (0,),
    "sched_setscheduler": (0,),
    "setpriority": (0, 1),  # PRIO_PROCESS, and the caller
}
_TERMINAL_INPUT = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_TIOCSPTLCK = 0x40045431  # on x86_64 and aarch64
_OF_OTHERS_OR_LARGE = (1024, 1026, 1031)  # F_SETLEASE, F_NOTIFY, F_SETPIPE_SZ
_F_SETSIG = 10
_PR_SET_DUMPABLE, _DUMPABLE = 4, 1
_SOL_SOCKET = 1
_SEND_BUFFER_SIZES = (7, 32)  # SO_SNDBUF, SO_SNDBUFFORCE


class Instruction(NamedTuple):
    """One instruction; the jumps count instructions to skip."""

    code: int
    if_true: int
    if_false: int
    value: int

    def pack(self) -> bytes:
        """As ``struct sock_filter``."""
        return struct.pack("=HBBI", *self)


def seccomp_program(machine: str, *, tcp: bool = False, stateful: bool = False) -> bytes:
    """The filter for a machine, as `platform.machine` or Docker names it.

    Args:
        machine: The machine.
        tcp: Whether code may make TCP sockets, for the relay.
        stateful: Whether processes of a block live on, stopped, until the next.

    Raises:
        ValueError: There is no table of system calls for such a machine.
    """
    machine = _ALIASES.get(machine, machine)
    if machine not in ALLOWED:
        raise ValueError(f"There is no seccomp filter for {machine} machines, only for {' and '.join(ALLOWED)}.")
    return b"".join(instruction.pack() for instruction in _assemble(machine, tcp=tcp, stateful=stateful))


def _assemble(machine: str, *, tcp: bool, stateful: bool) -> list[Instruction]:
    allowed = dict(ALLOWED[machine])
    commands, of_terminals = _OF_OTHERS_OR_LARGE, _TERMINAL_INPUT
    if stateful:
        del allowed["timer_create"]
        commands += (_F_SETSIG,)
        of_terminals += (_TIOCSPTLCK,)
    looked_at = {
        allowed.pop("socket"): _sockets(tcp=tcp),
        allowed.pop("clone"): _any_bit(0, _CLONE_NEW_ANYTHING, _fail(_EPERM), otherwise=_ALLOW),
        allowed.pop("ioctl"): _one_of(1, of_terminals, _fail(_EPERM), otherwise=_ALLOW),
        allowed.pop("fcntl"): _one_of(1, commands, _fail(_EPERM), otherwise=_ALLOW),
        allowed.pop("prctl"): [
            *_unless(0, _PR_SET_DUMPABLE, _ALLOW),
            *_one_of(1, (_DUMPABLE,), _ALLOW, otherwise=_fail(_EPERM)),
        ],
        allowed.pop("setsockopt"): [
            *(_tcp_options() if tcp else _unless(1, _SOL_SOCKET, _ALLOW)),
            *_one_of(2, _SEND_BUFFER_SIZES, _fail(_EPERM), otherwise=_ALLOW),
        ],
        CLONE3: [_return(_fail(_ENOSYS))],
        **{allowed.pop(name): _zero(arguments, _fail(_EPERM)) for name, arguments in _ONLY_ON_ITSELF.items()},
    }
    # First the instruction set, as numbers mean nothing without it: 32-bit code reaches the kernel of x86_64 with other
    # numbers for the same calls. The x32 calls of x86_64 have numbers above all others, and end as unknown ones.
    program = [
        _load(_ARCHITECTURE),
        Instruction(_JUMP_IF_EQUAL, 1, 0, _AUDIT_ARCHITECTURE[machine]),
        _return(_KILL_PROCESS),
        _load(_NUMBER),
        # ENOSYS, as from an old kernel: C libraries then use the older call, while EPERM would be an error to them.
        Instruction(_JUMP_IF_GREATER, 0, 1, NEWEST_KNOWN),
        _return(_fail(_ENOSYS)),
    ]
    for number, look in looked_at.items():
        program += [Instruction(_JUMP_IF_EQUAL, 0, len(look), number), *look]
    # Ranges, to stay below the 4,096 instructions that the kernel takes, and cheap, since they run at every call. A
    # jump skips 255 instructions at most, so each range returns by itself. In order: a number below a range is in none.
    for first, last in _ranges(sorted(allowed.values())):
        program += [
            Instruction(_JUMP_IF_AT_LEAST, 1, 0, first),
            _return(_fail(_EPERM)),
            Instruction(_JUMP_IF_GREATER, 1, 0, last),
            _return(_ALLOW),
        ]
    return [*program, _return(_fail(_EPERM))]


def _sockets(*, tcp: bool) -> list[Instruction]:
    refuse = _return(_fail(_EAFNOSUPPORT))
    if not tcp:
        return [*_unless(0, _AF_UNIX, _fail(_EAFNOSUPPORT)), _return(_ALLOW)]
    return [
        _load_argument(0),
        Instruction(_JUMP_IF_EQUAL, 0, 1, _AF_UNIX),
        _return(_ALLOW),
        Instruction(_JUMP_IF_EQUAL, 1, 0, _AF_INET),
        refuse,
        _load_argument(1),
        Instruction(_AND, 0, 0, _SOCKET_KINDS),
        Instruction(_JUMP_IF_EQUAL, 1, 0, _SOCK_STREAM),
        refuse,
        *_one_of(2, _TCP_PROTOCOLS, _ALLOW, otherwise=_fail(_EAFNOSUPPORT)),
    ]


def _tcp_options() -> list[Instruction]:
    """Decide on the options of all levels but that of every socket."""
    of_tcp = _one_of(2, _TCP_OPTIONS, _ALLOW, otherwise=_fail(_EPERM))
    return [
        _load_argument(1),
        Instruction(_JUMP_IF_EQUAL, len(of_tcp) + 2, 0, _SOL_SOCKET),
        Instruction(_JUMP_IF_EQUAL, 1, 0, _SOL_TCP),
        _return(_fail(_EPERM)),
        *of_tcp,
    ]


def _one_of(argument: int, values: Sequence[int], action: int, *, otherwise: int) -> list[Instruction]:
    tests = [Instruction(_JUMP_IF_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
    return [_load_argument(argument), *tests, _return(otherwise), _return(action)]


def _unless(argument: int, value: int, action: int) -> list[Instruction]:
    return [_load_argument(argument), Instruction(_JUMP_IF_EQUAL, 1, 0, value), _return(action)]


def _any_bit(argument: int, bits: int, action: int, *, otherwise: int) -> list[Instruction]:
    return [_load_argument(argument), Instruction(_JUMP_IF_ANY_BIT, 1, 0, bits), _return(otherwise), _return(action)]


def _zero(arguments: Sequence[int], action: int) -> list[Instruction]:
    return [*(instruction for index in arguments for instruction in _unless(index, 0, action)), _return(_ALLOW)]


def _ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Runs of consecutive numbers, as their first and last."""
    runs = groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    return [(members[0], members[-1]) for members in ([number for _, number in run] for _, run in runs)]


def _load(offset: int) -> Instruction:
    return Instruction(_LOAD, 0, 0, offset)


def _load_argument(index: int) -> Instruction:
    """Load the lower half of an argument, on a little-endian machine. These calls ignore the upper half."""
    return _load(_ARGUMENTS + 8 * index)


def _return(action: int) -> Instruction:
    return Instruction(_RETURN, 0, 0, action)


def _fail(number: int) -> int:
    return _FAIL | number
