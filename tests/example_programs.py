"""The example programs: as modules, to test their parts, and run as a reader would run them."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from helpers import REPOSITORY

FOLDER = REPOSITORY / "examples"


def load_example(name: str) -> ModuleType:
    """The example as a module; its folder is no package."""
    specification = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    # Dataclasses look up their own module there.
    sys.modules[name] = module
    specification.loader.exec_module(module)
    return module


def run_example(name: str, *arguments: str, folder: Path) -> str:
    """What the program prints when run in a folder."""
    command = [sys.executable, str(FOLDER / f"{name}.py"), *arguments]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return finished.stdout
