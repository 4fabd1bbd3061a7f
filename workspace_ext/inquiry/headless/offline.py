"""A launcher that takes the network from a command and all that it starts.

Run as a script, it forbids itself every socket but those of this machine's own kind
(``AF_UNIX``) by a seccomp filter, and then becomes the command. No privilege is needed, and no
process it starts can get rid of the filter: seccomp(2), `SECCOMP_SET_MODE_FILTER`. Services that
listen on a Unix socket of this machine stay reachable, and so does a broker that does.

Standard library alone: the script is started on its own, without site packages.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import subprocess
import sys
from functools import cache

_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2  # linux/prctl.h, linux/seccomp.h
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06  # linux/bpf_common.h
_NUMBER, _ARCHITECTURE, _DOMAIN = 0, 4, 16  # offsets in struct seccomp_data
_IO_URING_SETUP = 425  # the same everywhere; it could make sockets past the filter
_NETLINK = 16  # talks to the system alone; libzmq gives up where it cannot list interfaces
_OTHER_ABI = 0x40000000  # x32 on x86-64: the same machine under other numbers
_KINDS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""By machine: its name in linux/audit.h, and the number of ``socket``."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


@cache
def launcher() -> tuple[str, ...]:
    """What to put before a command, so that it has no network; empty where that cannot be.

    It is tried, once: a filter may be forbidden here.
    """
    if sys.platform != "linux" or platform.machine() not in _KINDS:
        return ()
    command = (sys.executable, "-I", "-S", __file__)
    attempt = "import socket\ntry: socket.socket()\nexcept OSError: print('off')"
    tried = subprocess.run(
        [*command, sys.executable, "-I", "-S", "-c", attempt],
        capture_output=True,
        text=True,
        check=False,
    )
    return command if tried.stdout.strip() == "off" else ()


def forbid() -> None:
    """Takes the network from this process, for good.

    Raises:
        OSError: The system does not let it.
    """
    architecture, number = _KINDS[platform.machine()]
    refused = _ERRNO | errno.ENETUNREACH
    steps = (
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, refused),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, 6, 0, _OTHER_ABI),
        (_EQUAL, 5, 0, _IO_URING_SETUP),
        (_EQUAL, 0, 3, number),
        (_LOAD, 0, 0, _DOMAIN),
        (_EQUAL, 1, 0, int(socket.AF_UNIX)),
        (_EQUAL, 0, 1, _NETLINK),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, refused),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = _Program(len(steps), ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or libc.prctl(
        _SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0
    ):
        said = ctypes.get_errno()
        raise OSError(said, os.strerror(said))


if __name__ == "__main__":
    forbid()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 # there is no shell in between
