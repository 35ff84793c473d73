"""What the documentation shows is true: its Python blocks run, and its examples give what they say.

The blocks of one page run in order and share their names, as a reader would run them. Lines of
shell blocks that call `cosim-rs` are run between them.
"""

from __future__ import annotations

import doctest
import inspect
import pydoc
import re
import shlex
from collections.abc import Callable
from inspect import getdoc, isclass, isfunction
from pathlib import Path
from typing import Any

import pytest
from helpers import REPOSITORY
from numpy.typing import ArrayLike

import cosim_rs
from cosim_rs.cli import main

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("**/*.md"))]
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^cosim-rs (.*)", re.MULTILINE)


def public() -> dict[str, Any]:
    """The package, its functions and classes, and the classes' methods, by their names."""
    found: dict[str, Any] = {"cosim_rs": cosim_rs}
    for name in cosim_rs.__all__:
        value = getattr(cosim_rs, name)
        if isfunction(value) or isclass(value):
            found[name] = value
        if isclass(value):
            methods = {f"{name}.{key}": method for key, method in vars(value).items()}
            found |= {
                key: method
                for key, method in methods.items()
                if isfunction(method) and "._" not in key
            }
    return found


PUBLIC = public()
CALLABLE = {name: value for name, value in PUBLIC.items() if callable(value)}
SECTION = re.compile(r"^(\w+(?: \w+)?)\n-+\n", re.MULTILINE)


def missing(function: Callable[..., Any]) -> list[str]:
    """The sections and parameters that a docstring should have and has not."""
    parts = SECTION.split(getdoc(function) or "")
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    signature = inspect.signature(function)
    parameters = {n: p for n, p in signature.parameters.items() if n != "self"}
    is_result = isclass(function) and issubclass(function, tuple)  # nobody's to make
    listed = "Attributes" if is_result else "Parameters"
    wanted = [*([listed] * bool(parameters)), *(["Raises"] * (bool(parameters) and not is_result))]
    wanted.append("Examples")
    if isfunction(function) and signature.return_annotation != "None":
        wanted.append("Returns")
    lacking = [section for section in wanted if section not in sections]
    described = sections.get(listed, "")
    return lacking + [n for n, p in parameters.items() if not is_described(n, p, described)]


def is_described(name: str, parameter: inspect.Parameter, section: str) -> bool:
    """Say whether a parameter has a type, a shape if it is an array, or is as somewhere else."""
    entry = re.search(rf"^(?:\w+, )*{name}(?:, \w+)*(?: : (.*))?\n    (\w+)", section, re.MULTILINE)
    if not entry:
        return False
    kind, first_word = entry.groups()
    if kind is None:
        return first_word == "As"
    is_array = str(parameter.annotation).startswith(("ArrayLike", "Scores", "NDArray"))
    return "shape" in kind or not is_array


def run_blocks(text: str, name: str) -> int:
    """Run the Python blocks of a page and its commands; how many blocks of Python there were."""
    names: dict[str, Any] = {"__name__": "__main__"}
    blocks = list(BLOCK.finditer(text))
    for block in blocks:
        line = text.count("\n", 0, block.start(2))
        language, code = block.groups()
        if language == "sh":
            for command in COMMAND.findall(code):
                assert main(shlex.split(command, comments=True)) == 0, command
        elif ">>>" in code:
            example = doctest.DocTestParser().get_doctest(code, names, name, name, line)
            assert not doctest.DocTestRunner().run(example, clear_globs=False).failed
            names.update(example.globs)
        else:
            # Lines before the block are blank, so that an error tells its line in the page.
            exec(compile("\n" * line + code, name, "exec"), names)
    return sum(block.group(1) == "python" for block in blocks)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = page.read_text(encoding="utf-8")
    assert run_blocks(text, str(page)) == len(re.findall("^```python", text, re.MULTILINE))


def test_the_readme_shows_python() -> None:
    assert BLOCK.search((REPOSITORY / "README.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", PUBLIC)
def test_docstring_examples(name: str) -> None:
    examples = doctest.DocTestFinder(recurse=False).find(PUBLIC[name], name, globs={})
    outcomes = [doctest.DocTestRunner().run(example) for example in examples]
    assert sum(outcome.attempted for outcome in outcomes) > 0
    assert sum(outcome.failed for outcome in outcomes) == 0


@pytest.mark.parametrize("name", CALLABLE)
def test_docstrings_say_what_goes_in_what_comes_out_and_what_goes_wrong(name: str) -> None:
    assert missing(CALLABLE[name]) == []


@pytest.mark.parametrize("name", [name for name in PUBLIC if isclass(PUBLIC[name])])
def test_properties_have_docstrings(name: str) -> None:
    """Those of a named tuple's fields would be Python's own."""
    for attribute, value in vars(PUBLIC[name]).items():
        if not attribute.startswith("_") and not isfunction(value):
            assert value.__doc__, attribute
            assert "Alias for field" not in value.__doc__, attribute


def test_help_reads_well() -> None:
    """It shows short types and no private name where a public one would do."""
    text = pydoc.plain(pydoc.render_doc(cosim_rs))
    assert "Union[" not in text
    assert "numpy._typing" not in text
    for private in ("_catalogue.", "_search.", "_limits."):
        assert f"class cosim_rs.{private}" not in text
        assert f"    cosim_rs.{private}" not in text
    for name in cosim_rs.__all__:
        assert name in text


class TestMissing:
    """That the test of docstrings notices what they lack."""

    def test_all_of_it(self) -> None:
        def bare(items: ArrayLike, k: int) -> int:
            """Do something."""
            return k

        wanted = ["Parameters", "Raises", "Examples", "Returns", "items", "k"]
        assert missing(bare) == wanted

    def test_a_shape_and_a_type(self) -> None:
        def vague(items: ArrayLike, k: int, n: int) -> None:
            """Do something.

            Parameters
            ----------
            items : array_like
                Some items.
            k
                Some number.
            n
                As in `top_k`.

            Raises
            ------
            ValueError
                Always.

            Examples
            --------
            >>> vague()
            """

        assert missing(vague) == ["items", "k"]


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

    def test_commands_are_run_where_they_stand(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[list[str]] = []
        monkeypatch.setattr(
            "test_docs.main", lambda arguments: seen.append(arguments) or len(seen) - 1
        )
        assert run_blocks("```sh\ncosim-rs info 'a b'\nmake test\n```\n", "page") == 0
        assert seen == [["info", "a b"]]
        with pytest.raises(AssertionError, match="selftest"):
            run_blocks("```sh\ncosim-rs selftest  # fails\n```\n", "page")

    def test_other_blocks_are_left_alone(self) -> None:
        assert run_blocks("```sh\nmake test\n```\n", "page") == 0
