"""The filter, run by a small machine for classic BPF."""

import errno
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symposia.ext.code_executors._sandbox._seccomp import seccomp_program
from symposia.ext.code_executors._sandbox._syscalls import ALLOWED

ALLOW, KILL = 0x7FFF0000, 0x80000000
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
MACHINES = sorted(ALLOWED)
LIMITS = {"prlimit64"} | {name for name in ALLOWED["x86_64"] if name.startswith("sched_set")}
LOOKED_AT = {"socket", "clone", "ioctl", "fcntl", "prctl", "setsockopt", "setpriority"} | LIMITS
words = st.integers(min_value=0, max_value=2**64 - 1)


def run(
    machine: str,
    number: int,
    *arguments: int,
    architecture: int | None = None,
    tcp: bool = False,
    stateful: bool = False,
) -> int:
    """What the kernel does with a system call: the action, and the error number in its lower half."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number, architecture or ARCHITECTURES[machine], 0, *padded)
    program = list(struct.iter_unpack("=HBBI", seccomp_program(machine, tcp=tcp, stateful=stateful)))
    accumulator = 0
    position = 0
    while True:
        code, if_true, if_false, value = program[position]
        position += 1
        if code == 0x06:
            return value
        if code == 0x20:
            [accumulator] = struct.unpack_from("<I", data, value)
            continue
        if code == 0x54:
            accumulator &= value
            continue
        holds = {0x15: accumulator == value, 0x25: accumulator > value, 0x35: accumulator >= value}
        holds[0x45] = bool(accumulator & value)
        position += if_true if holds[code] else if_false


def fails(number: int) -> int:
    return 0x00050000 | number


@pytest.mark.parametrize("machine", MACHINES)
def test_exactly_the_calls_of_the_table_are_allowed(machine: str) -> None:
    numbers = {number for name, number in ALLOWED[machine].items() if name not in LOOKED_AT}
    special = {ALLOWED[machine][name] for name in LOOKED_AT}
    for number in set(range(453)) - special - {435}:
        assert run(machine, number) == (ALLOW if number in numbers else fails(errno.EPERM))


@pytest.mark.parametrize("machine", MACHINES)
@settings(deadline=None)
@given(number=st.integers(min_value=453, max_value=2**32 - 1))
def test_a_newer_call_or_one_of_a_foreign_table_is_not_implemented(machine: str, number: int) -> None:
    assert run(machine, number) == fails(errno.ENOSYS)
    assert run(machine, 435) == fails(errno.ENOSYS)  # clone3


@pytest.mark.parametrize("machine", MACHINES)
@settings(deadline=None)
@given(number=st.integers(min_value=0, max_value=2**32 - 1))
def test_another_instruction_set_ends_the_process(machine: str, number: int) -> None:
    assert run(machine, number, architecture=0x40000003) == KILL


@pytest.mark.parametrize("machine", MACHINES)
@settings(deadline=None)
@given(family=words)
def test_s03_only_local_sockets_can_be_made(machine: str, family: int) -> None:
    socket = ALLOWED[machine]["socket"]
    assert run(machine, socket, 1) == ALLOW
    for internet in (2, 10):
        assert run(machine, socket, internet) == fails(errno.EAFNOSUPPORT)
    assert run(machine, socket, family) == (ALLOW if family & 0xFFFFFFFF == 1 else fails(errno.EAFNOSUPPORT))


@pytest.mark.parametrize("machine", MACHINES)
@settings(deadline=None)
@given(family=words, kind=words, protocol=words)
def test_with_a_network_only_local_and_tcp_sockets_can_be_made(
    machine: str, family: int, kind: int, protocol: int
) -> None:
    socket = ALLOWED[machine]["socket"]
    for flags in (0, 0o2000000, 0o4000):  # SOCK_CLOEXEC, SOCK_NONBLOCK
        assert run(machine, socket, 2, 1 | flags, 6, tcp=True) == run(machine, socket, 2, 1, tcp=True) == ALLOW
        assert run(machine, socket, 2, 2 | flags, tcp=True) == fails(errno.EAFNOSUPPORT)
        assert run(machine, socket, 1, 2 | flags, tcp=True) == ALLOW
    assert (
        run(machine, socket, 2, 1, 262, tcp=True) == run(machine, socket, 10, 1, tcp=True) == fails(errno.EAFNOSUPPORT)
    )
    family, kind, protocol = family & 0xFFFFFFFF, kind & 0xFFFFFFFF, protocol & 0xFFFFFFFF
    may = family == 1 or (family == 2 and kind & 15 == 1 and protocol in (0, 6))
    assert run(machine, socket, family, kind, protocol, tcp=True) == (ALLOW if may else fails(errno.EAFNOSUPPORT))


@pytest.mark.parametrize("machine", MACHINES)
def test_with_a_network_few_options_of_sockets_can_be_set(machine: str) -> None:
    setsockopt = ALLOWED[machine]["setsockopt"]
    for level, option in ((1, 2), (1, 9), (6, 1), (6, 4), (6, 18)):  # SO_REUSEADDR, SO_KEEPALIVE, TCP_NODELAY, …
        assert run(machine, setsockopt, 3, level, option, tcp=True) == ALLOW
    for level, option in ((1, 7), (1, 32), (6, 31), (6, 13), (0, 1), (41, 26), (282, 1)):  # SO_SNDBUF, TCP_ULP, …
        assert run(machine, setsockopt, 3, level, option, tcp=True) == fails(errno.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
@settings(deadline=None)
@given(argument=words)
def test_s01_a_process_cannot_make_itself_unreadable(machine: str, argument: int) -> None:
    prctl = ALLOWED[machine]["prctl"]
    assert run(machine, prctl, 4, argument) == (ALLOW if argument & 0xFFFFFFFF == 1 else fails(errno.EPERM))
    assert run(machine, prctl, 4, 0) == fails(errno.EPERM)
    assert run(machine, prctl, 15, argument) == ALLOW  # PR_SET_NAME


@pytest.mark.parametrize("machine", MACHINES)
def test_s02_the_buffer_of_a_socket_cannot_be_enlarged(machine: str) -> None:
    setsockopt = ALLOWED[machine]["setsockopt"]
    assert run(machine, setsockopt, 3, 1, 7) == run(machine, setsockopt, 3, 1, 32) == fails(errno.EPERM)
    assert run(machine, setsockopt, 3, 1, 2) == ALLOW  # SO_REUSEADDR
    assert run(machine, setsockopt, 3, 0, 7) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_s05_files_are_locked_but_not_leased_and_folders_not_watched(machine: str) -> None:
    fcntl = ALLOWED[machine]["fcntl"]
    for lease_notify_or_pipe_size in (1024, 1026, 1031):
        assert run(machine, fcntl, 3, lease_notify_or_pipe_size) == fails(errno.EPERM)
    for get_flags_or_lock in (3, 6, 37, 1030):
        assert run(machine, fcntl, 3, get_flags_or_lock) == ALLOW
    assert not {name for name in ALLOWED[machine] if "notify" in name}


@pytest.mark.parametrize("machine", MACHINES)
def test_where_variables_live_on_the_kernel_continues_no_stopped_process(machine: str) -> None:
    timer_create, fcntl = ALLOWED[machine]["timer_create"], ALLOWED[machine]["fcntl"]
    assert run(machine, timer_create, 1) == run(machine, fcntl, 3, 10) == ALLOW  # F_SETSIG
    assert run(machine, timer_create, 1, stateful=True) == fails(errno.EPERM)
    for refused in (10, 1024, 1026, 1031):
        assert run(machine, fcntl, 3, refused, stateful=True) == fails(errno.EPERM)
    assert run(machine, fcntl, 3, 3, stateful=True) == ALLOW
    ioctl, unlock_terminal = ALLOWED[machine]["ioctl"], 0x40045431  # TIOCSPTLCK
    assert run(machine, ioctl, 3, unlock_terminal) == ALLOW
    assert run(machine, ioctl, 3, unlock_terminal, stateful=True) == fails(errno.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("flag", [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000, 0x80])
def test_clone_makes_threads_and_processes_but_no_namespaces(machine: str, flag: int) -> None:
    clone = ALLOWED[machine]["clone"]
    assert run(machine, clone, 0x1200011) == ALLOW  # as fork calls it
    assert run(machine, clone, 0x3D0F00) == ALLOW  # as pthread_create does
    assert run(machine, clone, flag | 17) == fails(errno.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
def test_limits_and_priorities_can_be_changed_of_the_caller_only(machine: str) -> None:
    for name in LIMITS:
        assert run(machine, ALLOWED[machine][name], 0) == ALLOW
        assert run(machine, ALLOWED[machine][name], 1) == fails(errno.EPERM)
    setpriority = ALLOWED[machine]["setpriority"]
    assert run(machine, setpriority, 0, 0) == ALLOW
    assert run(machine, setpriority, 0, 1) == fails(errno.EPERM)
    assert run(machine, setpriority, 2, 0) == fails(errno.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
def test_nothing_is_typed_into_a_terminal(machine: str) -> None:
    ioctl = ALLOWED[machine]["ioctl"]
    assert run(machine, ioctl, 0, 0x5401) == ALLOW
    assert run(machine, ioctl, 0, 0x5412) == run(machine, ioctl, 0, 0x541C) == fails(errno.EPERM)


def test_machines_go_by_the_names_of_python_and_docker() -> None:
    assert seccomp_program("amd64") == seccomp_program("x86_64")
    assert seccomp_program("arm64") == seccomp_program("aarch64")
    with pytest.raises(ValueError, match="riscv64"):
        seccomp_program("riscv64")
