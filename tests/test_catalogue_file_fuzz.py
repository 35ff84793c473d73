"""Whatever is done to a file, it opens or is a ValueError; whenever a save is cut short, there is
the old file or the new one.

`make fuzz` does much more of both.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from catalogue_files import header_of, items, named, saved, with_checksum
from helpers import TESTS, gaussian_rows

import cosim_rs

CASES = int(os.environ.get("FUZZ_CASES", "2000"))
KILLS = int(os.environ.get("FUZZ_KILLS", "10"))

USERS = gaussian_rows(40, 7, seed=1)
USERS[0], USERS[1] = 0, np.nan

# Numbers that break what trusts them.
NUMBERS = ["-1", "0", "1", "2", "15", "16", "17", "64", "8192", "8193", str(2**31), str(2**32)]
NUMBERS += [
    str(2**63),
    str(2**64),
    "1e999",
    "NaN",
    "null",
    "true",
    '"x"',
    "[]",
    "{}",
    "0.5",
    "9" * 99,
]


def flipped(data: bytes, rng: random.Random) -> bytes:
    """Some bytes are others."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        place = rng.randrange(len(changed))
        changed[place] ^= rng.randrange(1, 256)
    return bytes(changed)


def moved(data: bytes, rng: random.Random) -> bytes:
    """A part is cut out, doubled, or put somewhere else."""
    begin, end = sorted(rng.randrange(len(data) + 1) for _ in range(2))
    place = rng.randrange(len(data) + 1)
    return rng.choice(
        [
            data[:begin],
            data[:begin] + data[end:],
            data[:end] + data[begin:],
            data[:place] + data[begin:end] + data[place + end - begin :],
        ]
    )


def overwritten(data: bytes, rng: random.Random) -> bytes:
    """Eight bytes, at a multiple of four as numbers lie, are extreme ones."""
    place = 4 * rng.randrange(len(data) // 4 - 1)
    number = rng.choice([0, 1, 2**63 - 1, 2**64 - 1, 2**63, 0x7F80_0000, 0xFF80_0000, 0x7FC0_0000])
    return data[:place] + number.to_bytes(8, "little") + data[place + 8 :]


def reworded(data: bytes, rng: random.Random) -> bytes:
    """A number of the header is another one."""
    length = int.from_bytes(data[:8], "little")
    text = data[8 : 8 + length].decode().rstrip()
    digits = [place for place in range(len(text)) if text[place].isdigit()]
    place = rng.choice(digits)
    end = place
    while text[end].isdigit():
        end += 1
    text = text[:place] + rng.choice(NUMBERS) + text[end:]
    text += " " * (-(8 + len(text)) % 64)
    return len(text).to_bytes(8, "little") + text.encode() + data[8 + length :]


def with_fitting_checksum(data: bytes) -> bytes:
    """The header's checksum fits, if it has one."""
    end = min(8 + int.from_bytes(data[:8], "little"), len(data))
    return with_checksum(data[:end]) + data[end:]


def searched(catalogue: cosim_rs.Catalogue) -> None:
    """Use all that was read, whatever it says."""
    if catalogue.dim == 7:
        for users in (USERS, USERS[0], USERS[2]):
            catalogue.top_k(users, 1)
            catalogue.top_k(users, 3, exclude=[[]] * len(np.atleast_2d(users)))
        assert len(catalogue.ids) == len(catalogue)
        if len(catalogue):
            catalogue.similar(catalogue.ids[0], 1)
    assert catalogue.nbytes >= 0


def test_files_of_any_bytes_open_or_are_refused(tmp_path: Path) -> None:
    """A flip that no checksum was made to fit is seen by whoever verifies, wherever it is."""
    path, rng = tmp_path / "items.safetensors", random.Random(0)
    files = [saved(path, named(50, 7, ids)) for ids in ("rows", "list", "text", "bytes")]
    files.append(saved(path, named(0, 7)))
    files.append(saved(path, named(20, 7, "int8", np.int8)))
    opened = 0
    for _ in range(CASES):
        data = rng.choice(files)
        change = rng.choice([flipped, flipped, moved, overwritten, reworded])
        changed, is_hostile = change(data, rng), rng.random() < 0.7
        if is_hostile:
            changed = with_fitting_checksum(changed)
        path.write_bytes(changed)
        for options in ({}, {"verify": True}, {"mmap": False}):
            try:
                catalogue = cosim_rs.Catalogue.open(path, **options)
            except ValueError as error:
                assert str(error).startswith(f"{path}: ")  # noqa: PT017 -- an error is no failure
                continue
            opened += 1
            assert is_hostile or changed == data or not options, (change, options)
            searched(catalogue)
    assert opened > CASES / 20


SAVING = """
import itertools
import sys
import numpy as np
import cosim_rs

path = sys.argv[1]
catalogues = [cosim_rs.Catalogue(np.full((3000 + row, 16), row + 1.0)) for row in range(2)]
catalogues[0].save(path)
print("saved", flush=True)
for row in itertools.cycle([1, 0]):
    catalogues[row].save(path)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills by a signal")
def test_a_save_that_is_killed_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path, rng, found = tmp_path / "items.safetensors", random.Random(1), set()
    for _ in range(KILLS):
        command = [sys.executable, "-c", SAVING, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=TESTS) as process:
            assert process.stdout
            assert process.stdout.readline() == b"saved\n"
            time.sleep(rng.random() / 20)
            assert process.poll() is None
            process.send_signal(signal.SIGKILL)
        catalogue = cosim_rs.Catalogue.open(path, verify=True)
        number = len(catalogue) - 3000
        assert number in (0, 1)
        assert (items(catalogue) == number + 1.0).all()
        found.add(number)
        names = {file.name for file in tmp_path.iterdir()} - {path.name}
        assert len(names) <= 1  # what was being written
        for name in names:
            assert name.startswith(".")
            assert name.endswith(".cosim_rs")
            (tmp_path / name).unlink()
    assert header_of(path.read_bytes())
    assert found == {0, 1} or KILLS < 5
