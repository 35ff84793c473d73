"""A catalogue that is saved and opened is the same one, and others can read its file."""

from __future__ import annotations

import itertools
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catalogue_files import HAS_STRINGS, IDS, assert_alike, codes, header_of, items, named, saved
from helpers import REPOSITORY, assert_same_bits, gaussian_rows
from ml_dtypes import bfloat16
from safetensors import safe_open
from safetensors.numpy import load_file

import cosim_rs
from cosim_rs import _file

DTYPES = [np.float32, np.float64, np.float16, np.int8, bfloat16]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "items.safetensors"


def opened_each_way(path: Path) -> list[cosim_rs.Catalogue]:
    """What is in a file: mapped, mapped and verified, read."""
    open_ = cosim_rs.Catalogue.open
    return [open_(path), open_(path, verify=True), open_(path, mmap=False)]


class TestRoundTrips:
    @pytest.mark.parametrize("ids", IDS)
    @pytest.mark.parametrize("count", [0, 1, 15, 16, 17, 1000])
    def test_of_any_ids(self, path: Path, ids: str, count: int) -> None:
        catalogue = named(count, 7, ids)
        catalogue.save(path)
        for opened in opened_each_way(path):
            assert_alike(opened, catalogue)

    def test_of_no_items_and_an_empty_list_of_ids(self, path: Path) -> None:
        """Which is an array of floats; names that are none become numbers."""
        cosim_rs.Catalogue(np.ones((0, 3)), []).save(path)
        assert cosim_rs.Catalogue.open(path).ids.tolist() == []

    @pytest.mark.skipif(not HAS_STRINGS, reason="NumPy 1 has no strings of any length")
    def test_of_long_texts(self, path: Path) -> None:
        texts = ["x" * 1000, "", "tea\0", "é" * 300]
        ids = np.array(texts, np.dtypes.StringDType())
        cosim_rs.Catalogue(np.eye(4), ids).save(path)
        assert cosim_rs.Catalogue.open(path).ids.tolist() == texts

    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("dim", [0, 1, 7, 64, 100, 9000])
    def test_of_any_dtype_and_length(self, path: Path, dtype: Any, dim: int) -> None:
        """Vectors of 9,000 elements have no codes."""
        catalogue = named(100, dim, "text", dtype)
        catalogue.save(path)
        for opened in opened_each_way(path):
            assert_alike(opened, catalogue)

    @pytest.mark.parametrize("epsilon", [0.0, 1e-40, 0.1, 3.0, 1e30])
    def test_of_any_epsilon(self, path: Path, epsilon: float) -> None:
        catalogue = cosim_rs.Catalogue(gaussian_rows(300, 9), epsilon=epsilon)
        catalogue.save(path)
        for opened in opened_each_way(path):
            assert_alike(opened, catalogue)

    def test_of_items_in_any_layout(self, path: Path) -> None:
        items = gaussian_rows(600, 40)
        for layout in (items[::-2, ::2], np.asfortranarray(items), items[:, ::-1]):
            catalogue = cosim_rs.Catalogue(layout)
            catalogue.save(path)
            assert_alike(cosim_rs.Catalogue.open(path, verify=True), catalogue)
            assert_same_bits(load_file(path)["items"], np.ascontiguousarray(layout))

    def test_of_more_items_than_are_written_at_once(self, path: Path) -> None:
        catalogue = cosim_rs.Catalogue(gaussian_rows(30_000, 64))
        assert catalogue.dim * len(catalogue) * 4 > _file.CHUNK_BYTES
        catalogue.save(path)
        assert_alike(cosim_rs.Catalogue.open(path, verify=True), catalogue)

    def test_of_what_was_opened_give_the_same_file(self, path: Path, tmp_path: Path) -> None:
        data = saved(path, named(50, 7))
        for opened in opened_each_way(path):
            assert saved(tmp_path / "again", opened) == data

    def test_the_codes_are_those_of_the_file(self, path: Path) -> None:
        """Nothing is prepared anew: other codes there are found by."""
        catalogue = named(200, 8, "rows")
        catalogue.save(path)
        opened = cosim_rs.Catalogue.open(path)
        for kept, made in zip(codes(opened).parts(), codes(catalogue).parts(), strict=True):
            assert_same_bits(kept, made)
            assert not kept.flags.writeable
        assert codes(opened).nbytes == 13 * 8  # what the screen notes of each sixteen


class TestOtherTools:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int8])
    def test_read_every_tensor(self, path: Path, dtype: Any) -> None:
        items = (20 * gaussian_rows(33, 5)).astype(dtype)
        catalogue = cosim_rs.Catalogue(items, np.arange(33)[::-1], epsilon=0.5)
        catalogue.save(path)
        tensors = load_file(path)
        assert_same_bits(tensors["items"], items)
        assert_same_bits(tensors["ids"], np.arange(33)[::-1])
        assert_same_bits(tensors["ids.order"], np.arange(33)[::-1])
        assert tensors["codes"].shape == (3 * 2 + 16, 64)
        # Codes and scales stand for the items at norm 1, as near as the residuals say.
        blocks = tensors["codes"][:6].reshape(3, 2, 16, 4).transpose(0, 2, 1, 3)
        codes = blocks.reshape(48, 8)[:33, :5].astype(np.float64) - 128
        norms = np.maximum(np.linalg.norm(items.astype(np.float64), axis=1), 0.5)
        units = items / norms[:, None]
        left_out = np.linalg.norm(units - codes * tensors["scales"][:33, None], axis=1)
        assert (left_out <= tensors["residuals"][:33]).all()
        assert np.isneginf(tensors["residuals"][33:]).all()

    def test_read_texts(self, path: Path) -> None:
        catalogue = named(30, 3, "text")
        catalogue.save(path)
        tensors = load_file(path)
        offsets, joined = tensors["ids.offsets"], tensors["ids"].tobytes()
        texts = [joined[a:b].decode() for a, b in itertools.pairwise(offsets)]
        assert texts == catalogue.ids.tolist()

    def test_read_the_metadata_and_bfloat16(self, path: Path) -> None:
        named(20, 6, "list", bfloat16).save(path)
        with safe_open(path, "np") as file:
            metadata = file.metadata()
            assert file.get_slice("items").get_dtype() == "BF16"
            assert file.get_slice("items").get_shape() == [20, 6]
        expected = {"format": "cosim_rs.Catalogue", "version": "1", "count": "20", "dim": "6"}
        expected |= {"dtype": "bfloat16", "epsilon": "0.0", "ids": "int64"}
        assert {name: metadata[name] for name in expected} == expected

    @pytest.mark.parametrize(("count", "dim"), [(0, 3), (1, 1), (17, 5), (100, 33)])
    def test_find_each_tensor_at_a_cache_line(self, path: Path, count: int, dim: int) -> None:
        data = saved(path, named(count, dim, "text", np.int8))
        first = 8 + int.from_bytes(data[:8], "little")
        starts = [
            first + entry["data_offsets"][0]
            for name, entry in header_of(data).items()
            if name != "__metadata__" and not name.endswith(".filler")
        ]
        assert len(starts) == 7
        assert all(start % 64 == 0 for start in starts)
        assert len(data) % 64 == 0


def test_the_header_that_is_documented_is_written(path: Path) -> None:
    page = (REPOSITORY / "docs" / "catalogue.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```json\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    data = saved(path, cosim_rs.Catalogue(np.ones((2, 3), np.float32), ["tea", "cup"]))
    text = data[8 : 8 + int.from_bytes(data[:8], "little")].decode().rstrip()
    assert re.sub(r'(crc32[a-z.]*":")[0-9a-f]{8}', r"\1…", text) == shown.replace("\n", "")


class TestWhatIsHeld:
    def test_nothing_of_a_mapped_file(self, path: Path) -> None:
        catalogue = cosim_rs.Catalogue(gaussian_rows(1000, 32), np.arange(1000))
        catalogue.save(path)
        mapped = cosim_rs.Catalogue.open(path)
        held = 8000 + 63 * 8  # the sorted ids, and what the screen notes of each sixteen items
        assert mapped.nbytes == held
        read = cosim_rs.Catalogue.open(path, mmap=False)
        assert read.nbytes == held + os.path.getsize(path)

    @pytest.mark.parametrize("ids", ["list", "text"])
    def test_what_is_opened_cannot_be_written_to(self, path: Path, ids: str) -> None:
        named(20, 4, ids).save(path)
        for opened in opened_each_way(path):
            for array in (items(opened), opened.ids, *codes(opened).parts()):
                assert not array.flags.writeable

    def test_a_file_that_is_replaced_or_removed_stays_open(self, path: Path) -> None:
        first, second = named(100, 8), named(50, 9, "rows")
        first.save(path)
        opened = cosim_rs.Catalogue.open(path)
        second.save(path)
        assert_alike(opened, first)
        path.unlink()
        assert_alike(opened, first)

    def test_a_catalogue_is_saved_over_the_file_that_it_has_mapped(self, path: Path) -> None:
        catalogue = named(100, 8)
        data = saved(path, catalogue)
        opened = cosim_rs.Catalogue.open(path)
        assert saved(path, opened) == data
        assert_alike(opened, catalogue)

    def test_eight_threads_search_one_mapped_catalogue(self, path: Path) -> None:
        items, users = gaussian_rows(20_000, 32), gaussian_rows(64, 32, seed=1)
        catalogue = cosim_rs.Catalogue(items)
        catalogue.save(path)
        opened, expected = cosim_rs.Catalogue.open(path), catalogue.top_k(users)

        def search(part: int) -> None:
            rows = slice(8 * part, 8 * part + 8)
            for _ in range(20):
                found = opened.top_k(users[rows], threads=1 + part % 3)
                assert_same_bits(found.indices, expected.indices[rows])
                assert_same_bits(found.scores, expected.scores[rows])

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(search, range(8)))
