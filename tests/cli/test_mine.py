"""`cosim-rs mine`: the pairs that `mine_pairs` finds, with ids, in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from files import WRITERS, Array, cosim_rs_command, done, items, refusal, write, write_parquet
from helpers import assert_same_bits, gaussian_rows
from pyarrow import csv

import cosim_rs


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "pairs.parquet"


def alike() -> tuple[Array, Array]:
    """Ids and vectors, many of which are nearly the same."""
    ids, rows = items()
    rows[50:] = rows[:50] + 0.3 * gaussian_rows(50, 20, seed=9)
    return ids, rows


def expected(ids: Any, rows: Array, **options: Any) -> dict[str, list[Any]]:
    """What is to be in the file."""
    pairs = cosim_rs.mine_pairs(rows, **options)
    assert len(pairs.scores) > 5
    names = np.array(ids)
    return {
        "item_id": names[pairs.i].tolist(),
        "other_id": names[pairs.j].tolist(),
        "score": pairs.scores.tolist(),
    }


@pytest.mark.parametrize("format", WRITERS)
def test_pairs_of_every_format(tmp_path: Path, output: Path, format: str) -> None:
    ids, rows = alike()
    path, own = write(tmp_path, format, ids, rows)
    options = ["--ids", own] if own else []
    outcome = done("mine", path, *options, "--min-score", 0.9, "-o", output)
    wanted = expected(ids, rows, min_score=0.9)
    found = pq.read_table(output)
    assert found.to_pydict() == wanted
    assert found.schema.types == [pa.int64(), pa.int64(), pa.float32()]
    assert f"{output}: {len(wanted['score'])} pairs\n" in outcome.out
    assert "rows: 100, skipped: none\n" in outcome.out


def test_the_best_pairs_alone(tmp_path: Path, output: Path) -> None:
    ids, rows = alike()
    path = write_parquet(tmp_path / "x.parquet", {"id": ids, "v": rows})
    done("mine", path, "--min-score", "-1", "--max-pairs", 7, "-o", output)
    wanted = expected(ids, rows, min_score=-1, max_pairs=7)
    assert pq.read_table(output).to_pydict() == wanted
    assert len(wanted["score"]) == 7
    # No more than there are.
    done("mine", path, "--min-score", 0.9, "--max-pairs", 10**25, "-o", output, "--overwrite")
    assert pq.read_table(output).to_pydict() == expected(ids, rows, min_score=0.9)


@pytest.mark.parametrize("as_catalogue", [False, True])
def test_ids_are_strings_as_well(tmp_path: Path, output: Path, as_catalogue: bool) -> None:
    ids, rows = alike()
    names = [f"item {id}, é" for id in ids]
    path = write_parquet(tmp_path / "x.parquet", {"id": names, "v": rows})
    if as_catalogue:
        path = tmp_path / "x.safetensors"
        cosim_rs.Catalogue(rows, names).save(path)
    done("mine", path, "--min-score", 0.9, "-o", output)
    assert pq.read_table(output).to_pydict() == expected(names, rows, min_score=0.9)


def test_a_catalogue_has_no_columns_to_be_told_of(tmp_path: Path, output: Path) -> None:
    path, _ = write(tmp_path, "catalogue", *alike())
    for option in ("--ids", "--id-column", "--vector-column"):
        message = refusal(2, "mine", path, "--min-score", 0.9, "-o", output, option, "x")
        assert message == f"{option}: got 'x', expected none for a catalogue"
    assert not output.exists()


def test_rows_name_items_without_ids(tmp_path: Path, output: Path) -> None:
    _, rows = alike()
    lists: list[Any] = [None, *rows]
    path = write_parquet(tmp_path / "x.parquet", {"v": pa.array(lists, pa.list_(pa.float32()))})
    outcome = done("mine", path, "--min-score", 0.9, "-o", output)
    assert "rows: 101, skipped: 1 null\n" in outcome.out
    assert pq.read_table(output).to_pydict() == expected(range(1, 101), rows, min_score=0.9)


def test_csv(tmp_path: Path) -> None:
    ids, rows = alike()
    names = [f'"{id}", é' for id in ids]
    path = write_parquet(tmp_path / "x.parquet", {"id": names, "v": rows})
    done("mine", path, "--min-score", 0.9, "-o", tmp_path / "pairs.csv")
    found = csv.read_csv(tmp_path / "pairs.csv")
    wanted = expected(names, rows, min_score=0.9)
    assert found.column_names == list(wanted)
    assert found["item_id"].to_pylist() == wanted["item_id"]
    scores = found["score"].to_numpy().astype(np.float32)
    assert_same_bits(scores, np.array(wanted["score"], np.float32))


def test_no_pairs_are_a_file_without_rows(tmp_path: Path, output: Path) -> None:
    path = write_parquet(tmp_path / "x.parquet", {"v": np.eye(3, dtype="f4")})
    done("mine", path, "--min-score", 0.5, "-o", output)
    assert pq.read_table(output).to_pydict() == {"item_id": [], "other_id": [], "score": []}


@pytest.mark.parametrize("score", ["2", "-1.5", "nan", "x"])
def test_a_score_is_between_minus_one_and_one(output: Path, score: str) -> None:
    message = refusal(2, "mine", "x", "-o", output, f"--min-score={score}")
    assert message == f"argument --min-score: got '{score}', expected a number from -1 to 1"


def test_outputs_are_parquet_or_csv_and_not_overwritten(tmp_path: Path, output: Path) -> None:
    ids, rows = alike()
    path = write_parquet(tmp_path / "x.parquet", {"id": ids, "v": rows})
    other = tmp_path / "pairs.txt"
    message = refusal(2, "mine", path, "--min-score", 0.9, "-o", other)
    assert message == f"-o: got {other}, expected a name that ends in .parquet or .csv"
    output.touch()
    assert cosim_rs_command("mine", path, "--min-score", 0.9, "-o", output).code == 2
    assert output.read_bytes() == b""
    done("mine", path, "--min-score", 0.9, "-o", output, "--overwrite")
    assert pq.read_table(output).num_rows > 0
