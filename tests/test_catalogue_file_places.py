"""Where a catalogue is saved to and opened from: paths, pickles of them, and too little memory."""

from __future__ import annotations

import copy
import json
import multiprocessing
import os
import pickle
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catalogue_files import assert_alike, named, saved
from helpers import assert_same_bits, gaussian_rows, run_python
from peak_memory import SUPPORTED

import cosim_rs
from cosim_rs import _file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "items.safetensors"


class TestPaths:
    def test_are_str_or_path_like(self, path: Path) -> None:
        catalogue = named(5, 3)
        catalogue.save(str(path))
        assert_alike(cosim_rs.Catalogue.open(str(path)), catalogue)
        wrong: Any = 3
        for call in (catalogue.save, cosim_rs.Catalogue.open):
            with pytest.raises(TypeError, match=r"path: got int, expected str or os\.PathLike"):
                call(wrong)
        for name in ("mmap", "verify"):
            with pytest.raises(TypeError, match=f"{name}: got int, expected bool"):
                cosim_rs.Catalogue.open(path, **{name: 1})  # type: ignore[arg-type]

    def test_that_lead_nowhere(self, tmp_path: Path) -> None:
        missing = tmp_path / "none" / "file"
        for call in (named(5, 3).save, cosim_rs.Catalogue.open):
            with pytest.raises(FileNotFoundError) as raised:
                call(missing)
            assert raised.value.filename == str(missing)
            with pytest.raises(IsADirectoryError) as is_folder:
                call(tmp_path)
            assert is_folder.value.filename == str(tmp_path)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
    def test_of_pipes_are_left_alone(self, path: Path) -> None:
        os.mkfifo(path)
        with pytest.raises(ValueError, match=r"path: got .*, a device or a pipe, expected a file"):
            named(5, 3).save(path)
        assert stat.S_ISFIFO(path.stat().st_mode)
        assert list(path.parent.iterdir()) == [path]

    def test_of_links_are_followed(self, path: Path, tmp_path: Path) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        link = tmp_path / "link"
        link.symlink_to(folder / "target")
        catalogue = named(5, 3)
        for _ in range(2):  # where there is no file, and where there is one
            catalogue.save(link)
            assert link.is_symlink()
            assert_alike(cosim_rs.Catalogue.open(folder / "target"), catalogue)
            assert [file.name for file in folder.iterdir()] == ["target"]

    def test_modes_are_those_that_open_gives(self, path: Path) -> None:
        before = os.umask(0o027)
        try:
            named(5, 3).save(path)
            assert stat.S_IMODE(path.stat().st_mode) == 0o640
            path.chmod(0o604)
            named(6, 3).save(path)
            assert stat.S_IMODE(path.stat().st_mode) == 0o604
        finally:
            os.umask(before)

    def test_an_error_in_the_middle_leaves_the_old_file_alone(self, path: Path) -> None:
        data = saved(path, named(5, 3))
        piece = named(100, 3)._state.pieces[0]

        def failing() -> Any:
            yield piece.items[:50]
            raise KeyboardInterrupt

        parts = _file.Parts(piece.items, piece.codes.parts(), piece.naming, 0.0, None)
        with pytest.raises(KeyboardInterrupt):
            _file.write(str(path), parts, failing(), (100, 3))
        with pytest.raises(AssertionError, match="items has not the length"):
            _file.write(str(path), parts, [piece.items[:99]], (100, 3))
        assert path.read_bytes() == data
        assert list(path.parent.iterdir()) == [path]

    def test_texts_that_utf8_does_not_hold_are_refused(self, path: Path) -> None:
        data = saved(path, named(5, 3))
        catalogue = cosim_rs.Catalogue(np.ones((2, 3)), ["a", "\ud800"])
        with pytest.raises(ValueError, match=r"ids: got '\\ud800', expected text that UTF-8 holds"):
            catalogue.save(path)
        assert path.read_bytes() == data

    def test_very_wide_texts_come_back_narrower(self, path: Path) -> None:
        """Or a small file could ask for a lot of memory."""
        for longest, width in ((3, 255), (300, 300)):
            catalogue = cosim_rs.Catalogue(np.eye(2), np.array(["a", "b" * longest], "U1000"))
            catalogue.save(path)
            opened = cosim_rs.Catalogue.open(path)
            assert opened.ids.tolist() == catalogue.ids.tolist()
            assert opened.ids.dtype == f"U{width}"


class TestPickles:
    def test_name_the_file(self, path: Path, tmp_path: Path, monkeypatch: Any) -> None:
        catalogue = named(1000, 16)
        catalogue.save(path)
        monkeypatch.chdir(tmp_path)
        for is_mapped in (True, False):
            opened = cosim_rs.Catalogue.open(path.name, mmap=is_mapped)
            data = pickle.dumps(opened)
            assert len(data) < 600
            assert b"cosim_rs._file" not in data  # plain, whatever is moved within the package
            monkeypatch.chdir("/")
            again = pickle.loads(data)
            assert_alike(again, catalogue)
            assert again.nbytes == opened.nbytes
            monkeypatch.chdir(tmp_path)

    def test_of_what_is_in_memory_hold_it(self, path: Path) -> None:
        catalogue = named(100, 16)
        catalogue.save(path)
        data = pickle.dumps(catalogue)
        path.unlink()
        assert_alike(pickle.loads(data), catalogue)

    def test_ask_for_the_same_file(self, path: Path) -> None:
        catalogue = named(100, 16)
        catalogue.save(path)
        data = pickle.dumps(cosim_rs.Catalogue.open(path))
        catalogue.save(path)  # which is the same, if not the same file
        assert_alike(pickle.loads(data), catalogue)
        cosim_rs.Catalogue(gaussian_rows(100, 16, seed=9), catalogue.ids).save(path)
        with pytest.raises(ValueError, match=f"^{path}: got another catalogue than the one"):
            pickle.loads(data)
        path.unlink()
        with pytest.raises(FileNotFoundError):
            pickle.loads(data)

    def test_are_loaded_in_another_process(self, path: Path) -> None:
        catalogue, users = named(1000, 16), gaussian_rows(3, 16, seed=1)
        catalogue.save(path)
        opened = cosim_rs.Catalogue.open(path)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found = pool.apply(cosim_rs.Catalogue.top_k, (opened, users))
        expected = catalogue.top_k(users)
        assert_same_bits(found.scores, expected.scores)
        assert found.ids.tolist() == expected.ids.tolist()

    @pytest.mark.parametrize("way", [copy.copy, copy.deepcopy])
    def test_copies_share_the_file_whatever_becomes_of_its_name(self, path: Path, way: Any) -> None:
        catalogue = named(100, 16)
        catalogue.save(path)
        opened = cosim_rs.Catalogue.open(path)
        path.unlink()
        assert_alike(way(opened), catalogue)


LARGER_THAN_MEMORY = """
import os
import resource
import sys
import numpy as np
import cosim_rs
from peak_memory import extra_peak, _status

path = sys.argv[1]
users = np.load(sys.argv[2])
small = cosim_rs.Catalogue(np.random.default_rng(0).standard_normal((40_000, 64)))
small.top_k(np.ones((4, 64)), threads=2)  # starts the threads
del small
limit = _status("VmData") + 30 * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
try:
    np.fromfile(path, np.uint8)
    raise SystemExit("there is memory for the items")
except MemoryError:
    pass
with open(path, "rb") as file:
    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

def bytes_read():
    with open("/proc/self/io") as lines:
        (line,) = (line for line in lines if line.startswith("read_bytes"))
    return int(line.split()[1])

def search():
    global found
    found = cosim_rs.Catalogue.open(path).top_k(users, 1, threads=2)

before = bytes_read()
print(extra_peak(search), bytes_read() - before)
np.savez(sys.argv[2] + ".npz", *found)
"""


@pytest.mark.skipif(not SUPPORTED, reason="resets the peak memory in Linux's /proc")
def test_items_that_are_larger_than_memory_are_searched(tmp_path: Path) -> None:
    """Of 128 MB, in a process that can have 30 MB more, and that finds nothing in memory: 32 MB of
    codes are looked at, and of each item that is scored, some hundred, the pages around it.
    """
    rng = np.random.default_rng(0)
    items = rng.standard_normal((125_000, 256), np.float32)
    catalogue, users = cosim_rs.Catalogue(items), items[[5, 70_000, 124_999]] + np.float32(0.01)
    file, queries = tmp_path / "items.safetensors", tmp_path / "users.npy"
    catalogue.save(file)
    np.save(queries, users)
    code = f"import sys; sys.argv[1:] = {json.dumps([str(file), str(queries)])}{LARGER_THAN_MEMORY}"
    peak, read = map(int, run_python(code).split())
    expected = catalogue.top_k(users, 1)
    with np.load(f"{queries}.npz") as found:
        assert_same_bits(found["arr_0"], expected.scores)
        assert_same_bits(found["arr_1"], expected.indices)
    assert peak < items.nbytes / 2
    assert read < items.nbytes / 2
