"""A catalogue that was changed answers as one built anew of what it holds."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from changes import DIM, assert_as_built_anew, assert_same, catalogue_dtype, first, rows
from floating_point_mode import DENORMALS_ARE_ZERO, FLUSH_TO_ZERO, extra_mode
from helpers import assert_same_bits, gaussian_rows
from ml_dtypes import bfloat16

from cosim_rs import Catalogue
from cosim_rs._tensors import BFLOAT16


@pytest.mark.parametrize("name", [int, lambda row: f"item {row}", lambda row: 3 - 7 * row])
def test_each_change_alone(name: Callable[[int], Any]) -> None:
    catalogue, model = first(300, name)
    more = rows(40, 1)
    catalogue.add(more, [name(row) for row in range(1000, 1040)])
    model |= {name(row): item for row, item in zip(range(1000, 1040), more, strict=True)}
    assert_as_built_anew(catalogue, model)

    changed = [name(row) for row in (5, 1003, 299, 0)]
    catalogue.update(changed, rows(4, 2))
    model |= dict(zip(changed, rows(4, 2), strict=True))
    assert_as_built_anew(catalogue, model)

    gone = [name(row) for row in (5, 1, 1039)]
    catalogue.remove(gone)
    for one in gone:
        del model[one]
    assert_as_built_anew(catalogue, model)

    catalogue.add(rows(1, 3), gone[1:2])  # the id is free again, and its place the last
    model[gone[1]] = rows(1, 3)[0]
    assert_as_built_anew(catalogue, model)


def test_numbers_go_on_and_are_not_used_again() -> None:
    catalogue = Catalogue(rows(5))
    catalogue.add(rows(2, 1))
    assert catalogue.ids.tolist() == [0, 1, 2, 3, 4, 5, 6]
    catalogue.remove([6, 2])
    catalogue.add(rows(1, 2))
    assert catalogue.ids.tolist() == [0, 1, 3, 4, 5, 7]
    catalogue.add(rows(1, 3), [20])
    catalogue.add(rows(1, 4))
    assert catalogue.ids.tolist() == [0, 1, 3, 4, 5, 7, 20, 21]
    catalogue.remove(catalogue.ids)
    assert len(catalogue) == 0
    catalogue.add(rows(2, 5))
    assert catalogue.ids.tolist() == [22, 23]
    assert pickle.loads(pickle.dumps(catalogue)).ids.tolist() == [22, 23]


def test_numbers_of_any_dtype_are_found() -> None:
    catalogue = Catalogue(rows(5))
    for dtype in (np.uint64, np.uint8, np.int8, np.int64):
        catalogue.update(np.array([2], dtype), rows(1, 1))
    catalogue.remove(np.array([4, 0], np.uint64))
    assert catalogue.ids.tolist() == [1, 2, 3]
    with pytest.raises(KeyError, match=f"ids: got {2**64 - 1}, which is no id"):
        catalogue.remove(np.array([2**64 - 1], np.uint64))


def test_numbers_come_to_an_end() -> None:
    catalogue = Catalogue(rows(5))
    catalogue.add(rows(1), [2**63 - 1])
    with pytest.raises(ValueError, match="ids: got None, expected ids, as there are no larger"):
        catalogue.add(rows(1))
    assert len(catalogue) == 6


def test_an_empty_catalogue_takes_any_ids() -> None:
    for ids in (["a", "b"], [7, 5]):
        catalogue = Catalogue(np.empty((0, DIM), np.float32))
        catalogue.add(rows(2), ids)
        assert catalogue.ids.tolist() == ids
        with pytest.raises(ValueError, match="ids: got None, expected an id an item"):
            catalogue.add(rows(1))
    catalogue = Catalogue(np.empty((0, DIM), np.float32))
    catalogue.add(rows(2))
    catalogue.add(rows(1))
    assert catalogue.ids.tolist() == [0, 1, 2]


@pytest.mark.parametrize("ids", [None, [3, 200, 1], ["a", "b", "c"]])
@pytest.mark.parametrize("others", [["x", "y"], [1000, -1], None])
def test_so_does_an_opened_one_that_was_emptied(
    ids: list[Any] | None, others: list[Any] | None, tmp_path: Path
) -> None:
    path = tmp_path / "items.safetensors"
    Catalogue(rows(3), ids if ids != [3, 200, 1] else np.array(ids, np.uint8)).save(path)
    catalogue = Catalogue.open(path)
    catalogue.remove(catalogue.ids)
    if others is None and ids is not None:
        with pytest.raises(ValueError, match="ids: got None, expected an id an item"):
            catalogue.add(rows(2))
        return
    catalogue.add(rows(2), others)
    assert catalogue.ids.tolist() == (others or [3, 4])
    found, expected = catalogue.top_k(rows(4, 1), 2), Catalogue(rows(2)).top_k(rows(4, 1), 2)
    assert_same_bits(found.scores, expected.scores)
    assert found.ids.tolist() == catalogue.ids[expected.ids].tolist()


FLOATS = [np.float32, np.float64, np.float16, bfloat16, "bits"]


@pytest.mark.parametrize("held", FLOATS)
@pytest.mark.parametrize("given", FLOATS)
def test_floats_become_those_that_are_there(held: Any, given: Any) -> None:
    """The bits of bfloat16 are what tensors and files have; `ml_dtypes` says how to round to it."""

    def stored(floats: Any, dtype: Any) -> Any:
        return floats.astype(bfloat16).view(BFLOAT16) if dtype == "bits" else floats.astype(dtype)

    some = np.array([[1.0, 257 / 256, -259 / 256], [np.inf, 0.1, -0.0], [np.nan, 3e-40, 1.0]])
    more = stored(some, given)
    as_floats = more.view(bfloat16) if given == "bits" else more
    numbers = as_floats.astype(np.float32) if given in ("bits", bfloat16) else as_floats
    expected = numbers.astype(bfloat16 if held == "bits" else held)
    catalogue = Catalogue(stored(np.eye(3), held))
    catalogue.add(more)
    items = catalogue._state.pieces[-1].items[-3:]
    if held in ("bits", bfloat16):
        items, expected = items.view(np.uint16), expected.view(np.uint16)
        nan = np.isnan(numbers)
        assert (items[nan] & 0x7FFF > 0x7F80).all()
        items[nan] = expected[nan] = 0
    assert_same_bits(items, expected)


def test_no_float_is_added_to_whole_numbers() -> None:
    catalogue = Catalogue(np.eye(3, dtype=np.int8))
    with pytest.raises(TypeError, match="items: got dtype bfloat16, expected int8, as the"):
        catalogue.add(np.ones((1, 3), bfloat16))


def test_items_are_added_in_the_default_floating_point_mode() -> None:
    catalogue, tiny = Catalogue(np.eye(3, dtype=np.float32)), np.array([[3e-40, 1e-39, 0.0]])
    expected = tiny.astype(np.float32)
    with extra_mode(FLUSH_TO_ZERO | DENORMALS_ARE_ZERO):
        catalogue.add(tiny)
        catalogue.update([0], tiny)
    assert_same_bits(catalogue._state.items_at(np.array([0, 3])), np.repeat(expected, 2, axis=0))


def test_longer_strings_are_kept_whole() -> None:
    catalogue, _ = first(3, "abc".__getitem__)
    catalogue.add(rows(1, 1), ["a longer one"])
    assert catalogue.ids.tolist() == ["a", "b", "c", "a longer one"]
    assert catalogue.similar("a longer one", 1).ids[0] in ("a", "b", "c")


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int8])
def test_items_of_every_dtype(dtype: type) -> None:
    items = rows(60, dtype=dtype)
    catalogue = Catalogue(items)
    catalogue.update([3, 50], rows(2, 1, dtype))
    catalogue.add(rows(9, 2, dtype))
    model = dict(enumerate([*items, *rows(9, 2, dtype)]))
    model |= {3: rows(2, 1, dtype)[0], 50: rows(2, 1, dtype)[1]}
    assert catalogue_dtype(catalogue) == dtype
    assert_as_built_anew(catalogue, model)
    if dtype == np.int8:
        with pytest.raises(TypeError, match="items: got dtype float32, expected int8"):
            catalogue.add(rows(1))
    else:
        catalogue.add(rows(1, 5))
        model[69] = rows(1, 5, dtype)[0]
        assert_as_built_anew(catalogue, model)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda c: c.add(rows(2), [1000, 3]), ValueError, "ids: got 3, which is in the catalogue"),
        (lambda c: c.add(rows(2), [900, 900]), ValueError, "ids: got 900 twice"),
        (lambda c: c.add(rows(2), [900]), ValueError, r"ids: got shape \(1,\), expected \(2,\)"),
        (lambda c: c.add(rows(2), ["a", "b"]), TypeError, "ids: got dtype <U1, expected whole"),
        (lambda c: c.add(rows(1), [2**63]), ValueError, f"ids: got {2**63}, expected numbers"),
        (
            lambda c: c.add(rows(2)[:, 1:]),
            ValueError,
            r"items: got shape \(2, 7\), expected \(M, 8",
        ),
        (lambda c: c.add(rows(2)[0]), ValueError, r"items: got shape \(8,\), expected \(M, 8\)"),
        (lambda c: c.add(["a"]), TypeError, "items: got dtype"),
        (lambda c: c.update([3, 300], rows(2)), KeyError, "ids: got 300, which is no id"),
        (lambda c: c.update([-1], rows(1)), KeyError, "ids: got -1, which is no id"),
        (lambda c: c.update([3, 3], rows(2)), ValueError, "ids: got 3 twice"),
        (
            lambda c: c.update([3], rows(2)),
            ValueError,
            r"items: got shape \(2, 8\), expected \(1, 8",
        ),
        (lambda c: c.update(3, rows(1)), ValueError, r"ids: got shape \(\), expected \(M,\)"),
        (lambda c: c.remove([7, 300]), KeyError, "ids: got 300, which is no id"),
        (lambda c: c.remove([7, 7]), ValueError, "ids: got 7 twice"),
        (lambda c: c.remove([7.0]), TypeError, "ids: got dtype float64, expected whole numbers"),
    ],
)
def test_a_refused_change_changes_nothing(
    change: Callable[[Catalogue], None], error: type[Exception], message: str
) -> None:
    for has_ids in (False, True):
        items = rows(300)
        catalogue = Catalogue(items, np.arange(300) if has_ids else None)
        catalogue.remove([200])
        before = catalogue._state
        if has_ids:
            with pytest.raises(error, match=message):
                change(catalogue)
        else:
            with pytest.raises(error):
                change(catalogue)
        assert catalogue._state is before


def test_the_callers_array_is_never_written_and_what_is_added_is_copied() -> None:
    items, more = rows(500), rows(20, 1)
    kept = items.copy()
    items.flags.writeable = False
    catalogue = Catalogue(items)
    catalogue.add(more)
    catalogue.update(range(20), more)
    assert catalogue._state.pieces[0].items is items
    wanted = catalogue.top_k(rows(3, 2), 520)
    more[:] = 0
    assert_same(catalogue.top_k(rows(3, 2), 520), wanted)
    assert_same_bits(items, kept)


def test_nothing_to_change_changes_nothing() -> None:
    catalogue = Catalogue(rows(9))
    before = catalogue._state
    catalogue.add(np.empty((0, DIM), np.float32))
    catalogue.add(np.empty((0, DIM), np.float32), [])
    catalogue.update([], np.empty((0, DIM), np.float32))
    catalogue.remove([])
    assert catalogue._state is before


def test_memory_and_pieces_stay_near_those_of_a_fresh_one() -> None:
    generator = np.random.default_rng(0)
    catalogue = Catalogue(gaussian_rows(4000, 64), copy=True)
    for step in range(300):
        ids = generator.choice(catalogue.ids, 50, replace=False)
        if step % 3 == 0:
            catalogue.update(ids, gaussian_rows(50, 64, seed=step))
        elif step % 3 == 1:
            catalogue.remove(ids)
        else:
            catalogue.add(gaussian_rows(50, 64, seed=step))
        state = catalogue._state
        assert state.slots <= 1.4 * len(catalogue)
        assert len(state.pieces) <= 8
        fresh = 4000 * 64 * 8 + 4000 * 64
        assert catalogue.nbytes <= 1.6 * fresh
    items = state.items_at(state.in_order)
    anew = Catalogue(items, catalogue.ids)
    users = gaussian_rows(20, 64, seed=1)
    assert_same(catalogue.top_k(users, 30), anew.top_k(users, 30))
