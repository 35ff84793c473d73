"""The output of a job: a folder of parts, of which each is there as a whole or not at all.

A part is written in a folder beside the output, under a name that no reader of Parquet takes,
brought to the disk, and given its place by one step of the file system. In its footer is which run
it is part of. So after whatever end of a run, what the output holds is finished, and a run that
resumes goes on with the other parts. A file `_SUCCESS` says that there are no others. Nothing else
lies in the output, as engines read all that lies in it; what the run was is in a manifest beside
it. While one run writes, a lock keeps others from writing among its parts; the system lets go of it
when the process ends, in whatever way.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from filelock import FileLock, Timeout

from cosim_rs._replacing import replacing, sync_folder
from cosim_rs.cli._errors import BadOption
from cosim_rs.cli._job_part import Done, PartFile, read_done

SUCCESS = "_SUCCESS"
LOCK = "lock"


class Output:
    """A folder that a run writes its parts to.

    Parameters
    ----------
    folder : str
        It need not be there. If there is something in it, one of the flags must say what to do, or
        it is a BadOption.
    run : dict
        What makes the run what it is: of two runs that have this alike, all parts are alike.
    resume, overwrite : bool
        Whether to go on with the parts that are there, or to remove them.

    Attributes
    ----------
    done : dict
        The parts that need not be made again, by their names.
    """

    def __init__(self, folder: str, run: dict[str, Any], *, resume: bool, overwrite: bool) -> None:
        self.folder = Path(os.path.realpath(folder))  # by which every run knows it
        self._manifest = self.folder.with_name(f"{self.folder.name}.manifest.json")
        self._unfinished = self.folder.with_name(f".{self.folder.name}.unfinished")
        self._run = run
        self._hash = hashlib.sha256(json.dumps(run, sort_keys=True).encode()).hexdigest()
        self.done: dict[str, Done] = {}
        if os.path.lexists(self.folder) and not self.folder.is_dir():
            raise BadOption(f"-o: {folder} is a file, expected a folder or a new name")
        self._there = self._files() if self.folder.exists() else {}
        there = sorted(self._there)
        if there and not (resume or overwrite):
            raise BadOption(
                f"-o: {folder} holds {there[0]}; expected a new or an empty folder, --resume to go "
                "on with it, or --overwrite to replace it"
            )
        others = [name for name in there if not _is_part(name) and name != SUCCESS]
        if others:
            raise BadOption(f"-o: {folder} holds {others[0]}, which is no output of a run")
        last_run = self._last_run()
        if resume:
            self.done = self._finished(there, last_run)
        # The sign of success first: at no time it stands beside parts that are not all.
        self._stale = [name for name in there if name not in self.done]

    def _finished(self, there: list[str], last_run: dict[str, Any]) -> dict[str, Done]:
        """The parts of this run; BadOption if there are some of another."""
        done = {}
        for name in filter(_is_part, there):
            part = read_done(self.folder / name)
            if part is None:  # what came of a failing disk: it is made again
                continue
            if part.run != self._hash:
                differ = [of for of, value in self._run.items() if last_run.get(of, value) != value]
                why = f", which differs in {', '.join(differ)}" if differ else ""
                of = f"{self.folder / name} is of another run{why}"
                raise BadOption(f"--resume: {of}; --overwrite replaces it")
            done[name] = part
        return done

    def _last_run(self) -> dict[str, Any]:
        """What the manifest tells of the run before, if there is one that is a run's."""
        if not os.path.lexists(self._manifest):
            return {}
        try:
            run = json.loads(self._manifest.read_text())["run"]
        except (OSError, ValueError, KeyError, TypeError):
            run = None
        if not isinstance(run, dict):
            raise BadOption(f"-o: {self._manifest} is there, and is no manifest of a run")
        return run

    @contextlib.contextmanager
    def begun(self) -> Iterator[None]:
        """Have the folder alone, with nothing in it but the parts that are done."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._unfinished.mkdir(exist_ok=True)
        lock = FileLock(self._unfinished / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise BadOption(f"-o: another run is writing to {self.folder}") from None
        try:
            if self._files() != self._there:
                raise BadOption(f"-o: another run has just written to {self.folder}")
            for name in self._stale:
                (self.folder / name).unlink()
            for name in os.listdir(self._unfinished):
                if name != LOCK:
                    (self._unfinished / name).unlink()
            self._tell({})
            yield
        finally:
            # The lock's file as well, while nobody else can have it.
            shutil.rmtree(self._unfinished, ignore_errors=True)
            lock.release()

    @contextlib.contextmanager
    def writing(self, name: str, schema: pa.Schema) -> Iterator[PartFile]:
        """Write a part, which takes its place when all went well."""
        path = self._unfinished / f"{name}.{os.urandom(4).hex()}"
        try:
            with open(path, "xb") as file:
                with PartFile(file, schema, self._hash) as part:
                    yield part
                file.flush()
                os.fsync(file.fileno())
            os.replace(path, self.folder / name)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        sync_folder(str(self.folder))

    def count(self) -> int:
        """How many parts there are."""
        return sum(map(_is_part, os.listdir(self.folder)))

    def end(self, summary: dict[str, Any]) -> None:
        """Say that all parts are there."""
        self._tell(summary)
        (self.folder / SUCCESS).touch()
        sync_folder(str(self.folder))

    def _files(self) -> dict[str, tuple[int, ...]]:
        """What is there, and what of it differs when another file has the name."""
        entries = os.scandir(self.folder)
        stats = {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
        return {name: (of.st_ino, of.st_size, of.st_mtime_ns) for name, of in stats.items()}

    def _tell(self, summary: dict[str, Any]) -> None:
        text = json.dumps({"run": self._run, **summary}, indent=2)
        with replacing(str(self._manifest)) as file:
            file.write(text.encode() + b"\n")


def part_name(number: int) -> str:
    """The name of a part; sorted by name, parts are in order."""
    return f"part-{number:06}.parquet"


def _is_part(name: str) -> bool:
    """Whether a name is of our making: those of Spark, say, have more to them."""
    return re.fullmatch(r"part-\d{6,}\.parquet", name) is not None


__all__ = ["Output", "part_name"]
