"""The frame of the command line: help, exit codes, and what it brings along."""

from __future__ import annotations

import re

import pytest
from files import done, refusal
from helpers import run_python

from cosim_rs.cli import _parser
from cosim_rs.cli._errors import BadData, exit_code

VERBS = [verb.__name__.rpartition("._")[2].replace("_", "-") for verb in _parser.VERBS]


def test_help_lists_the_verbs_in_a_line_each() -> None:
    out = done("--help").out
    for verb in VERBS:
        assert re.search(rf"^    {verb} +\w.*\w$", out, re.MULTILINE)


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_has_help_with_examples(verb: str) -> None:
    out = done(verb, "--help").out
    assert out.startswith(f"usage: cosim-rs {verb} ")
    assert re.search(rf"^examples:\n  cosim-rs {verb}", out, re.MULTILINE)


def test_help_imports_nothing_but_numpy() -> None:
    code = (
        "import sys; from cosim_rs.cli import main; main(['--help'])\n"
        "print(sorted({'pyarrow', 'tqdm', 'scipy', 'numba', 'keras'} & set(sys.modules)))"
    )
    assert run_python(code).splitlines()[-1] == "[]"


def test_wrong_usage_is_2() -> None:
    assert refusal(2, "no-such-verb").startswith("argument VERB: invalid choice")
    assert refusal(2).startswith("the following arguments are required: VERB")


def test_errors_have_one_line_and_a_code() -> None:
    place = {"column": "vector", "row": 7}
    data = BadData("got a\nnull, expected a number", "items.parquet", **place)
    message = "items.parquet, column vector, row 7: got a null, expected a number"
    assert exit_code(data) == (3, f"bad data: {message}")
    assert exit_code(FileNotFoundError(2, "No such file", "x")) == (1, "failed: x: No such file")
    assert exit_code(ZeroDivisionError("by 0")) == (1, "failed: ZeroDivisionError: by 0")
    assert exit_code(KeyboardInterrupt()) == (130, "interrupted")
    missing = ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")
    assert exit_code(missing) == (1, "failed: needs pyarrow: pip install 'cosim_rs[batch]'")
