"""What a scorer takes from its columns and options, and gives back."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from helpers import gaussian_rows, run_python
from tables import DIM, FORMS, ITEMS, catalogue, expected, found_by, lists

import cosim_rs
from cosim_rs.batch import BatchScorer, ColumnError, ListScorer, PairScorer, score_batch, skipped

ROWS = 40
USERS = gaussian_rows(ROWS, DIM, seed=1)
VECTORS = FORMS["fixed-size list"](USERS)

TEXTS = [f"Ware {row}" for row in range(ITEMS)]
IDS: dict[str, Any] = {
    "rows": None,
    "close": np.arange(ITEMS)[::-1] - 100,
    "far apart": np.arange(ITEMS) * 10**15 - 10**17,
    "uint64": np.arange(ITEMS, dtype=np.uint64) + np.uint64(2**63),
    "text": np.array(TEXTS),
    "bytes": np.array(TEXTS, "S"),
}

# The types in which a column may hold ids, by those of the catalogue.
WHOLE = [pa.int64(), pa.int32(), pa.int16()]
TYPES = {
    "rows": [*WHOLE, pa.uint16(), pa.uint64(), pa.dictionary(pa.int32(), pa.int64())],
    "close": [*WHOLE, pa.dictionary(pa.int16(), pa.int32())],
    "far apart": [pa.int64(), pa.dictionary(pa.int32(), pa.int64())],
    "uint64": [pa.uint64()],
    "text": [
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int32(), pa.string()),
    ],
    "bytes": [pa.binary(), pa.string(), pa.large_binary()],
}
CASES = [(ids, kind) for ids, kinds in TYPES.items() for kind in kinds]


def ids_of(found: cosim_rs.Catalogue, rows: list[int]) -> list[Any]:
    return found.ids[rows].tolist()


def column(values: list[list[Any] | None], kind: pa.DataType) -> pa.Array:
    """Lists of ids of this type."""
    plain = kind.value_type if pa.types.is_dictionary(kind) else kind
    flat = pa.array([value for row in values for value in row or []], plain)
    if pa.types.is_dictionary(kind):
        flat = flat.dictionary_encode().cast(kind)
    starts = np.cumsum([0, *(len(row or []) for row in values)], dtype=np.int32)
    mask = pa.array([row is None for row in values])
    return pa.ListArray.from_arrays(pa.array(starts), flat, mask=mask)


@pytest.mark.parametrize(("ids", "kind"), CASES, ids=str)
def test_listed_ids_of_every_type(ids: str, kind: pa.DataType, tmp_path: Path) -> None:
    items = catalogue(tmp_path, IDS[ids])
    rng = np.random.default_rng(0)
    listed: list[Any] = [ids_of(items, rng.choice(ITEMS, 9).tolist()) for _ in range(ROWS)]
    batch = pa.record_batch({"vector": VECTORS, "listed": column(listed, kind)})
    path = tmp_path / "items.safetensors"
    for first in (0, 13):
        users, rows, some = USERS[first:], listed[first:], batch.slice(first)
        result = score_batch(some, path, vector_column="vector", exclude_column="listed")
        assert found_by(result) == expected(items.top_k(users, exclude=rows))
        result = score_batch(some, path, vector_column="vector", candidates_column="listed")
        assert found_by(result) == expected(items.top_k(users, candidates=rows))
        result = ListScorer(os.fspath(path), "vector", "listed")(some)
        assert result.column("scores").to_pylist() == items.scores(users, rows).tolist()


@pytest.mark.parametrize("ids", ["rows", "close", "far apart", "text"])
def test_unknown_ids_are_left_out_and_counted(ids: str, tmp_path: Path) -> None:
    items = catalogue(tmp_path, IDS[ids])
    known = ids_of(items, [3, 4, 5])
    unknown = ["none", ""] if ids == "text" else [10**18 + 1, -(10**18)]
    listed: list[Any] = [[*known, unknown[0]], None, [unknown[1], None, known[0]], []]
    batch = pa.record_batch(
        {"vector": VECTORS.slice(0, 4), "listed": lists(listed, pa.array(unknown).type)}
    )
    path = tmp_path / "items.safetensors"
    kept = [known, [], known[:1], []]
    result = score_batch(batch, path, vector_column="vector", exclude_column="listed")
    assert found_by(result) == expected(items.top_k(USERS[:4], exclude=kept))
    assert skipped(result) == {"unknown excluded": 2}
    result = score_batch(batch, path, vector_column="vector", candidates_column="listed")
    assert found_by(result) == expected(items.top_k(USERS[:4], candidates=kept))
    assert skipped(result) == {"unknown candidates": 2}
    result = ListScorer(os.fspath(path), "vector", "listed")(batch)
    scores = items.scores(USERS[:4], kept).tolist()
    wanted = [[*scores[0], None], [], [None, None, scores[2][0]], []]
    assert result.column("scores").to_pylist() == wanted
    assert skipped(result) == {"unknown candidates": 2}


def test_numbers_that_the_ids_cannot_be_find_nothing(tmp_path: Path) -> None:
    items = catalogue(
        tmp_path, (np.arange(ITEMS) % 200 + np.arange(ITEMS) // 200 * 300).astype("i2")
    )
    listed = [[2**16 + 3, 3, -(2**40)]]
    batch = pa.record_batch({"vector": VECTORS.slice(0, 1), "listed": lists(listed)})
    result = score_batch(
        batch, tmp_path / "items.safetensors", candidates_column="listed", vector_column="vector"
    )
    assert found_by(result) == expected(items.top_k(USERS[:1], candidates=[[3]]))


def test_ids_of_another_kind_are_refused(tmp_path: Path) -> None:
    catalogue(tmp_path, IDS["text"])
    batch = pa.record_batch({"vector": VECTORS.slice(0, 1), "seen": lists([[3]])})
    scorer = BatchScorer(
        tmp_path / "items.safetensors", vector_column="vector", exclude_column="seen"
    )
    with pytest.raises(ColumnError, match="column 'seen': got int64, expected strings, as the ids"):
        scorer(batch)
    batch = pa.record_batch({"vector": VECTORS.slice(0, 1), "seen": [3]})
    with pytest.raises(ColumnError, match="column 'seen': got int64, expected lists of items"):
        scorer(batch)


def test_lists_that_are_all_empty_have_any_type(tmp_path: Path) -> None:
    items = catalogue(tmp_path, IDS["text"])
    batch = pa.record_batch({"vector": VECTORS.slice(0, 2), "seen": pa.array([[], []])})
    assert batch.schema.field("seen").type.value_type == pa.null()
    result = score_batch(
        batch, tmp_path / "items.safetensors", vector_column="vector", exclude_column="seen"
    )
    assert found_by(result) == expected(items.top_k(USERS[:2]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int8])
def test_options_are_those_of_top_k(dtype: type, tmp_path: Path) -> None:
    items = catalogue(tmp_path, IDS["text"], dtype=dtype if dtype != np.int8 else np.float32)
    allow = TEXTS[::3]
    options = {"k": 7, "allow": allow, "min_score": 0.35}
    batch = pa.record_batch({"vector": VECTORS})
    wanted = items.top_k(USERS, **options)
    assert (wanted.scores == -np.inf).any()
    assert (wanted.scores > -np.inf).any()
    columns = [pa.array(allow), pa.array(allow, pa.string_view()), pa.chunked_array([allow])]
    for given in (allow, np.array(allow), *columns, columns[0].dictionary_encode()):
        result = score_batch(batch, tmp_path / "items.safetensors", **(options | {"allow": given}))
        assert found_by(result) == expected(wanted)
    kind = result.schema.field("recommendations").type.value_type
    assert kind.field("score").type == pa.from_numpy_dtype(wanted.scores.dtype)
    assert kind.field("item_id").type == pa.string()


def test_more_items_are_wanted_than_there_are(tmp_path: Path) -> None:
    items = catalogue(tmp_path)
    result = score_batch(
        pa.record_batch({"vector": VECTORS}), tmp_path / "items.safetensors", k=1000
    )
    assert found_by(result) == expected(items.top_k(USERS, 1000))
    assert {len(row) for row in found_by(result)} == {ITEMS}


def test_long_is_nested_row_by_row(tmp_path: Path) -> None:
    catalogue(tmp_path, IDS["text"])
    users = USERS.copy()
    users[3], users[ROWS - 1] = np.nan, np.nan
    ids = pa.array([f"u{row % 7}" for row in range(ROWS)]).dictionary_encode()
    batch = pa.record_batch({"user": ids, "vector": FORMS["list"](users)})
    options: dict[str, Any] = {"id_column": "user", "min_score": 0.3, "k": 5}
    path = tmp_path / "items.safetensors"
    nested = score_batch(batch, path, **options)
    long = score_batch(batch, path, format="long", **options)
    assert nested.schema.field("user").type == long.schema.field("user").type == pa.string()
    rows = zip(nested.column("user").to_pylist(), found_by(nested), strict=True)
    wanted = [
        {"user": user, "rank": rank, "item_id": item, "score": score}
        for user, row in rows
        for rank, (item, score) in enumerate(row, 1)
    ]
    assert 0 < len(wanted) < ROWS * 5
    assert long.to_pylist() == wanted
    assert skipped(long) == skipped(nested) == {"not finite": 2}


def test_the_cut_into_batches_and_threads_do_not_show(tmp_path: Path) -> None:
    items = catalogue(tmp_path)
    users = gaussian_rows(500, DIM, seed=2)
    table = pa.table({"vector": FORMS["fixed-size list"](users)})
    wanted = expected(items.top_k(users))
    for size, threads in ((500, 1), (500, 2), (77, None), (1, 2), (64, 3)):
        scorer = BatchScorer(tmp_path / "items.safetensors", threads=threads)
        found = [row for batch in table.to_batches(size) for row in found_by(scorer(batch))]
        assert found == wanted


def test_a_batch_without_rows(tmp_path: Path) -> None:
    catalogue(tmp_path)
    for form in FORMS.values():
        batch = pa.record_batch({"user": [1], "vector": form(USERS[:1])}).slice(1)
        for format in ("nested", "long"):
            result = score_batch(
                batch, tmp_path / "items.safetensors", id_column="user", format=format
            )
            assert len(result) == 0
            assert result.schema.names[0] == "user"


def test_a_scorer_is_pickled_as_its_options(tmp_path: Path) -> None:
    items = catalogue(tmp_path)
    scorer = BatchScorer(tmp_path / "items.safetensors", 3, allow=np.arange(0, ITEMS, 2))
    batch = pa.record_batch({"vector": VECTORS})
    wanted = expected(items.top_k(USERS, 3, allow=np.arange(0, ITEMS, 2)))
    pickled = pickle.dumps(scorer)
    assert found_by(scorer(batch)) == wanted
    assert pickle.dumps(scorer) == pickled
    (tmp_path / "scorer").write_bytes(pickled)
    with (
        pa.OSFile(os.fspath(tmp_path / "batch"), "wb") as file,
        pa.ipc.new_file(file, batch.schema) as out,
    ):
        out.write(batch)
    code = f"""
import pickle
import pyarrow as pa
scorer = pickle.loads(open({os.fspath(tmp_path / "scorer")!r}, "rb").read())
batch = pa.ipc.open_file({os.fspath(tmp_path / "batch")!r}).get_batch(0)
print(scorer(batch).column("recommendations").to_pylist())
"""
    found = eval(run_python(code))
    assert [[(pair["item_id"], pair["score"]) for pair in row] for row in found] == wanted


def test_a_catalogue_is_opened_once_until_its_file_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "items.safetensors"
    opened: list[str] = []
    true_open = cosim_rs.Catalogue.open
    monkeypatch.setattr(
        cosim_rs.Catalogue, "open", lambda path: (opened.append(path), true_open(path))[1]
    )
    cosim_rs.Catalogue(gaussian_rows(ITEMS, DIM, seed=5)).save(path)
    batch = pa.record_batch({"vector": VECTORS})
    scorer, other = BatchScorer(path, allow=[1, 2, 3]), BatchScorer(path)
    first = found_by(scorer(batch))
    other(batch)
    assert found_by(scorer(batch)) == first
    assert opened == [os.fspath(path)]
    catalogue(tmp_path)
    opened.clear()
    assert found_by(scorer(batch)) != first
    assert found_by(scorer(batch)) == expected(true_open(path).top_k(USERS, allow=[1, 2, 3]))
    assert opened == [os.fspath(path)]


@pytest.mark.parametrize("rows", [[2, 1, 0], [1, 0], [3, 0, 2, 1]])
def test_allowed_ids_are_looked_up_in_each_catalogue(rows: list[int], tmp_path: Path) -> None:
    path, names = tmp_path / "items.safetensors", np.array(list("abcd"))
    cosim_rs.Catalogue(np.eye(4)[:3], names[:3]).save(path)
    scorer = BatchScorer(path, allow=["a"])
    batch = pa.record_batch({"vector": [[1.0, 2.0, 3.0, 4.0]]})
    first = found_by(scorer(batch))
    assert [[item for item, _ in row] for row in first] == [["a"]]
    cosim_rs.Catalogue(np.eye(4)[rows], names[rows]).save(path)
    assert found_by(scorer(batch)) == first
    cosim_rs.Catalogue(np.eye(4)[1:3], names[1:3]).save(path)
    with pytest.raises(ValueError, match="allow: got 'a', which is no id of the catalogue"):
        scorer(batch)


def test_what_is_no_record_batch_is_refused(tmp_path: Path) -> None:
    catalogue(tmp_path)
    path = str(tmp_path / "items.safetensors")
    table = pa.table({"vector": VECTORS, "listed": lists([[0]] * ROWS)})
    scorers = (
        BatchScorer(path),
        ListScorer(path, "vector", "listed"),
        PairScorer("vector", "vector"),
    )
    for scorer in scorers:
        for given, name in ((table, "Table"), (table.to_pylist(), "list"), (None, "NoneType")):
            with pytest.raises(TypeError, match=f"batch: got {name}, expected pyarrow.RecordBatch"):
                scorer(given)


def test_options_that_are_not_allowed(tmp_path: Path) -> None:
    catalogue(tmp_path)
    path = tmp_path / "items.safetensors"
    for options, message in (
        ({"k": 0}, "k: got 0"),
        ({"threads": 0}, "threads: got 0"),
        ({"min_score": float("nan")}, "min_score: got nan"),
        ({"format": "wide"}, "format: got 'wide', expected one of nested, long"),
        ({"format": "long"}, "format: got 'long' and no id_column"),
        ({"id_column": "recommendations"}, "id_column: got 'recommendations'"),
        ({"id_column": "rank", "format": "long"}, "id_column: got 'rank'"),
    ):
        with pytest.raises(ValueError, match=message):
            BatchScorer(path, **options)
    for allow, got in (("a", "str"), (3, "int"), ({"a"}, "set")):
        with pytest.raises(TypeError, match=f"allow: got {got}, expected an array of ids"):
            BatchScorer(path, allow=allow)
    with pytest.raises(ValueError, match=r"allow: got shape \(1, 2\), expected \(M,\) of ids"):
        BatchScorer(path, allow=[[1, 2]])
    batch = pa.record_batch({"vector": VECTORS})
    with pytest.raises(ValueError, match=f"allow: got {ITEMS}, which is no id of the catalogue"):
        BatchScorer(path, allow=[1, ITEMS])(batch)
    with pytest.raises(TypeError, match="allow: got string, expected whole numbers"):
        BatchScorer(path, allow=["a"])(batch)
    with pytest.raises(FileNotFoundError):
        BatchScorer(tmp_path / "none.safetensors")(batch)


def test_lists_of_unlike_lengths_are_scored_in_tables_of_moderate_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = catalogue(tmp_path)
    rng = np.random.default_rng(3)
    listed = [rng.choice(ITEMS, length).tolist() for length in (0, 5, 1, 200, 3, 0, 0, 7, 1, 2)]
    batch = pa.record_batch({"vector": VECTORS.slice(0, 10), "listed": lists(listed)})
    wanted = [
        items.scores(USERS[row], some).tolist() if some else [] for row, some in enumerate(listed)
    ]
    for most in (1, 10, 300, 10**6):
        monkeypatch.setattr("cosim_rs.batch._listed.MOST_PLACES", most)
        scorer = ListScorer(os.fspath(tmp_path / "items.safetensors"), "vector", "listed")
        assert scorer(batch).column("scores").to_pylist() == wanted


@pytest.mark.parametrize("listed", [[], [ITEMS], [None, -1], None, [3], [ITEMS, 3]], ids=str)
def test_a_vector_that_is_not_finite_is_counted_whatever_its_list(
    listed: list[int | None] | None, tmp_path: Path
) -> None:
    items = catalogue(tmp_path)
    users = USERS[:3].copy()
    users[0], users[2, 4] = np.nan, np.inf
    batch = pa.record_batch({"vector": FORMS["list"](users), "listed": lists([listed] * 3)})
    result = ListScorer(str(tmp_path / "items.safetensors"), "vector", "listed")(batch)
    scores = result.column("scores").to_pylist()
    known = items.scores(users[1:2], [[3]])[0, 0]
    assert scores == [None, [known if item == 3 else None for item in listed or []], None]
    unknown = 3 * sum(item in (ITEMS, -1) for item in listed or [])
    counts = {"not finite": 2, "unknown candidates": unknown}
    assert skipped(result) == {reason: count for reason, count in counts.items() if count}


def test_lists_of_a_vector_that_is_not_finite_are_null(tmp_path: Path) -> None:
    items = gaussian_rows(ITEMS, DIM)
    items[1] = np.nan
    path = tmp_path / "items.safetensors"
    cosim_rs.Catalogue(items).save(path)
    users = USERS[:4].copy()
    users[0], users[2] = np.inf, 0
    listed = [[0, 2], [0, 1], [0], []]
    vectors = pa.array([users[0].tolist(), users[1].tolist(), users[2].tolist(), None])
    batch = pa.record_batch({"id": [1, 2, 3, 4], "vector": vectors, "listed": lists(listed)})
    result = ListScorer(os.fspath(path), "vector", "listed", "id")(batch)
    scores = result.column("scores").to_pylist()
    assert scores[0] is None
    assert scores[1][0] is not None
    assert np.isnan(scores[1][1])  # as the contract says of an item that is not finite
    assert scores[2:] == [[0.0], None]
    assert result.schema.names == ["id", "listed", "scores"]
    assert result.column("listed").to_pylist() == listed
    assert skipped(result) == {"not finite": 1, "null": 1}
