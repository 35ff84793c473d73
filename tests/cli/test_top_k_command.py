"""`cosim-rs top-k`: files in, the bits of `Catalogue.top_k` out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from files import done, refusal, vectors_column, write_arrow, write_npy, write_parquet
from jobs import (
    DIM,
    GROUP,
    ROWS,
    SEEN,
    USERS,
    VECTORS,
    ids,
    nested,
    rows_in,
    write_catalogue,
    write_users,
)

from cosim_rs.cli import _job_rows


def top_k(users: Path | list[Path], *options: object) -> Path:
    """Run it, into a folder beside the users."""
    paths = users if isinstance(users, list) else [users]
    folder = paths[0].parent
    done(
        "top-k", *paths, "--catalogue", folder / "items.safetensors", "-o", folder / "out", *options
    )
    return folder / "out"


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("rows", [1, 64, 8192])
def test_all_users_find_what_they_would_alone(
    rows: int, threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = write_catalogue(tmp_path)
    monkeypatch.setattr("cosim_rs.cli._job_verbs.BATCH_ROWS", rows)
    out = top_k(write_users(tmp_path), "-k", 3, "--threads", threads)
    assert rows_in(out) == nested(USERS.tolist(), items.top_k(VECTORS, 3))
    assert (out / "_SUCCESS").read_bytes() == b""


def test_what_is_written_where(tmp_path: Path) -> None:
    write_catalogue(tmp_path)
    vectors = VECTORS.copy()
    vectors[5] = np.nan
    users = write_users(tmp_path, vector=vectors)
    out = tmp_path / "new" / "out"
    outcome = done("top-k", users, "--catalogue", tmp_path / "items.safetensors", "-o", out)
    assert "rows: 700, skipped: 1 not finite\n" in outcome.out
    assert "rows/s\n" in outcome.out
    assert f"output: {out}, 1 parts\n" in outcome.out
    # Nothing else may lie in the folder, which engines read as a whole.
    assert sorted(path.name for path in out.iterdir()) == ["_SUCCESS", "part-000000.parquet"]
    assert sorted(path.name for path in out.parent.iterdir()) == ["out", "out.manifest.json"]
    assert len(pq.read_table(out)) == ROWS  # an engine that reads it


def test_parts_are_cut_by_row_groups_and_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = write_catalogue(tmp_path)
    monkeypatch.setattr(_job_rows, "PART_ROWS", 2 * GROUP)
    users = tmp_path / "users"
    users.mkdir()
    write_parquet(users / "a.parquet", {"user_id": USERS[:500], "vector": VECTORS[:500]}, GROUP)
    write_parquet(users / "b.parquet", {"user_id": USERS[500:], "vector": VECTORS[500:]}, 1000)
    catalogue, out = tmp_path / "items.safetensors", tmp_path / "out"
    done("top-k", users, "--catalogue", catalogue, "-o", out, "-k", 2)
    parts = sorted(out.glob("*.parquet"))
    assert [pq.read_metadata(part).num_rows for part in parts] == [180, 180, 140, 200]
    assert rows_in(out) == nested(USERS.tolist(), items.top_k(VECTORS, 2))


def test_exclusions_in_a_column(tmp_path: Path) -> None:
    items = write_catalogue(tmp_path)
    out = top_k(write_users(tmp_path, seen=ids(SEEN)), "-k", 4, "--exclude-column", "seen")
    assert rows_in(out) == nested(USERS.tolist(), items.top_k(VECTORS, 4, exclude=ids(SEEN)))


def test_candidates_in_a_column(tmp_path: Path) -> None:
    items = write_catalogue(tmp_path)
    out = top_k(write_users(tmp_path, offers=ids(SEEN)), "--candidates-column", "offers")
    assert rows_in(out) == nested(USERS.tolist(), items.top_k(VECTORS, candidates=ids(SEEN)))


PAIRS = [(row, item) for row, some in enumerate(ids(SEEN)) for item in some]


def seen_file(folder: Path, form: str) -> Path:
    """What users have seen, in no order of theirs, with some of users and items that are none."""
    order = np.random.default_rng(0).permutation(len(PAIRS))
    users = [*(USERS[PAIRS[place][0]] for place in order), "nobody", None, USERS[0], USERS[1]]
    items: list[Any] = [*(PAIRS[place][1] for place in order), 10, 10, 99_999, None]
    if form == "pairs":
        return write_parquet(folder / "seen.parquet", {"user_id": users, "item": items}, 500)
    if form == "pairs with a dictionary":
        encoded = pa.array(users).dictionary_encode()
        return write_parquet(folder / "seen.parquet", {"item": items, "user_id": encoded}, 500)
    # A user may have several lists.
    half = len(users) // 2
    rows: dict[str | None, list[Any]] = {}
    lists = []
    for begin, end in ((0, half), (half, len(users))):
        rows = {}
        for user, item in zip(users[begin:end], items[begin:end], strict=True):
            rows.setdefault(user, []).append(item)
        lists += rows.items()
    kind = pa.list_(pa.int64()) if form == "lists" else pa.large_list(pa.int32())
    columns = {
        "user_id": pa.array([user for user, _ in lists]),
        "seen": pa.array([some for _, some in lists], kind),
    }
    return write_parquet(folder / "seen.parquet", columns, 100)


@pytest.mark.parametrize("form", ["pairs", "pairs with a dictionary", "lists", "large lists"])
def test_exclusions_in_a_file(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = write_catalogue(tmp_path)
    monkeypatch.setattr(_job_rows, "PART_ROWS", 2 * GROUP)
    monkeypatch.setattr("cosim_rs.cli._job_verbs.BATCH_ROWS", 40)
    out = top_k(write_users(tmp_path), "-k", 4, "--exclude", seen_file(tmp_path, form))
    assert rows_in(out) == nested(USERS.tolist(), items.top_k(VECTORS, 4, exclude=ids(SEEN)))


def test_which_column_of_that_file(tmp_path: Path) -> None:
    items = write_catalogue(tmp_path)
    users = write_users(tmp_path)
    columns = {"when": [1, 2], "user_id": [USERS[0], USERS[2]], "item": [20, 30]}
    seen = write_parquet(tmp_path / "seen.parquet", columns)
    arguments = ["top-k", users, "--catalogue", tmp_path / "items.safetensors"]
    arguments += ["-o", tmp_path / "out", "--exclude", seen]
    wanted = "--exclude-column: expected to be told which column"
    assert refusal(2, *arguments).startswith(wanted)
    assert "has no column 'items'" in refusal(2, *arguments, "--exclude-column", "items")
    done(*arguments, "--exclude-column", "item")
    exclude = [[20], [], [30]] + [[]] * (ROWS - 3)
    found = items.top_k(VECTORS, exclude=exclude)
    assert rows_in(tmp_path / "out") == nested(USERS.tolist(), found)


def test_users_of_another_kind_in_that_file(tmp_path: Path) -> None:
    write_catalogue(tmp_path)
    seen = write_parquet(tmp_path / "seen.parquet", {"user_id": [1], "item": [20]})
    message = refusal(
        3, "top-k", write_users(tmp_path), "--catalogue", tmp_path / "items.safetensors",
        "-o", tmp_path / "out", "--exclude", seen,
    )  # fmt: skip
    assert message == f"{seen}, column user_id: got string, expected whole numbers, as the ids"
    assert not (tmp_path / "out").exists()


NOTHING: dict[str, dict[str, Any]] = {
    "null items": {"item": pa.array([None] * 2, pa.int64())},
    "nulls of no type": {"item": pa.nulls(2)},
    "users of no type": {"user_id": pa.nulls(2), "item": [10, 20]},
    "null users": {"user_id": pa.array([None] * 2, pa.string()), "item": [10, 20]},
    "empty lists": {"item": pa.array([[], None], pa.list_(pa.int64()))},
    "lists of nulls": {"item": pa.array([[None], [None, None]], pa.list_(pa.int64()))},
}


@pytest.mark.parametrize("name", NOTHING)
def test_nobody_has_seen_anything(name: str, tmp_path: Path) -> None:
    items = write_catalogue(tmp_path)
    columns = {"user_id": USERS[:2], **NOTHING[name]}
    seen = write_parquet(tmp_path / "seen.parquet", columns)
    out = top_k(write_users(tmp_path), "-k", 3, "--exclude", seen)
    assert rows_in(out) == nested(USERS.tolist(), items.top_k(VECTORS, 3))


@pytest.mark.parametrize("kind", ["list", "large list", "fixed-size list"])
def test_items_under_a_null_have_not_been_seen(kind: str, tmp_path: Path) -> None:
    items = write_catalogue(tmp_path)
    values, starts = pa.array([10, 20, 30, 40, 50, 60]), [0, 2, 4, 6]
    mask = pa.array([False, True, False])
    lists = {
        "list": lambda: pa.ListArray.from_arrays(pa.array(starts, pa.int32()), values, mask=mask),
        "large list": lambda: pa.LargeListArray.from_arrays(
            pa.array(starts, pa.int64()), values, mask=mask
        ),
        "fixed-size list": lambda: pa.FixedSizeListArray.from_arrays(values, 2, mask=mask),
    }[kind]()
    assert len(lists.values) == 6
    table = pa.table({"user_id": USERS[:3], "seen": lists})
    out = top_k(
        write_users(tmp_path), "-k", 3, "--exclude", write_arrow(tmp_path / "seen.arrow", table)
    )
    exclude = [[10, 20], [], [50, 60]] + [[]] * (ROWS - 3)
    assert rows_in(out) == nested(USERS.tolist(), items.top_k(VECTORS, 3, exclude=exclude))


@pytest.mark.parametrize(
    ("item", "kind"), [("a", "string"), (1.5, "double"), (["a"], "string"), ([[1]], "list")]
)
def test_items_of_another_kind_in_that_file(item: Any, kind: str, tmp_path: Path) -> None:
    write_catalogue(tmp_path)
    columns = {"user_id": USERS[:1], "item": [item]}
    seen = write_parquet(tmp_path / "seen.parquet", columns)
    message = refusal(
        3, "top-k", write_users(tmp_path), "--catalogue", tmp_path / "items.safetensors",
        "-o", tmp_path / "out", "--exclude", seen,
    )  # fmt: skip
    assert message.startswith(f"{seen}, column item: got {kind}")
    assert message.endswith(", expected whole numbers, as the ids")


@pytest.mark.parametrize(
    ("allowed", "problem"),
    [
        ([10, 20, 11], ", row 2: got 11, expected an id of the catalogue"),
        ([10, None], ", row 1: got None, expected an id of the catalogue"),
        (["a"], ": got string, expected whole numbers, as the ids"),
    ],
)
def test_allowed_items_that_are_none(allowed: list[Any], problem: str, tmp_path: Path) -> None:
    write_catalogue(tmp_path)
    allow = write_parquet(tmp_path / "allow.parquet", {"item": allowed})
    message = refusal(
        3, "top-k", write_users(tmp_path), "--catalogue", tmp_path / "items.safetensors",
        "-o", tmp_path / "out", "--allow", allow,
    )  # fmt: skip
    assert message == f"{allow}, column item{problem}"


def test_allowed_items_and_the_least_score(tmp_path: Path) -> None:
    items = write_catalogue(tmp_path)
    some = 10 * np.arange(0, 200, 3)
    allow = write_parquet(tmp_path / "allow.parquet", {"item": some, "name": ["a"] * len(some)})
    users = write_users(tmp_path)
    assert "expected one column of ids" in refusal(
        2, "top-k", users, "--catalogue", tmp_path / "items.safetensors", "-o", tmp_path / "out",
        "--allow", allow,
    )  # fmt: skip
    write_parquet(allow, {"item": some})
    out = top_k(users, "--allow", allow, "--min-score", 0.3)
    found = items.top_k(VECTORS, allow=some, min_score=0.3)
    assert (found.scores == -np.inf).any()
    assert rows_in(out) == nested(USERS.tolist(), found)


def test_long(tmp_path: Path) -> None:
    items = write_catalogue(tmp_path)
    out = top_k(write_users(tmp_path), "--format", "long", "-k", 3, "--min-score", 0.5)
    wanted = [
        {"user_id": row["user_id"], "rank": rank, **pair}
        for row in nested(USERS.tolist(), items.top_k(VECTORS, 3, min_score=0.5))
        for rank, pair in enumerate(row["recommendations"], 1)
    ]
    assert 0 < len(wanted) < 3 * ROWS
    assert rows_in(out) == wanted


def test_other_formats(tmp_path: Path) -> None:
    items = write_catalogue(tmp_path)
    columns = {"user_id": USERS, "vector": vectors_column(VECTORS)}
    users = write_arrow(tmp_path / "users.arrow", pa.table(columns))
    wanted = nested(USERS.tolist(), items.top_k(VECTORS, 2))
    assert rows_in(top_k(users, "-k", 2)) == wanted
    users = write_npy(tmp_path / "users.npy", VECTORS)
    out = top_k(users, "-k", 2, "--ids", write_npy(tmp_path / "ids.npy", USERS), "--overwrite")
    assert [list(row.values()) for row in rows_in(out)] == [list(row.values()) for row in wanted]
    out = top_k(users, "-k", 2, "--overwrite")  # without ids, a list a row
    assert [row["recommendations"] for row in rows_in(out)] == [
        row["recommendations"] for row in wanted
    ]


def test_tables_without_rows(tmp_path: Path) -> None:
    write_catalogue(tmp_path)
    for rows in (0, 5):
        users = write_parquet(
            tmp_path / "users.parquet", {"user_id": USERS[:rows], "vector": VECTORS[:rows]}
        )
        out = top_k(users, "--overwrite")
        assert len(pq.read_table(out)) == rows
        assert pq.read_table(out).schema.names == ["user_id", "recommendations"]


def test_more_items_a_user_make_batches_of_fewer_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = write_catalogue(tmp_path)
    monkeypatch.setattr("cosim_rs.cli._job_verbs.MOST_FOUND", 2000)
    sizes = []
    pieces = _job_rows.Source.pieces

    def noting(source: Any, parts: Any) -> Any:
        for piece in pieces(source, parts):
            sizes.append(len(piece.rows))
            yield piece

    monkeypatch.setattr(_job_rows.Source, "pieces", noting)
    out = top_k(write_users(tmp_path), "-k", 150)
    assert rows_in(out) == nested(USERS.tolist(), items.top_k(VECTORS, 150))
    assert max(sizes) == 13


def test_bad_data_is_told_by_file_column_and_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_catalogue(tmp_path)
    monkeypatch.setattr("cosim_rs.cli._job_verbs.BATCH_ROWS", 40)
    catalogue = ["--catalogue", tmp_path / "items.safetensors", "-o", tmp_path / "out"]
    lists = VECTORS.tolist()
    lists[333] = lists[333][:-1]
    users = write_users(tmp_path, vector=pa.array(lists, pa.list_(pa.float32())))
    message = refusal(3, "top-k", users, *catalogue)
    expected = f"got a vector of {DIM - 1} numbers, expected {DIM}, as the items"
    assert message == f"{users}, column vector, row 333: {expected}"
    # What the schema tells is refused before there is an output.
    for columns, problem in (
        ({"vector": VECTORS[:, 1:]}, f"column vector: got vectors of {DIM - 1} numbers"),
        ({"seen": [["a"]] * ROWS}, "column seen: got string, expected whole numbers, as the ids"),
    ):
        fresh = tmp_path / "fresh"
        users = write_users(tmp_path, **{"seen": ids(SEEN), **columns})
        options = [*catalogue[:2], "-o", fresh, "--exclude-column", "seen"]
        assert refusal(3, "top-k", users, *options).startswith(f"{users}, {problem}")
        assert not fresh.exists()


def test_options_that_name_what_is_not_there(tmp_path: Path) -> None:
    write_catalogue(tmp_path)
    users = write_users(tmp_path)
    begin = ["top-k", users, "-o", tmp_path / "out", "--catalogue", tmp_path / "items.safetensors"]
    for option in ("--exclude-column", "--candidates-column"):
        message = refusal(2, *begin, option, "none")
        assert message.startswith(f"{option}: got 'none', expected one of user_id (string), vector")
    for pair in (
        ["--exclude-column", "--candidates-column"],
        ["--id-column", "--exclude-column"],
        ["--vector-column", "--candidates-column"],
    ):
        message = refusal(2, *begin, pair[0], "vector", pair[1], "vector")
        assert message == f"{pair[1]}: got 'vector', expected another column than {pair[0]}"
    assert refusal(2, *begin, "--min-score", "nan").endswith("got 'nan', expected a number")
    text = tmp_path / "text"
    text.write_text("no catalogue")
    message = refusal(3, *begin[:-1], text)
    assert message.startswith(f"{text}: got a file of another kind")
    only = write_parquet(tmp_path / "only.parquet", {"vector": VECTORS})
    message = refusal(2, "top-k", only, *begin[2:], "--format", "long")
    assert message.startswith("--id-column: found no column of ids")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "format"), [("recommendations", "nested"), ("item_id", "long"), ("rank", "long")]
)
def test_ids_that_are_called_as_a_column_of_the_result(
    name: str, format: str, tmp_path: Path
) -> None:
    write_catalogue(tmp_path)
    users = write_parquet(tmp_path / "users.parquet", {name: USERS, "vector": VECTORS})
    message = refusal(
        2, "top-k", users, "--catalogue", tmp_path / "items.safetensors", "-o", tmp_path / "out",
        "--format", format,
    )  # fmt: skip
    assert message == f"--id-column: got {name!r}, as a column of the result is called"
