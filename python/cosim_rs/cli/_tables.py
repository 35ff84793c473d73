"""Tables of any format, behind one interface: units of rows that are read alone, in batches.

A unit is what its format reads by itself: a row group of Parquet, a record batch of an Arrow file,
a slice of a mapped array. So a job is cut by units, and one that was interrupted goes on with those
that are not done. What a file is, its first bytes say and not its name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

import pyarrow as pa

from cosim_rs.cli import _formats
from cosim_rs.cli._array_table import ArrayTable
from cosim_rs.cli._arrow_files import ArrowStreamTable, ArrowTable, ParquetTable
from cosim_rs.cli._errors import BadData, BadOption

Fits: TypeAlias = Callable[[pa.Field], bool]

LISTS = (pa.types.is_fixed_size_list, pa.types.is_list, pa.types.is_large_list)
IDS = (
    pa.types.is_integer,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_string_view,
)


class Table(Protocol):
    """One file of rows."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def schema(self) -> pa.Schema:
        """Its columns."""

    @property
    def units(self) -> list[int]:
        """The rows of each unit, which lie one after the other."""

    def batches(self, unit: int, columns: Sequence[str], size: int) -> Iterable[pa.RecordBatch]:
        """Read these columns of a unit, in this order, at most `size` rows at a time.

        It may be called from several threads. BadData says what is wrong with the file.
        """


def open_table(path: str | Path, *, ids: str | Path | None = None) -> Table:
    """Open a file; `ids` is one of the ids of its rows, where the format has none."""
    path = Path(path)
    format = _formats.format_of(path)
    arrow: dict[str, Callable[[Path], Table]] = {
        _formats.PARQUET: ParquetTable,
        _formats.ARROW: ArrowTable,
        _formats.ARROW_STREAM: ArrowStreamTable,
    }
    if format not in arrow:
        return ArrayTable(path, format, None if ids is None else Path(ids))
    if ids is not None:
        raise BadOption(f"--ids: got {ids}, expected none for {format}, whose columns have names")
    return arrow[format](path)


def open_tables(paths: Sequence[str | Path], *, ids: str | Path | None = None) -> list[Table]:
    """Open files, and those in folders, in the order of their names; all have the same columns."""
    files = [file for path in paths for file in _files(Path(path))]
    if ids is not None and len(files) != 1:
        raise BadOption(f"--ids: got {len(files)} files of vectors, expected one")
    tables = [open_table(file, ids=ids) for file in files]
    for table in tables[1:]:
        if _names_and_types(table.schema) != _names_and_types(tables[0].schema):
            got, wanted = shown(table.schema), shown(tables[0].schema)
            raise BadData(f"got columns {got}, expected {wanted} as in {files[0]}", table.path)
    return tables


def _names_and_types(schema: pa.Schema) -> list[tuple[str, pa.DataType]]:
    """What makes columns the same; whether there may be nulls does not."""
    return [(field.name, field.type) for field in schema]


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.is_file() and file.name[0] not in "_.")
    if not files:
        raise BadData("got a folder without files, expected some", path)
    return files


def pick_columns(
    schema: pa.Schema, id_column: str | None, vector_column: str | None
) -> tuple[str | None, str]:
    """The columns of ids, if there is one, and of vectors; what is guessed is said."""
    vectors = _picked(schema, "vector", vector_column, is_vectors, _is_surely_vectors)
    if vectors is None:
        raise BadOption(f"--vector-column: found no column of vectors among {shown(schema)}")
    ids = _picked(schema, "id", id_column, is_ids, lambda field: field.name.endswith("_id"))
    return ids, vectors


def _picked(
    schema: pa.Schema, kind: str, name: str | None, fits: Fits, is_surely: Fits
) -> str | None:
    """The column that was asked for; or the one of that name, or the only one that fits best."""
    option = f"--{kind}-column"
    fitting = [field for field in schema if fits(field)]
    names = [field.name for field in fitting]
    if name is not None:
        if names.count(name) != 1:
            raise BadOption(f"{option}: got {name!r}, which does not fit: {shown(schema)}")
        return name
    best = [kind] * names.count(kind) or [field.name for field in filter(is_surely, fitting)]
    best = best or names
    if len(best) > 1:
        raise BadOption(f"{option}: expected to be told which of {', '.join(best)}")
    if best and len(schema) > 1:
        print(f"guessed {option} {best[0]}", file=sys.stderr)
    return best[0] if best else None


def is_vectors(field: pa.Field) -> bool:
    """Whether a column may hold vectors: lists of numbers, or tensors of one axis."""
    kind = field.type
    if isinstance(kind, pa.FixedShapeTensorType):
        return len(kind.shape) == 1 and _is_number(kind.value_type)
    is_list = any(is_kind(kind) for is_kind in LISTS)
    return is_list and _is_number(kind.value_type)


def is_ids(field: pa.Field) -> bool:
    """Whether a column may hold ids: whole numbers or strings."""
    kind = field.type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(is_kind(kind) for is_kind in IDS)


def _is_surely_vectors(field: pa.Field) -> bool:
    """Whether a column holds no lists of ids."""
    is_fixed = not any(is_kind(field.type) for is_kind in LISTS[1:])
    return is_fixed or _is_number(field.type.value_type, whole=False)


def _is_number(kind: pa.DataType, *, whole: bool = True) -> bool:
    return pa.types.is_floating(kind) or (whole and pa.types.is_integer(kind))


def shown(schema: pa.Schema) -> str:
    """The columns of a schema, for an error."""
    return ", ".join(f"{field.name} ({field.type})" for field in schema)


__all__ = ["Table", "is_ids", "is_vectors", "open_table", "open_tables"]
__all__ += ["pick_columns", "shown"]
