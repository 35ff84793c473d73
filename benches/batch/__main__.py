"""Each step measured, in processes of its own, then the page."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .page import page
from .run import Cost, cost, peer, top_k

USERS, MANY = 200_000, 2_000_000
KILLS = 10


def data(folder: Path, users: int) -> Path:
    """The files of so many users."""
    path = folder / str(users)
    if not (path / "users.parquet").exists():
        subprocess.run(
            [sys.executable, "-m", "benches.batch.data", str(path), str(users)], check=True
        )
    return path


def measured(command: Callable[[Path], list[str]], output: Path, rounds: int = 1) -> list[Cost]:
    """What it costs to make an output, anew each time."""
    costs = []
    for _ in range(rounds):
        shutil.rmtree(output, ignore_errors=True)
        costs.append(cost(command(output)))
    return costs


def ours(folder: Path) -> Any:
    """The job, and in turn the fastest of the peers."""
    files, costs = data(folder, USERS), {"cosim_rs": [], "groups": []}
    measured(lambda output: top_k(files, output), folder / "ours")  # the files into the cache
    for _ in range(3):
        costs["cosim_rs"] += measured(lambda output: top_k(files, output), folder / "ours")
        costs["groups"] += measured(lambda output: peer("groups", files, output), folder / "groups")
    compare(folder, "groups")
    return costs


def peers(way: str) -> Callable[[Path], Any]:
    """One that takes so long that once must do."""

    def step(folder: Path) -> Any:
        files = data(folder, USERS)
        costs = measured(lambda output: peer(way, files, output), folder / way)
        compare(folder, way)
        return {way: costs}

    return step


def compare(folder: Path, way: str) -> None:
    """Raise unless both have found the same."""
    paths = [str(folder / name) for name in ("ours", way)]
    subprocess.run([sys.executable, "-m", "benches.batch.check", *paths], check=True)


def many(folder: Path) -> Any:
    """Ten times as many users."""
    files = data(folder, MANY)
    return {"many": measured(lambda output: top_k(files, output), folder / "many")}


def profile(folder: Path) -> Any:
    """Where the time goes."""
    told, arguments = folder / "profile.json", top_k(data(folder, USERS), folder / "profile")
    shutil.rmtree(folder / "profile", ignore_errors=True)
    command = [sys.executable, "-m", "benches.batch.profile", str(told), *arguments[3:]]
    return {"profiled": [cost(command)], "profile": json.loads(told.read_text())}


def kills(folder: Path) -> Any:
    """Killed at random moments, each time resumed; what is there must be what there was."""
    files, rng = data(folder, USERS), random.Random(0)
    expected = contents(folder / "ours")
    seconds = cost(top_k(files, folder / "ours", "--overwrite")).seconds
    done = []
    for _ in range(KILLS):
        shutil.rmtree(folder / "killed", ignore_errors=True)
        moment = rng.uniform(0, seconds)
        with subprocess.Popen(
            top_k(files, folder / "killed"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(moment)
            process.kill()
        parts = len(contents(folder / "killed"))
        cost(top_k(files, folder / "killed", "--resume"))
        done.append([moment, parts, contents(folder / "killed") == expected])
    return {"kills": done}


def contents(folder: Path) -> dict[str, bytes]:
    """All parts."""
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


STEPS: dict[str, Callable[[Path], Any]] = {
    "ours": ours,
    "workers": peers("workers"),
    "blas": peers("blas"),
    "many": many,
    "profile": profile,
    "kills": kills,
}


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benches.batch", description=__doc__)
    parser.add_argument("steps", nargs="*", metavar="step", help=", ".join(STEPS))
    parser.add_argument("--folder", type=Path, help="for files of 1 GB, kept for the next steps")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        kept = folder / "results.json"
        results = json.loads(kept.read_text()) if kept.exists() else {}
        for step in options.steps or STEPS:
            results |= STEPS[step](folder)
            results["steps"] = [*results.get("steps", []), step]
            kept.write_text(json.dumps(results))
        if set(STEPS) <= set(results["steps"]):
            print(page(results, options.output))


if __name__ == "__main__":
    main()
