"""A file replaced by another at once: whoever opens it, at any moment, finds the one or the other.

What is new is written to a file of another name in the same folder, brought to the disk, and given
its name there by one step of the file system. A process that is killed meanwhile, or a machine that
stops, leaves the old file as it was, and perhaps one of a name like `.0123456789abcdef.cosim_rs`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO


@contextlib.contextmanager
def replacing(path: str) -> Iterator[BinaryIO]:
    """Open a file that takes the place of the one at `path` when it is written without an error.

    As `open` would, it follows links, and leaves a file the mode that it had, or gives it the one
    that the process gives to new ones.
    """
    target = os.path.realpath(path)
    mode = _mode_of(target, path)
    temporary = os.path.join(os.path.dirname(target), f".{os.urandom(8).hex()}.cosim_rs")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(temporary, flags, 0o666)
    except OSError as error:  # which is about a file that nobody asked for
        raise OSError(error.errno, error.strerror, path) from None
    try:
        with open(descriptor, "wb") as file:
            if mode is not None:
                with contextlib.suppress(OSError):  # some file systems have no modes
                    os.chmod(temporary, mode)
            yield file
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(os.path.dirname(target))


def _mode_of(target: str, path: str) -> int | None:
    """The mode of a file, or None if there is none; raise if it is something else."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(mode):
        raise ValueError(f"path: got {path}, a device or a pipe, expected a file")
    return stat.S_IMODE(mode)


def sync_folder(folder: str) -> None:
    """Bring to the disk which names are in a folder, where that can be asked for."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


__all__ = ["replacing", "sync_folder"]
