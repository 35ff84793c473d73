"""The floating-point mode of the running thread, on x86-64: the MXCSR register.

TensorFlow and XLA run their threads with subnormal numbers flushed to zero, and C code may
leave another direction of rounding behind. Python has no way to set either, so this module
writes two instructions, ``ldmxcsr`` and ``stmxcsr``, into a page of memory and calls them.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# Their code takes the System V calling convention, so not on Windows.
SUPPORTED = platform.machine() in ("x86_64", "AMD64") and sys.platform in ("linux", "darwin")

FLUSH_TO_ZERO = 1 << 15
DENORMALS_ARE_ZERO = 1 << 6
ROUND_TOWARD_ZERO = 3 << 13

_STATUS = 0x3F  # the exceptions that have occurred, no part of the mode
_LOAD = bytes.fromhex("0fae17c3")  # ldmxcsr [rdi]; ret
_STORE = bytes.fromhex("0fae1fc3")  # stmxcsr [rdi]; ret


def get_mode() -> int:
    """The control bits of MXCSR."""
    register = ctypes.c_uint32()
    _call(_STORE, register)
    return register.value & ~_STATUS


def set_mode(mode: int) -> None:
    """Set the control bits of MXCSR for this thread."""
    _call(_LOAD, ctypes.c_uint32(mode))


@contextmanager
def extra_mode(flags: int) -> Iterator[None]:
    """Run a block with these flags on as well."""
    before = get_mode()
    set_mode(before | flags)
    try:
        yield
    finally:
        set_mode(before)


def _call(code: bytes, register: ctypes.c_uint32) -> None:
    page = _pages[code]
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)(ctypes.byref(register))


def _executable(code: bytes) -> mmap.mmap:
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    return page


_pages = {code: _executable(code) for code in (_LOAD, _STORE)} if SUPPORTED else {}
