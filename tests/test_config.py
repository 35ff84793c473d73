"""show_config tells what runs, and COSIM_RS_KERNEL chooses it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import numpy as np
import pytest
from helpers import available_kernels, run_python

import cosim_rs

ORDER = ["portable", "avx2", "avx512", "avx512vnni", "amx"]


def test_dicts() -> None:
    config = cosim_rs.show_config(mode="dicts")
    assert list(config) == ["version", "kernel", "kernels", "threads"]
    assert config["version"] == cosim_rs.__version__ == version("cosim_rs")
    assert config["kernel"] in config["kernels"]
    assert config["threads"] == cosim_rs.get_num_threads()


def test_kernels_are_listed_slowest_first() -> None:
    kernels = available_kernels()
    assert kernels[0] == "portable"
    assert kernels == [kernel for kernel in ORDER if kernel in kernels]


def test_what_is_told_is_the_callers_own() -> None:
    cosim_rs.show_config(mode="dicts")["kernels"].clear()
    assert "portable" in available_kernels()


@pytest.mark.parametrize("arguments", [{}, {"mode": "stdout"}])
def test_stdout(arguments: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert cosim_rs.show_config(**arguments) is None
    printed = capsys.readouterr().out
    config = cosim_rs.show_config(mode="dicts")
    assert config["version"] in printed
    assert str(config["threads"]) in printed
    for kernel in config["kernels"]:
        assert kernel in printed


def test_an_unknown_mode() -> None:
    with pytest.raises(ValueError, match=r"mode.*'json'.*'stdout'.*'dicts'"):
        cosim_rs.show_config(mode="json")


class TestKernelVariable:
    TELL = "import cosim_rs; print(cosim_rs.show_config(mode='dicts')['kernel'])"

    def test_the_fastest_is_the_default(self) -> None:
        assert run_python(self.TELL, COSIM_RS_KERNEL=None).strip() == available_kernels()[-1]
        assert run_python(self.TELL, COSIM_RS_KERNEL="").strip() == available_kernels()[-1]

    @pytest.mark.parametrize("kernel", available_kernels())
    def test_each_can_be_chosen(self, kernel: str) -> None:
        assert run_python(self.TELL, COSIM_RS_KERNEL=kernel).strip() == kernel

    @pytest.mark.parametrize(
        "kernel",
        ["fastest", "sse2", *(kernel for kernel in ORDER if kernel not in available_kernels())],
    )
    def test_others_are_refused_at_first_use(self, kernel: str) -> None:
        code = """
import numpy as np
import cosim_rs

rows = np.ones((2, 3), np.float32)
out = np.full((2, 2), 7, np.float32)
for call in (
    lambda: cosim_rs.show_config(mode="dicts"),
    lambda: cosim_rs.cosine_similarity(rows, out=out),
    lambda: cosim_rs.paired_cosine_similarity(rows, rows),
    lambda: cosim_rs.batched_cosine_similarity(rows, rows[:, None]),
):
    try:
        print("no error", call())
    except ValueError as error:
        print(error)
assert (out == 7).all()
"""
        messages = run_python(code, COSIM_RS_KERNEL=kernel).splitlines()
        assert len(messages) == 4
        for message in messages:
            for word in ("COSIM_RS_KERNEL", kernel, *available_kernels()):
                assert word in message


def test_scores_do_not_wait_for_the_configuration() -> None:
    """The first use may be a score."""
    code = "import cosim_rs; print(cosim_rs.cosine_similarity([[3, 4]], [[4, 3]])[0, 0] == 0.96)"
    assert run_python(code) == "True\n"
    assert np.float64(24) / np.float64(25) == 0.96
