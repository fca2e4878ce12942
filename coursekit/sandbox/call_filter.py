"""Which system calls a submission may make: a seccomp filter, put together by hand.

What is listed here is refused, as is all that is newer than the newest call known here: the kernel answers
that there is no such call, and programs then do without. Everything else is allowed: reading and writing,
memory, threads, children.

>>> len(program("x86_64")) % 8
0
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Sequence
from functools import cache

# Each call with its number on x86_64 and on aarch64; 0 where there is none.
REFUSED = """
unshare 272 97              setns 308 268               mount 165 40                umount2 166 39
pivot_root 155 41           chroot 161 51               open_tree 428 428           move_mount 429 429
fsopen 430 430              fsconfig 431 431            fsmount 432 432             fspick 433 433
mount_setattr 442 442       statmount 457 457           listmount 458 458           open_by_handle_at 304 265
name_to_handle_at 303 264   ptrace 101 117              process_vm_readv 310 270    process_vm_writev 311 271
process_madvise 440 440     process_mrelease 448 448    kcmp 312 272                pidfd_getfd 438 438
add_key 248 217             request_key 249 218         keyctl 250 219              bpf 321 280
perf_event_open 298 241     userfaultfd 323 282         io_uring_setup 425 425      io_uring_enter 426 426
io_uring_register 427 427   seccomp 317 277             memfd_create 319 279        memfd_secret 447 447
shmget 29 194               shmat 30 196                shmctl 31 195               shmdt 67 197
msgget 68 186               semget 64 190               mq_open 240 180             fanotify_init 300 262
personality 135 92          modify_ldt 154 0            iopl 172 0                  ioperm 173 0
swapon 167 224              swapoff 168 225             reboot 169 142              acct 163 89
init_module 175 105         finit_module 313 273        delete_module 176 106       create_module 174 0
query_module 178 0          get_kernel_syms 177 0       kexec_load 246 104          kexec_file_load 320 294
quotactl 179 60             quotactl_fd 443 443         lookup_dcookie 212 18       nfsservctl 180 42
uselib 134 0                _sysctl 156 0               sysfs 139 0                 ustat 136 0
vhangup 153 58              syslog 103 116              sethostname 170 161         setdomainname 171 162
settimeofday 164 170        clock_settime 227 112       adjtimex 159 171            clock_adjtime 305 266
move_pages 279 239          migrate_pages 256 238       flock 73 32                 inotify_init 253 0
inotify_init1 294 26        inotify_add_watch 254 27    mincore 27 232              cachestat 451 451
"""
# These are looked at more closely.
CLONE = (56, 220)
CLONE3 = (435, 435)
SOCKET = (41, 198)
SOCKETPAIR = (53, 199)
IOCTL = (16, 29)
MMAP = (9, 222)
FCNTL = (72, 25)
SETSOCKOPT = (54, 208)
NEWEST = 462  # mseal, of Linux 6.10; numbers are the same everywhere since 424

AUDIT_NAMES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NAMESPACES = 0x7E020000  # every flag of clone that asks for a namespace
OLDER_FORM = 0x40000000  # x86_64 answers a second set of numbers, with pointers half as long
UNIX_SOCKET = 1
SHARED, WITHOUT_FILE = 1, 0x20
TYPED_FOR_YOU = (0x5412, 0x541C)  # TIOCSTI and TIOCLINUX put words into somebody's terminal

# With locks and notices on files that all may read, one submission could signal to another; and the kernel
# keeps as many locks as one likes. F_GETLK, F_SETLK, F_SETLKW, those of open files, F_SETLEASE, F_NOTIFY.
LOCKS = (5, 6, 7, 36, 37, 38, 1024, 1026)
LARGER_PIPE = 1031  # F_SETPIPE_SZ
LARGER_SOCKET = (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF, and both by force: what they hold is counted nowhere

# The filter's machine: load a word of the call, compare, answer.
LOAD, EQUAL, AT_LEAST, ANY_BIT, ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER_AT, MACHINE_AT, FIRST_AT, SECOND_AT, THIRD_AT, FOURTH_AT = 0, 4, 16, 24, 32, 40
ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
NOT_PERMITTED, NO_SUCH_CALL = ERROR | errno.EPERM, ERROR | errno.ENOSYS

Step = tuple[int, int, int, int]


@cache
def program(machine: str = platform.machine(), shares: bool = False) -> bytes:
    """The filter for this kind of processor, as the kernel takes it.

    Args:
        shares: Whether memory may be shared without a file, as CUDA does.

    Raises:
        KeyError: The numbers of system calls on such a machine are not known here.
    """
    column = list(AUDIT_NAMES).index(machine) if machine in AUDIT_NAMES else -1
    steps: list[Step] = [
        (LOAD, 0, 0, MACHINE_AT),
        (EQUAL, 1, 0, AUDIT_NAMES[machine]),
        (ANSWER, 0, 0, KILL),  # a call in the form of another processor has other numbers
        (LOAD, 0, 0, NUMBER_AT),
        *_when(AT_LEAST, NEWEST + 1, NO_SUCH_CALL),  # and with it the older form
        *_when(EQUAL, CLONE3[column], NO_SUCH_CALL),  # its flags lie in memory, where no filter sees them
        *_looked_at(CLONE[column], FIRST_AT, _when(ANY_BIT, NAMESPACES, NOT_PERMITTED)),
        *_looked_at(SOCKET[column], FIRST_AT, _unless_unix()),
        *_looked_at(SOCKETPAIR[column], FIRST_AT, _unless_unix()),
        *_looked_at(IOCTL[column], SECOND_AT, _unless(TYPED_FOR_YOU)),
        *_looked_at(FCNTL[column], SECOND_AT, _unless((*LOCKS, LARGER_PIPE))),
        *_looked_at(SETSOCKOPT[column], THIRD_AT, _unless(LARGER_SOCKET)),
        *_looked_at(MMAP[column], FOURTH_AT, [] if shares else _unless_seen()),
    ]
    for number in sorted(refused(machine).values()):
        steps += _when(EQUAL, number, NOT_PERMITTED)
    steps.append((ANSWER, 0, 0, ALLOW))
    return b"".join(struct.pack("=HBBI", *step) for step in steps)


def refused(machine: str = platform.machine()) -> dict[str, int]:
    """The calls that are refused whatever they ask, with their numbers.

    >>> refused("aarch64")["mount"]
    40
    """
    column = list(AUDIT_NAMES).index(machine)
    words = REFUSED.split()
    rows = zip(words[::3], words[1::3], words[2::3], strict=True)
    numbers = {name: int(pair[column]) for name, *pair in rows}
    return {name: number for name, number in numbers.items() if number}


def _when(comparison: int, value: int, answer: int) -> list[Step]:
    return [(comparison, 0, 1, value), (ANSWER, 0, 0, answer)]


def _unless_unix() -> list[Step]:
    """Sockets are for talking within the sandbox: the network is gone, but some kinds never asked it."""
    return [(EQUAL, 1, 0, UNIX_SOCKET), (ANSWER, 0, 0, NOT_PERMITTED)]


def _unless(values: Sequence[int]) -> list[Step]:
    return [step for value in values for step in _when(EQUAL, value, NOT_PERMITTED)]


def _unless_seen() -> list[Step]:
    """What is shared without a file can be kept where no process seems to hold it: nobody could count it."""
    return [(ANY_BIT, 0, 2, WITHOUT_FILE), (ANY_BIT, 0, 1, SHARED), (ANSWER, 0, 0, NOT_PERMITTED)]


def _looked_at(number: int, argument_at: int, steps: list[Step]) -> list[Step]:
    """For one call: load an argument, take these steps, then have the number back or be allowed."""
    inner: list[Step] = [(LOAD, 0, 0, argument_at), *steps, (ANSWER, 0, 0, ALLOW)]
    return [(EQUAL, 0, len(inner), number), *inner]
