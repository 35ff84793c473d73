"""Threads change a catalogue while others search it, save it, or change it as well."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from changes import DIM, rows

from cosim_rs import Catalogue


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
