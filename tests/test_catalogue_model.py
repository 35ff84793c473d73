"""Any sequence of changes, saving and opening, against a plain dict of what there should be."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import assert_same_bits
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cosim_rs import Catalogue

DIM = 5
SEEDS = st.integers(0, 1000)


def rows(count: int, seed: int) -> Any:
    """Rows with many scores alike."""
    return np.random.default_rng(seed).integers(-1, 2, (count, DIM)).astype(np.float32)


class Changes(RuleBasedStateMachine):
    """A catalogue and its model go through the same changes."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.next = 0

    def teardown(self) -> None:
        """Let go of the mapped file before it goes."""
        del self.catalogue
        self.folder.cleanup()

    @initialize(count=st.integers(0, 60), is_named=st.booleans(), seed=SEEDS)
    def begin(self, count: int, is_named: bool, seed: int) -> None:
        """Some items, with ids or without."""
        self.is_named, items = is_named, rows(count, seed)
        names = [self.named(row) for row in range(count)]
        self.catalogue = Catalogue(items, np.array(names, "U9") if is_named else None)
        self.model = dict(zip(names, items, strict=True))
        self.next = count

    def named(self, number: int) -> Any:
        return f"item {number}" if self.is_named else number

    def some(self, data: st.DataObject) -> list[Any]:
        """Some of the ids, in any order."""
        known = list(self.model)
        return data.draw(st.lists(st.sampled_from(known), unique=True, max_size=20))

    @rule(count=st.integers(0, 40), seed=SEEDS)
    def add(self, count: int, seed: int) -> None:
        """New items."""
        names = [self.named(self.next + row) for row in range(count)]
        items = rows(count, seed)
        self.catalogue.add(items, names if self.is_named else None)
        self.model |= dict(zip(names, items, strict=True))
        self.next += count

    @precondition(lambda self: self.model)
    @rule(data=st.data(), seed=SEEDS)
    def update(self, data: st.DataObject, seed: int) -> None:
        """Other items for some ids."""
        names = self.some(data)
        items = rows(len(names), seed)
        self.catalogue.update(np.array(names) if names else [], items)
        self.model |= dict(zip(names, items, strict=True))

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        """Some items less."""
        names = self.some(data)
        self.catalogue.remove(names)
        for name in names:
            del self.model[name]

    @precondition(lambda self: self.model)
    @rule(data=st.data(), seed=SEEDS)
    def be_refused(self, data: st.DataObject, seed: int) -> None:
        """What is there cannot be added, and what is not cannot be changed; nor a part of it."""
        there, new = data.draw(st.sampled_from(list(self.model))), self.named(self.next)
        names, items = data.draw(st.permutations([there, new])), rows(2, seed)
        with pytest.raises(ValueError, match=r"ids: got .*, which is in the catalogue"):
            self.catalogue.add(items, names)
        with pytest.raises(KeyError, match="ids: got"):
            self.catalogue.update(names, items)
        with pytest.raises(KeyError, match="ids: got"):
            self.catalogue.remove(names)

    @rule(mmap=st.booleans())
    def save_and_open(self, mmap: bool) -> None:
        """What comes back is the same, also over the file that is open."""
        path = Path(self.folder.name) / "items.safetensors"
        self.catalogue.save(path)
        self.catalogue = Catalogue.open(path, mmap=mmap, verify=True)

    @rule()
    def pickle(self) -> None:
        """As workers get it."""
        self.catalogue = pickle.loads(pickle.dumps(self.catalogue))

    @invariant()
    def answers_as_one_built_anew(self) -> None:
        """The same ids, and the same items found for them, ties included."""
        assert self.catalogue.ids.tolist() == list(self.model)
        items = np.array(list(self.model.values()), np.float32).reshape(-1, DIM)
        anew = Catalogue(items, np.array(list(self.model), self.catalogue.ids.dtype))
        users = np.concatenate([rows(3, 1), np.zeros((1, DIM), np.float32)])
        for k in (3, 200):
            found, wanted = self.catalogue.top_k(users, k), anew.top_k(users, k)
            assert_same_bits(found.scores, wanted.scores)
            assert found.ids.tolist() == wanted.ids.tolist()
        reached, expected = (of.range_search(users, 0.3) for of in (self.catalogue, anew))
        assert reached.indptr.tolist() == expected.indptr.tolist()
        assert_same_bits(reached.scores, expected.scores)
        assert reached.ids.tolist() == expected.ids.tolist()


Changes.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
test_changes = Changes.TestCase
