"""Write a "see also" for Python's documentation: what in other modules is most like each function.

A job on files, as it would be run for millions of users. What the standard library says of its
functions, classes and methods is turned into vectors, as examples/search_docs.py does, and written
to a Parquet file. The command line makes a catalogue of it, and finds for each row the best of all
others that are not in its own module. What it has written is then asked with Polars, and could be
with anything else that reads Parquet.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from search_docs import MODULES, Encoder, documented

FUNCTIONS, CATALOGUE, SEE_ALSO = "functions.parquet", "functions.safetensors", "see_also"
REPEATED = "repeated.parquet"
# Texts from LINKED on mean something alike, and from ALIKE on nearly the same.
LINKED, ALIKE, SHOWN = 0.75, 0.9, 8


def write_functions(path: Path, texts: Mapping[str, str], encoder: Encoder) -> None:
    """Write a row a function: its name, module, text and vector, and all names of its module."""
    homes = [name.split(".")[0] for name in texts]
    members: defaultdict[str, list[str]] = defaultdict(list)
    for name, home in zip(texts, homes, strict=True):
        members[home].append(name)
    vectors = encoder.encode(list(texts.values()))
    columns = {
        "name": list(texts),
        "module": homes,
        "text": list(texts.values()),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1]),
        "own": [members[home] for home in homes],
    }
    pq.write_table(pa.table(columns), path, row_group_size=512)


def run(folder: Path, command: str) -> None:
    """Run a command line in a folder, and show it as a shell would."""
    print(f"$ cosim-rs {command}", flush=True)
    subprocess.run([sys.executable, "-m", "cosim_rs", *command.split()], cwd=folder, check=True)


def links(folder: Path) -> pl.DataFrame:
    """A row a link, best first: name, module and text of a function and of the other one."""
    functions = pl.scan_parquet(folder / FUNCTIONS).select("name", "module", "text")
    others = functions.select(pl.all().name.prefix("other_"))
    return (
        pl.scan_parquet(folder / SEE_ALSO)
        .explode("recommendations")
        .unnest("recommendations")
        .rename({"item_id": "other_name"})
        .join(functions, on="name")
        .join(others, on="other_name")
        .sort("score", "name", descending=[True, False])
        .collect()
    )


def report(found: pl.DataFrame, repeated: pl.DataFrame) -> Iterator[str]:
    """Show the best links, which modules are linked most, and how often the same is said twice."""
    best = found.group_by("name", maintain_order=True).first()
    linked = best.filter(pl.col("score") >= LINKED)
    yield f"{len(linked)} of {len(best)} functions score {LINKED} or more with another module's"
    # Two functions that have each other as the best are one link.
    link = pl.concat_list("name", "other_name").list.sort()
    worded = linked.filter(pl.col("text") != pl.col("other_text"))
    for row in worded.unique(link, keep="first", maintain_order=True).head(SHOWN).to_dicts():
        yield f"  {row['score']:.3f} {shown(row['name'], row['text'])}"
        yield f"        see also {shown(row['other_name'], row['other_text'])}"
    counts = (
        linked.group_by("module", "other_module")
        .len()
        .sort(["len", "module", "other_module"], descending=[True, False, False])
    )
    for row in counts.head(SHOWN).to_dicts():
        yield f"{row['len']:4} of {row['module']} have one of {row['other_module']}"
    exact = repeated.filter(pl.col("score") == 1)
    yield f"{len(repeated)} pairs of all score {ALIKE} or more, {len(exact)} of them exactly 1"


def shown(name: str, text: str) -> str:
    """A function and its text, on a line."""
    return textwrap.shorten(f"{name}: {text}", width=100)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the file, run the commands, and look at what they have written."""
    parser = argparse.ArgumentParser(description='Write a "see also" for Python\'s documentation.')
    parser.add_argument("--folder", type=Path, help="where to leave the files (nowhere)")
    parser.add_argument("--modules", type=str.split, default=MODULES.split(), help="which modules")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        write_functions(folder / FUNCTIONS, documented(options.modules), Encoder())
        columns = "--id-column name --vector-column vector"
        run(folder, f"index {FUNCTIONS} {columns} -o {CATALOGUE}")
        run(
            folder,
            f"top-k {FUNCTIONS} {columns} --catalogue {CATALOGUE} "
            f"--exclude-column own -k 3 -o {SEE_ALSO}",
        )
        run(folder, f"mine {CATALOGUE} --min-score {ALIKE} -o {REPEATED}")
        print(*report(links(folder), pl.read_parquet(folder / REPEATED)), sep="\n")


if __name__ == "__main__":
    main()
