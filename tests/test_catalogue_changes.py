"""A catalogue that was changed answers as one built anew of what it holds."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse
from helpers import assert_same_bits, gaussian_rows

import cosim_rs
from cosim_rs import Catalogue

Array = npt.NDArray[Any]
DIM = 8


def rows(count: int, seed: int = 0, dtype: npt.DTypeLike = np.float32) -> Array:
    """Rows of few different numbers, so that many scores are alike, and some zero rows."""
    return np.random.default_rng(seed).integers(-1, 2, (count, DIM)).astype(dtype)


def assert_as_built_anew(catalogue: Catalogue, model: dict[Any, Array]) -> None:
    """Everything that a catalogue can be asked, against one made of the model."""
    assert catalogue.ids.tolist() == list(model)
    assert len(catalogue) == len(model)
    items = np.array(list(model.values()), catalogue_dtype(catalogue)).reshape(-1, DIM)
    anew = Catalogue(items, np.array(list(model), catalogue.ids.dtype))
    users = np.concatenate([rows(7, 99), np.zeros((1, DIM), np.float32)])
    ids = list(model)
    some = [ids[: len(ids) // 2 + user] for user in range(len(users))]
    columns = scipy.sparse.random_array(
        (len(users), len(model)), density=0.3, rng=np.random.default_rng(1)
    )
    flags = np.arange(len(model)) % 3 > 0
    for filters in (
        {},
        {"exclude": some},
        {"exclude": columns},
        {"allow": flags},
        {"allow": ids[::9]},
        {"candidates": some, "min_score": 0.1},
    ):
        for k in (1, 10, 500):
            found = catalogue.top_k(users, k, **filters)  # type: ignore[arg-type]
            assert_same(found, anew.top_k(users, k, **filters))  # type: ignore[arg-type]
    if ids:
        assert_same(catalogue.similar(ids[::5], 4), anew.similar(ids[::5], 4))
        assert_same_bits(catalogue.scores(users, some), anew.scores(users, some))
        out = np.empty(len(ids), np.float32) if catalogue.dtype == np.float32 else None
        assert_same_bits(catalogue.scores(users[0], ids, out=out), anew.scores(users[0], ids))


def catalogue_dtype(catalogue: Catalogue) -> np.dtype[Any]:
    return catalogue._state.pieces[0].items.dtype


def assert_same(found: cosim_rs.TopK, expected: cosim_rs.TopK) -> None:
    """Raise unless the scores are the same bits, and the ids the same."""
    assert_same_bits(found.scores, expected.scores)
    assert found.ids.dtype == expected.ids.dtype
    assert found.ids.tolist() == expected.ids.tolist()


def first(count: int, name: Callable[[int], Any]) -> tuple[Catalogue, dict[Any, Array]]:
    items = rows(count)
    ids = [name(row) for row in range(count)]
    return Catalogue(items, ids), dict(zip(ids, items, strict=True))


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
    items, more = rows(50), rows(20, 1)
    kept = items.copy()
    items.flags.writeable = False
    catalogue = Catalogue(items)
    catalogue.add(more)
    catalogue.update(range(40), more[0] + np.zeros((40, 1), np.float32))
    wanted = catalogue.top_k(rows(3, 2), 70)
    more[:] = 0
    assert_same(catalogue.top_k(rows(3, 2), 70), wanted)
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


def test_a_search_sees_one_state_while_others_change_it() -> None:
    """Ids and items change together: what is found always scores as its id says."""
    count, rounds = 3000, 60
    directions = np.eye(DIM, dtype=np.float32)
    catalogue = Catalogue(np.repeat(directions[:1], count, axis=0))
    stop, errors = threading.Event(), list[str]()

    def search() -> None:
        while not stop.is_set():
            # At any time all items point one way: they score 1 for one user and 0 for all else.
            found = catalogue.top_k(directions, count)
            full = (found.scores[:, 0] == 1) & (found.scores[:, -1] == 1)
            if full.sum() != 1 or len(set(found.ids[full][0].tolist())) != found.ids.shape[1]:
                errors.append(f"{found.scores[:, [0, -1]]}")

    searchers = [threading.Thread(target=search) for _ in range(3)]
    for searcher in searchers:
        searcher.start()
    try:
        for step in range(rounds):
            item = directions[step % DIM]
            catalogue.update(catalogue.ids, np.tile(item, (len(catalogue), 1)))
            catalogue.add(item[None])
            catalogue.remove(catalogue.ids[:1])
    finally:
        stop.set()
        for searcher in searchers:
            searcher.join()
    assert errors == []
    assert catalogue.ids.tolist() == list(range(rounds, count + rounds))


def test_changes_of_several_threads_are_all_made() -> None:
    catalogue = Catalogue(rows(10))

    def change(first: int) -> None:
        for step in range(50):
            catalogue.add(rows(2, step), [first + 2 * step, first + 2 * step + 1])
            catalogue.remove([first + 2 * step])

    threads = [threading.Thread(target=change, args=(1000 * part,)) for part in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = {1000 * part + 2 * step + 1 for part in range(1, 5) for step in range(50)}
    assert set(catalogue.ids.tolist()) == kept | set(range(10))


@pytest.mark.parametrize("name", [int, lambda row: f"item {row}"])
@pytest.mark.parametrize("dim", [1, 9, 64])
def test_a_changed_one_saves_what_one_built_anew_saves(
    tmp_path: Path, name: Callable[[int], Any], dim: int
) -> None:
    items = gaussian_rows(400, dim)
    catalogue = Catalogue(items, [name(row) for row in range(400)])
    catalogue.remove([name(7), name(300)])
    catalogue.add(items[:30] + 1, [name(row) for row in range(500, 530)])
    catalogue.update([name(0), name(399), name(501)], items[5:8])
    assert len(catalogue._state.pieces) > 1
    state = catalogue._state
    anew = Catalogue(state.items_at(state.in_order), catalogue.ids)
    catalogue.save(tmp_path / "changed")
    anew.save(tmp_path / "anew")
    assert (tmp_path / "changed").read_bytes() == (tmp_path / "anew").read_bytes()


def test_items_too_long_for_codes_change_and_are_saved(tmp_path: Path) -> None:
    items = gaussian_rows(20, 9000)
    catalogue = Catalogue(items)
    catalogue.update([3], items[:1])
    catalogue.save(tmp_path / "long")
    opened = Catalogue.open(tmp_path / "long", verify=True)
    assert_same(opened.top_k(items[:4], 5), catalogue.top_k(items[:4], 5))


def test_an_opened_one_changes_and_its_file_does_not(tmp_path: Path) -> None:
    path, items = tmp_path / "items", rows(300)
    Catalogue(items).save(path)
    data = path.read_bytes()
    for mmap in (True, False):
        catalogue = Catalogue.open(path, mmap=mmap)
        assert pickle.dumps(catalogue).find(items[3].tobytes()) < 0
        catalogue.remove(range(200))
        catalogue.update([299], rows(1, 1))
        catalogue.add(rows(1, 2))
        model = dict(enumerate(items)) | {299: rows(1, 1)[0], 300: rows(1, 2)[0]}
        model = {row: item for row, item in model.items() if row >= 200}
        assert_as_built_anew(catalogue, model)
        # What is mapped stays where it is, however much of it is dead.
        assert (catalogue._state.pieces[0].items.base is not None) == mmap
        assert_as_built_anew(pickle.loads(pickle.dumps(catalogue)), model)
        assert path.read_bytes() == data
    catalogue.save(path)
    opened = Catalogue.open(path, verify=True)
    assert_as_built_anew(opened, model)
    opened.remove([300])
    opened.add(rows(1))
    assert opened.ids[-1] == 301  # the number goes on from the file's


def test_the_next_number_is_none_in_use_whatever_a_file_says(tmp_path: Path) -> None:
    catalogue = Catalogue(rows(5))
    catalogue.add(rows(1), [40])
    catalogue._state.next_id = 3  # as no catalogue has it
    catalogue.save(tmp_path / "items")
    opened = Catalogue.open(tmp_path / "items")
    opened.add(rows(1))
    assert opened.ids.tolist() == [0, 1, 2, 3, 4, 40, 41]


def test_saving_under_change_saves_one_state(tmp_path: Path) -> None:
    """Every state has all its items alike, so a mixture would show."""
    catalogue = Catalogue(np.full((2000, DIM), 1, np.float32))
    stop = threading.Event()

    def change() -> None:
        step = 2
        while not stop.is_set():
            catalogue.update(catalogue.ids, np.full((2000, DIM), step, np.float32))
            step += 1

    changer = threading.Thread(target=change)
    changer.start()
    try:
        for _ in range(20):
            catalogue.save(tmp_path / "items")
            items = Catalogue.open(tmp_path / "items", verify=True)._state.pieces[0].items
            assert (items == items[0, 0]).all()
    finally:
        stop.set()
        changer.join()


def test_a_changed_one_is_pickled_as_it_is() -> None:
    catalogue, model = first(100, int)
    catalogue.remove([0, 50])
    catalogue.update([3], rows(1, 1))
    catalogue.add(rows(2, 2), [500, 400])
    del model[0], model[50]
    model |= {3: rows(1, 1)[0], 500: rows(2, 2)[0], 400: rows(2, 2)[1]}
    loaded = pickle.loads(pickle.dumps(catalogue))
    assert_as_built_anew(loaded, model)
    loaded.remove([1])
    assert len(catalogue) == 100
    assert cosim_rs.Catalogue is type(loaded)
