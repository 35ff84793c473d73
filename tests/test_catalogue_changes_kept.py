"""What was changed, in a file or a pickle, is what one built anew would be."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from changes import assert_as_built_anew, assert_same, first, rows
from helpers import gaussian_rows

from cosim_rs import Catalogue


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
    assert type(loaded) is Catalogue
