"""Items of a catalogue are known by their places or by ids, in all that it is asked and tells."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse
from helpers import assert_same_bits, gaussian_rows
from ranking import assert_same

import cosim_rs

Array = npt.NDArray[Any]
HAS_STRINGS = hasattr(getattr(np, "dtypes", None), "StringDType")


class TestIds:
    items = gaussian_rows(60, 8)
    users = gaussian_rows(5, 8, seed=1)
    positions = cosim_rs.Catalogue(items)
    ids = np.array([f"item {7 * row % 60}" for row in range(60)])
    named = cosim_rs.Catalogue(items, ids)

    @pytest.mark.parametrize("dtype", ["i1", "<i4", ">i8", "u1", "u8", "U9", "S9", "T"])
    def test_any_whole_numbers_or_strings(self, dtype: str) -> None:
        if dtype == "T" and not HAS_STRINGS:
            pytest.skip("NumPy 1 has no strings of any length")
        numbers = np.random.default_rng(0).permutation(60)
        ids = numbers.astype(np.dtypes.StringDType() if dtype == "T" else dtype)
        catalogue = cosim_rs.Catalogue(self.items, ids)
        found, expected = catalogue.top_k(self.users, 9), self.positions.top_k(self.users, 9)
        assert found.ids.tolist() == ids[expected.indices].tolist()
        assert found.indices is found.ids
        assert_same_bits(found.scores, expected.scores)
        assert catalogue.ids.tolist() == ids.tolist()
        nothing = catalogue.top_k(self.users, 2, min_score=2.0).ids
        missing = (
            {"i": -1, "u": np.iinfo(catalogue.ids.dtype).max} if ids.dtype.kind in "iu" else {}
        )
        strings = b"" if dtype == "S9" else ""
        assert (nothing == missing.get(ids.dtype.kind, strings)).all()

    def test_whole_numbers_of_other_dtypes_are_compared_exactly(self) -> None:
        """As float64, in which NumPy compares signed with unsigned, these ids would be alike."""
        ids = np.arange(60, dtype=np.uint64) + np.uint64(2**62)
        catalogue = cosim_rs.Catalogue(self.items, ids)
        for names in (ids, ids.astype(np.int64), ids.tolist()):
            matrix = cosim_rs.cosine_similarity(self.users, self.items)
            scores = catalogue.scores(self.users, [names] * 5)
            assert_same_bits(scores, matrix)
        for wrong in (-2, 2**62 + 60, 7):
            with pytest.raises(KeyError, match=f"ids: got {wrong}, which is no id"):
                catalogue.similar([wrong])
        small = cosim_rs.Catalogue(self.items[:3], np.array([0, 1, -3], np.int8))
        with pytest.raises(KeyError, match="ids: got 256, which is no id"):
            small.similar([256])
        with pytest.raises(KeyError, match=f"ids: got {2**64 - 3}, which is no id"):
            small.similar(np.array([2**64 - 3], np.uint64))

    @pytest.mark.skipif(not HAS_STRINGS, reason="NumPy 1 has no strings of any length")
    def test_text_is_alike_whatever_its_dtype_and_bytes_are_not(self) -> None:
        texts = [f"item {row}" for row in range(60)]
        dtypes = [np.dtype("U30"), np.dtypes.StringDType(), np.dtype("S30")]
        scores = cosim_rs.cosine_similarity(self.users, self.items[[7, 12]])
        for dtype in dtypes:
            catalogue = cosim_rs.Catalogue(self.items, np.array(texts, dtype))
            for other in dtypes:
                names = np.array([["item 7", "item 12"]] * 5, other)
                if (dtype.kind == "S") == (other.kind == "S"):
                    assert_same_bits(catalogue.scores(self.users, names), scores)
                    names = np.array(["item 7\0 and more"], other)
                with pytest.raises(KeyError, match=r"ids: got b?'item 7.*', which is no id"):
                    catalogue.similar(names[0] if names.ndim > 1 else names)

    @pytest.mark.skipif(not HAS_STRINGS, reason="NumPy 1 has no strings of any length")
    def test_texts_of_any_length_are_found_if_long_or_with_zeros(self) -> None:
        dtype = np.dtypes.StringDType()
        texts = [f"a long string {row}" for row in range(40)]
        texts += [f"zero\0{row}" for row in range(20)]
        ids = np.array(texts, dtype)
        catalogue = cosim_rs.Catalogue(self.items, ids)
        for row in range(60):
            name = np.array(texts[row : row + 1], dtype)
            expected = cosim_rs.cosine_similarity(self.users, self.items[row : row + 1])
            assert_same_bits(catalogue.scores(self.users, np.tile(name, (5, 1))), expected)
            with pytest.raises(ValueError, match="which is in the catalogue"):
                catalogue.add(self.items[:1], name)
        with pytest.raises(KeyError, match="which is no id"):
            catalogue.similar(np.array(["zero\0"], dtype))
        catalogue.remove(ids[::2])
        assert catalogue.ids.tolist() == texts[1::2]
        catalogue.add(self.items[:1], ["new"])
        assert catalogue.ids.tolist() == [*texts[1::2], "new"]

    @pytest.mark.skipif(not HAS_STRINGS, reason="NumPy 1 has no strings of any length")
    @pytest.mark.parametrize("missing", [None, np.nan])
    def test_a_missing_text_is_no_id(self, missing: float | None) -> None:
        dtype = np.dtypes.StringDType(na_object=missing)
        names = np.array(["a", missing], dtype)
        with pytest.raises(ValueError, match=f"ids: got {missing}, expected text"):
            cosim_rs.Catalogue(self.items[:2], names)
        for kind in ("U1", np.dtypes.StringDType()):
            catalogue = cosim_rs.Catalogue(self.items[:2], np.array(["a", ""], kind))
            with pytest.raises(KeyError, match=f"ids: got {missing}, which is no id"):
                catalogue.similar(names)

    @pytest.mark.skipif(not HAS_STRINGS, reason="NumPy 1 has no strings of any length")
    def test_text_is_added_to_text_of_the_other_kind(self) -> None:
        any_length = np.dtypes.StringDType()
        missing = [np.dtypes.StringDType(na_object=na) for na in (None, np.nan)]
        for held, other in (
            ("U1", any_length),
            (any_length, "U6"),
            (any_length, missing[0]),
            (missing[0], missing[1]),
        ):
            catalogue = cosim_rs.Catalogue(self.items[:2], np.array(["a", "b"], held))
            catalogue.add(self.items[2:3], np.array(["longer"], other))
            assert catalogue.ids.dtype == (np.dtype("U6") if held == "U1" else held)
            assert catalogue.ids.tolist() == ["a", "b", "longer"]
        catalogue = cosim_rs.Catalogue(self.items[:2], ["a", "b"])
        with pytest.raises(ValueError, match=r"ids: got 'c\\x00', expected strings that end in no"):
            catalogue.add(self.items[2:3], np.array(["c\0"], any_length))
        with pytest.raises(TypeError, match=r"ids: got dtype .S1, expected strings as <U1"):
            catalogue.add(self.items[2:3], [b"\xff"])
        with pytest.raises(KeyError, match=r"ids: got b'.*xff', which is no id"):
            catalogue.remove([b"\xff"])

    def test_no_ids_are_whole_numbers(self) -> None:
        catalogue = cosim_rs.Catalogue(self.items[:0], [])
        assert catalogue.ids.dtype == np.int64
        with pytest.raises(KeyError, match="ids: got 5, which is no id"):
            catalogue.remove([5])

    def test_filters_by_id(self) -> None:
        banned = [[3, 5], [], [59], [0, 1, 2], [7]]
        by_place = self.positions.top_k(self.users, 60, exclude=banned, allow=range(50))
        names = [self.ids[row].tolist() for row in banned]
        padded = np.full((5, 4), "", self.ids.dtype)
        for row, listed in zip(padded, names, strict=True):
            row[1 : 1 + len(listed)] = listed
        columns = scipy.sparse.lil_array((5, 60))
        for user, row in enumerate(banned):
            columns[user, row] = 1
        for exclude in (names, padded, columns.tocsr()):
            for allow in (self.ids[:50], self.ids[:50].tolist(), np.arange(60) < 50):
                found = self.named.top_k(self.users, 60, exclude=exclude, allow=allow)
                assert_same_bits(found.scores, by_place.scores)
                expected = np.where(by_place.indices < 0, "", self.ids[by_place.indices])
                assert found.ids.tolist() == expected.tolist()

    def test_similar_is_top_k_of_the_items_themselves_apart(self) -> None:
        rows = [4, 0, 59, 4]
        expected = self.positions.top_k(self.items[rows], 6, exclude=[[row] for row in rows])
        assert_same(self.positions.similar(rows, 6), expected)
        found = self.named.similar(self.ids[rows], 6)
        assert found.ids.tolist() == self.ids[expected.indices].tolist()
        one = self.named.similar(str(self.ids[4]), 6)
        assert one.ids.tolist() == found.ids[0].tolist()
        allowed = self.named.similar(self.ids[rows], 1, allow=self.ids[[4, 30]], min_score=-1)
        assert allowed.ids[:, 0].tolist() == self.ids[[30, *allowed_first(self.items)]].tolist()

    def test_scores_by_id(self) -> None:
        rows = np.array([[3, 59, -1], [0, 0, 1], [-1, -1, -1], [9, 8, 7], [20, 3, 40]])
        matrix = cosim_rs.cosine_similarity(self.users, self.items)
        expected = np.where(rows < 0, -np.inf, np.take_along_axis(matrix, rows, axis=1))
        assert_same_bits(self.positions.scores(self.users, rows), expected.astype(np.float32))
        names = np.where(rows < 0, "", self.ids[rows])
        out = np.empty((5, 6), np.float32)[:, ::2]
        assert self.named.scores(self.users, names, out=out, threads=2) is out
        assert_same_bits(np.ascontiguousarray(out), expected.astype(np.float32))
        one = np.empty(3, np.float32)
        assert self.named.scores(self.users[1], names[1], out=one) is one
        assert_same_bits(one, expected[1].astype(np.float32))
        assert self.named.scores(self.users[:0], names[:0]).shape == (0, 3)


def allowed_first(items: Array) -> list[int]:
    """The better of rows 4 and 30 for rows 0 and 59, and 30 for row 4 itself."""
    scores = cosim_rs.cosine_similarity(items[[0, 59]], items[[4, 30]])
    return [*np.array([4, 30])[scores.argmax(axis=1)].tolist(), 30]
