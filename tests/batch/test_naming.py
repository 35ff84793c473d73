"""Ids that are looked up, of every kind, and what is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from helpers import gaussian_rows
from tables import DIM, FORMS, ITEMS, catalogue, expected, found_by

from cosim_rs.batch import ListScorer, score_batch, skipped
from cosim_rs.batch._naming import Naming

TEXTS = np.array([f"Ware {row}" for row in range(ITEMS)])


@pytest.mark.parametrize("index", [pa.int8(), pa.uint8(), pa.int64(), pa.uint64()])
def test_a_dictionary_may_be_as_large_as_its_type_has_numbers(index: pa.DataType) -> None:
    naming = Naming.of(np.arange(0, 1000, 2))
    # int8 has numbers for 128 values, uint8 for 256, and none for one more.
    values = np.arange(128 if index == pa.int8() else 256)
    codes = pa.array([len(values) - 1, None, 4, 3, 0], index)
    coded = pa.DictionaryArray.from_arrays(codes, pa.array(values))
    last = -1 if values[-1] % 2 else values[-1] // 2
    assert naming.find(coded).tolist() == [last, -1, 2, -1, 0]
    assert naming.find(coded.slice(1, 2)).tolist() == [-1, 2]
    nothing = pa.DictionaryArray.from_arrays(pa.array([None], index), pa.array([], pa.int64()))
    assert naming.find(nothing).tolist() == [-1]


@pytest.mark.parametrize("ids", [TEXTS, TEXTS.astype("S"), TEXTS.astype(np.dtypes.StringDType())])
@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()])
def test_bytes_that_are_no_text_are_unknown(
    ids: np.ndarray, kind: pa.DataType, tmp_path: Path
) -> None:
    items = catalogue(tmp_path, ids)
    path = tmp_path / "items.safetensors"
    users = gaussian_rows(2, DIM, seed=1)
    listed = pa.array([[b"\xff", b"Ware 7", None], [b"Ware 3\xc3"]], pa.list_(kind))
    batch = pa.record_batch({"vector": FORMS["list"](users), "listed": listed})
    result = score_batch(batch, path, exclude_column="listed")
    assert found_by(result) == expected(items.top_k(users, exclude=[ids[7:8], ids[:0]]))
    assert skipped(result) == {"unknown excluded": 2}
    scores = ListScorer(str(path), "vector", "listed")(batch).column("scores").to_pylist()
    assert scores == [[None, items.scores(users[:1], [ids[7:8]])[0, 0], None], [None]]
