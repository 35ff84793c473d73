"""What the documentation shows is true: its Python blocks run, and its examples give what they say.

The blocks of one page run in order and share their names, as a reader would run them.
"""

from __future__ import annotations

import doctest
import re
from inspect import isfunction
from pathlib import Path
from typing import Any

import pytest
from helpers import REPOSITORY

import cosim_rs

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("**/*.md"))]
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)
FUNCTIONS = [name for name in cosim_rs.__all__ if isfunction(getattr(cosim_rs, name))]


def run_blocks(text: str, name: str) -> int:
    """Run the Python blocks of a page; how many there were."""
    names: dict[str, Any] = {"__name__": "__main__"}
    blocks = list(BLOCK.finditer(text))
    for block in blocks:
        line = text.count("\n", 0, block.start(1))
        code = block.group(1)
        if ">>>" in code:
            example = doctest.DocTestParser().get_doctest(code, names, name, name, line)
            assert not doctest.DocTestRunner().run(example, clear_globs=False).failed
            names.update(example.globs)
        else:
            # Lines before the block are blank, so that an error tells its line in the page.
            exec(compile("\n" * line + code, name, "exec"), names)
    return len(blocks)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    assert run_blocks(text, str(page)) == len(re.findall("^```python", text, re.MULTILINE))


def test_the_readme_shows_python() -> None:
    assert BLOCK.search((REPOSITORY / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstring_examples(name: str) -> None:
    function = getattr(cosim_rs, name)
    examples = doctest.DocTestFinder(recurse=False).find(function, name, globs={})
    outcomes = [doctest.DocTestRunner().run(example) for example in examples]
    assert sum(outcome.attempted for outcome in outcomes) > 0
    assert sum(outcome.failed for outcome in outcomes) == 0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings_name_every_parameter(name: str) -> None:
    function = getattr(cosim_rs, name)
    parameters = function.__annotations__.keys() - {"return"}
    undocumented = [
        parameter
        for parameter in parameters
        if not re.search(rf"^ *(\w+, )*{parameter}(, \w+)*( :.*)?$", function.__doc__, re.MULTILINE)
    ]
    assert undocumented == []


class TestRunBlocks:
    def test_blocks_share_their_names(self) -> None:
        page = "```python\nx = 1\n```\ntext\n```python\nassert x == 1\n```\n"
        assert run_blocks(page, "page") == 2

    def test_a_failing_block_tells_its_line(self) -> None:
        page = "# Title\n\n```python\nx = 1\n1 / 0\n```\n"
        with pytest.raises(ZeroDivisionError) as raised:
            run_blocks(page, "page")
        assert raised.traceback[-1].lineno == 4

    def test_an_interactive_block_is_checked(self) -> None:
        run_blocks("```python\n>>> x = 1\n>>> x + 1\n2\n```\n```python\nassert x == 1\n```", "page")
        with pytest.raises(AssertionError):
            run_blocks("```python\n>>> 1 + 1\n3\n```\n", "page")

    def test_other_blocks_are_left_alone(self) -> None:
        assert run_blocks("```sh\nmake test\n```\n", "page") == 0
