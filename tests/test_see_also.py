"""The example that runs the command line on files links functions to others of like meaning."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from example_programs import load_example, run_example

import cosim_rs

FEW_MODULES = "bisect heapq os pathlib random secrets shutil"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    load_example("search_docs")  # which it imports, from the folder that it is in
    return load_example("see_also")


class Letters:
    """A stand-in for the encoder: how often each letter of the alphabet occurs."""

    def encode(self, texts: list[str]) -> np.ndarray:
        return np.array([[text.count(letter) for letter in "abcd"] for text in texts], np.float32)


TEXTS = {"one.a": "aaab", "one.b": "aab", "two.a": "aaab", "two.c": "c", "two.d": "cd"}


def test_a_row_a_function_with_the_names_of_its_module(example: ModuleType, tmp_path: Path) -> None:
    example.write_functions(tmp_path / "functions.parquet", TEXTS, Letters())
    written = pq.read_table(tmp_path / "functions.parquet")
    assert written["name"].to_pylist() == list(TEXTS)
    assert written["text"].to_pylist() == list(TEXTS.values())
    assert written["module"].to_pylist() == ["one", "one", "two", "two", "two"]
    assert written["vector"].to_pylist()[0] == [3, 1, 0, 0]
    assert written["own"].to_pylist() == 2 * [["one.a", "one.b"]] + 3 * [list(TEXTS)[2:]]


def test_links_and_their_report(example: ModuleType, tmp_path: Path) -> None:
    example.write_functions(tmp_path / "functions.parquet", TEXTS, Letters())
    (tmp_path / "see_also").mkdir()
    one, two = ([{"item_id": name, "score": score}] for name, score in (("two.a", 1), ("one.a", 1)))
    other = [{"item_id": "two.a", "score": 0.98}, {"item_id": "two.c", "score": 0.1}]
    columns = {"name": list(TEXTS), "recommendations": [one, other, two, [], []]}
    kind = pl.List(pl.Struct({"item_id": pl.String, "score": pl.Float32}))
    recommended = pl.DataFrame(columns, schema_overrides={"recommendations": kind})
    recommended.write_parquet(tmp_path / "see_also" / "part-0.parquet")
    found = example.links(tmp_path)
    assert found["name"].to_list() == ["one.a", "two.a", "one.b", "one.b"]
    assert found["other_text"].to_list() == ["aaab", "aaab", "aaab", "c"]
    repeated = pl.DataFrame({"score": [1.0, 1.0, 0.98]})
    first, *lines, last = example.report(found, repeated)
    assert first == "3 of 3 functions score 0.75 or more with another module's"
    assert lines[:2] == ["  0.980 one.b: aab", "        see also two.a: aaab"]
    assert lines[2:] == ["   2 of one have one of two", "   1 of two have one of one"]
    assert last == "3 pairs of all score 0.9 or more, 2 of them exactly 1"


def test_the_program(tmp_path: Path) -> None:
    output = run_example("see_also", "--modules", FEW_MODULES, "--folder", ".", folder=tmp_path)
    assert re.findall(r"^\$ cosim-rs (\S+)", output, re.MULTILINE) == ["index", "top-k", "mine"]
    functions = pq.read_table(tmp_path / "functions.parquet")
    names, modules = functions["name"].to_pylist(), functions["module"].to_pylist()
    vectors = functions["vector"].combine_chunks().flatten().to_numpy().reshape(len(names), -1)
    found = pl.read_parquet(tmp_path / "see_also")
    assert found["name"].to_list() == names
    # What the calls give that the commands stand for.
    expected = cosim_rs.Catalogue(vectors, names).top_k(
        vectors, 3, exclude=functions["own"].to_pylist()
    )
    recommended = found["recommendations"].to_list()
    ids = [[item["item_id"] for item in row] for row in recommended]
    assert ids == expected.ids.tolist()
    assert [[i["score"] for i in row] for row in recommended] == expected.scores.tolist()
    home = dict(zip(names, modules, strict=True))
    assert not [
        name for name, row in zip(names, ids, strict=True) if home[name] in map(home.get, row)
    ]
    assert re.search(r"0\.9\d\d os\.readlink: .*\n +see also pathlib\.Path\.readlink: ", output)
    files = {"functions.parquet", "functions.safetensors", "repeated.parquet", "see_also"}
    assert files <= {path.name for path in tmp_path.iterdir()}
