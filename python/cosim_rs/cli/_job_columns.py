"""Which columns a job reads and writes, as its options name them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pyarrow as pa

from cosim_rs.cli._errors import BadOption
from cosim_rs.cli._options import Options, as_option
from cosim_rs.cli._tables import is_vectors, shown

PAIR, LIST = ("x_column", "y_column"), ("vector_column", "candidates_column")


def scored(options: Options, schema: pa.Schema) -> tuple[str, str]:
    """The options that name the two columns, with a catalogue or without, and no others may."""
    wanted, others = (PAIR, LIST) if options.catalogue is None else (LIST, PAIR)
    for name in others:
        if getattr(options, name) is not None:
            needs = "needs" if others is LIST else "does without"
            got = f"got {getattr(options, name)!r}"
            raise BadOption(f"{as_option(name)}: {got}, which {needs} --catalogue")
    for name in wanted:
        # Vectors beside lists of ids can be told from them.
        if getattr(options, name) is None and name != "vector_column":
            raise BadOption(f"{as_option(name)}: expected one of {shown(schema)}")
    return wanted


def named(schema: pa.Schema, option: str, name: str) -> str:
    """A column that an option names."""
    if schema.names.count(name) != 1:
        raise BadOption(f"{option}: got {name!r}, expected one of {shown(schema)}")
    return name


def vectors_named(schema: pa.Schema, option: str, name: str) -> str:
    """A column of vectors that an option names."""
    field = schema.field(named(schema, option, name))
    if not is_vectors(field):
        raise BadOption(f"{option}: got {name!r}, which is {field.type}, expected vectors")
    return name


def check_distinct(columns: Mapping[str, str | None]) -> None:
    """Raise if two options name one column."""
    first: dict[str, str] = {}
    for option, name in columns.items():
        if name is not None and first.setdefault(name, option) != option:
            raise BadOption(f"{option}: got {name!r}, expected another column than {first[name]}")


def check_free(columns: Mapping[str, str | None], result: Collection[str]) -> None:
    """Raise if a column that is taken over is called as one of the result."""
    for option, name in columns.items():
        if name in result:
            raise BadOption(f"{option}: got {name!r}, as a column of the result is called")


def without(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    """The other columns."""
    return pa.schema([field for field in schema if field.name not in names])


__all__ = ["check_distinct", "check_free", "named", "scored", "vectors_named", "without"]
