"""The frame of the command line: help, exit codes, and what it brings along."""

from __future__ import annotations

import importlib.metadata
import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from files import done, refusal, write_npy
from helpers import gaussian_rows, run_python

import cosim_rs
from cosim_rs.cli import _parser, _progress, main
from cosim_rs.cli._errors import BadData, BadOption, Failed, exit_code

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
        "known = {'pyarrow', 'tqdm', 'filelock', 'scipy', 'numba', 'keras'}\n"
        "print(sorted(known & set(sys.modules)))"
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
    assert exit_code(BadOption("-k: got 0")) == (2, "error: -k: got 0")
    assert exit_code(Failed("wrong bits")) == (1, "failed: wrong bits")
    assert exit_code(KeyboardInterrupt()) == (130, "interrupted")
    missing = ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")
    assert exit_code(missing) == (1, "failed: needs pyarrow: pip install 'cosim-rs[batch]'")


def test_version() -> None:
    assert done("--version").out == f"cosim_rs {cosim_rs.__version__}\n"


@pytest.mark.parametrize(
    ("missing", "verb", "options"),
    [
        ("pyarrow", "index", []),
        ("tqdm", "index", []),
        ("pyarrow", "mine", ["--min-score", "0"]),
        ("tqdm", "mine", ["--min-score", "0"]),
        ("filelock", "top-k", ["--catalogue", "items.safetensors"]),
    ],
)
def test_what_is_not_installed_is_said(
    tmp_path: Path, missing: str, verb: str, options: list[str]
) -> None:
    path = write_npy(tmp_path / "x.npy", gaussian_rows(3, 4))
    arguments = [verb, str(path), "-o", str(tmp_path / "out.csv"), *options]
    code = f"""
import contextlib, io, sys
sys.modules[{missing!r}] = None  # whose import fails then, as if there were none
from cosim_rs.cli import main
with contextlib.redirect_stderr(io.StringIO()) as said:
    code = main({arguments!r})
print(code, said.getvalue(), end="")
"""
    expected = f"cosim-rs {verb}: failed: needs {missing}: pip install 'cosim-rs[batch]'\n"
    assert run_python(code) == f"1 {expected}"


class TestProcesses:
    """The command as it is run: by its name, as a module, and what the shell gets."""

    def test_it_has_a_name(self) -> None:
        (script,) = importlib.metadata.entry_points(group="console_scripts", name="cosim-rs")
        assert script.load() is main

    def test_exit_codes_reach_the_shell(self, tmp_path: Path) -> None:
        (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY")
        for code, arguments in {
            0: ["--version"],
            1: ["info", "none"],
            2: ["info"],
            3: ["info", "bad.npy"],
        }.items():
            command = [sys.executable, "-m", "cosim_rs", *arguments]
            finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
            assert finished.returncode == code
            assert "Traceback" not in finished.stderr

    @pytest.mark.skipif(os.name != "posix", reason="closes POSIX descriptors")
    @pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
    def test_what_is_closed_is_not_heard(self, closed: str, tmp_path: Path) -> None:
        path = write_npy(tmp_path / "x.npy", gaussian_rows(30, 4))
        done("index", path, "-o", tmp_path / "expected")
        arguments = ["index", path, "-o", tmp_path / "items"]
        command = [sys.executable, "-m", "cosim_rs", *map(str, arguments)]
        shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *command]
        finished = subprocess.run(shell, capture_output=True, text=True)
        assert (finished.returncode, finished.stderr) == (0, "")
        hears = closed == "2>&-"
        assert finished.stdout.startswith(f"{tmp_path / 'items'}: ") == hears
        assert (tmp_path / "items").read_bytes() == (tmp_path / "expected").read_bytes()

    @pytest.mark.parametrize("name", ["COSIM_RS_NUM_THREADS", "COSIM_RS_KERNEL"])
    def test_a_wrong_variable_is_wrong_usage(self, name: str, tmp_path: Path) -> None:
        cosim_rs.Catalogue(gaussian_rows(3, 4)).save(tmp_path / "items")
        command = [sys.executable, "-m", "cosim_rs", "info", str(tmp_path / "items")]
        environment = os.environ | {name: "none"}
        finished = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert finished.returncode == 2
        assert finished.stderr.startswith(f'cosim-rs info: error: {name}: got "none", ')

    def test_ctrl_c_is_130(self, tmp_path: Path) -> None:
        rows = gaussian_rows(200_000, 64)
        path, output = write_npy(tmp_path / "x.npy", rows), tmp_path / "pairs.csv"
        code = f"""
import signal, sys
from cosim_rs.cli import _progress, main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent may have it ignored
_progress.SECONDS = 0
sys.exit(main(["mine", {str(path)!r}, "--min-score", "0.9", "-o", {str(output)!r}]))
"""
        command = [sys.executable, "-c", code]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            first = next(line for line in process.stderr if line.startswith("mining: "))
            process.send_signal(signal.SIGINT)
            last = process.stderr.read().splitlines()[-1]
        assert re.match(r"mining: [\d,]+ of 200,000 items \(\d+%\), ", first)
        assert last == "cosim-rs mine: interrupted"
        assert process.returncode == 130
        assert list(tmp_path.iterdir()) == [path]


class Terminal(io.StringIO):
    """Looks like a terminal."""

    def isatty(self) -> bool:
        return True


class TestProgress:
    def test_a_bar_on_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        terminal = Terminal()
        monkeypatch.setattr(sys, "stderr", terminal)
        with _progress.progress("reading", 1000) as advance:
            advance(1000)
        assert re.search(r"reading: 100%.* 1\.00k/1\.00k .*rows/s\]\n$", terminal.getvalue())

    def test_a_line_now_and_then_elsewhere(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        now = 100.0
        monkeypatch.setattr(_progress.time, "monotonic", lambda: now)
        with _progress.progress("reading", 40_000) as advance:
            for _ in range(8):
                now += 4
                advance(5000)
        assert capsys.readouterr().err.splitlines() == [
            "reading: 15,000 of 40,000 rows (38%), 1,250 a second, 20 s left",
            "reading: 30,000 of 40,000 rows (75%), 1,250 a second, 8 s left",
        ]

    def test_of_nothing(self) -> None:
        assert "0 of 0 rows (100%)" in _progress.Lines("reading", 0, "rows").line(1.0)
