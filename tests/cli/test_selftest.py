"""`cosim-rs selftest`: passes here, fails where any bit differs, and knows the right bits."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
from bit_model import modelled_score
from files import Array, cosim_rs_command, done
from helpers import available_kernels

import cosim_rs
from cosim_rs.cli import _golden, _selftest


def modelled(x: Array, y: Array) -> Array:
    """The scores of rows of one dtype with each other, by the contract's model."""
    return np.array([modelled_score(u, v) for u, v in zip(x, y, strict=True)])


def test_it_tries_every_kernel_of_this_machine() -> None:
    out = done("selftest").out
    assert out.startswith(f"cosim_rs {cosim_rs.__version__}, Python ")
    kernel = cosim_rs.show_config(mode="dicts")["kernel"]
    assert f"\nkernel in use: {kernel}, with " in out
    for kernel in available_kernels():
        assert f"\nkernel {kernel}: 8 of 8 cases give the right bits\n" in out
    assert out.endswith("\npassed\n")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells them")
def test_it_tells_instruction_sets() -> None:
    told = _selftest.instruction_sets()
    assert ("avx2" in told) == ("avx2" in available_kernels())
    assert ("avx512_vnni" in told) == ("avx512vnni" in available_kernels())


class TestItFails:
    @pytest.mark.parametrize("case", _golden.CASES)
    def test_where_a_bit_differs(self, case: str, monkeypatch: pytest.MonkeyPatch) -> None:
        right = _golden.EXPECTED[case]
        wrong = right[:-1] + f"{int(right[-1], 16) ^ 1:x}"
        monkeypatch.setitem(_selftest.EXPECTED, case, wrong)
        monkeypatch.setattr(cosim_rs, "show_config", lambda mode: self.portable())
        outcome = cosim_rs_command("selftest")
        assert outcome.code == 1
        assert "kernel portable: 7 of 8 cases give the right bits\n" in outcome.out
        assert f"  {case}: got {right}, expected {wrong}\n" in outcome.out
        assert "passed" not in outcome.out
        assert outcome.err == "cosim-rs selftest: failed: wrong bits from portable\n"

    def test_where_another_kernel_is_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cosim_rs, "show_config", lambda mode: self.portable())
        monkeypatch.setattr(_selftest, "outcomes_of", lambda kernel: ("avx2", _golden.EXPECTED))
        outcome = cosim_rs_command("selftest")
        assert outcome.code == 1
        assert "  matrix: avx2 was used instead\n" in outcome.out

    def test_where_the_process_does_not_end_well(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        python = tmp_path / "python"
        python.write_text("#!/bin/sh\necho 'no such instruction' >&2\nkill -ILL $$\n")
        python.chmod(python.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setattr(sys, "executable", os.fspath(python))
        monkeypatch.setattr(cosim_rs, "show_config", lambda mode: self.portable())
        outcome = cosim_rs_command("selftest")
        assert outcome.code == 1
        assert "  search: the process ended with -4: no such instruction\n" in outcome.out

    @staticmethod
    def portable() -> dict[str, object]:
        """That there is but one kernel, to save time."""
        return {"version": "0", "kernel": "portable", "kernels": ["portable"], "threads": 1}


class TestWhatMustComeOut:
    def test_simple(self) -> None:
        """0x3f75c28f is the float32 nearest to 24/25, the others speak for themselves."""
        assert np.uint32(0x3F75C28F).view(np.float32) == np.float32(24 / 25)
        bits = np.array([0x3F75C28F, 0x3F800000, 0xBF800000, 0, 0, 0x7FC00000], np.uint32)
        assert _golden.told(bits.view(np.float32)) == _golden.EXPECTED["simple"]

    @pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int8"])
    def test_batched(self, dtype: str) -> None:
        users, items = _golden.rows(dtype)
        scored = np.float64 if dtype == "float64" else np.float32
        some = [(user, item) for user, own in zip(users, items, strict=True) for item in own]
        x, y = (np.array(side).astype(scored) for side in zip(*some, strict=True))
        expected = modelled(x, y).astype(scored).reshape(items.shape[:2])
        assert _golden.told(expected) == _golden.EXPECTED[f"batched {dtype}"]

    def test_extremes(self) -> None:
        x, y = _golden.extremes()
        largest = np.abs([x, y]).max(axis=2)
        assert 0 < largest.min() < np.finfo(np.float32).tiny
        assert largest.max() > 2.0**110
        assert _golden.told(modelled(x, y).astype("f4")) == _golden.EXPECTED["extremes"]

    def test_matrix(self) -> None:
        x, y = _golden.matrix()
        scores = [modelled(np.broadcast_to(row, y.shape), y) for row in x]
        assert _golden.told(np.array(scores).astype("f4")) == _golden.EXPECTED["matrix"]

    def test_search(self) -> None:
        users, items = _golden.searched()
        scores = cosim_rs.cosine_similarity(users, items)
        rows = np.argsort(-scores, axis=1, kind="stable")[:, :10]
        best = np.take_along_axis(scores, rows, axis=1)
        expected = np.stack([best.view(np.int32).astype(np.int64), rows])
        assert _golden.told(expected) == _golden.EXPECTED["search"]
        has_tie = (best[:, 1:] == best[:, :-1]).any()
        assert has_tie

    def test_numbers_are_what_they_say(self) -> None:
        for dtype in ("float32", "float64", "float16", "int8"):
            made = _golden.numbers(dtype, 1000, seed=1)
            largest = 128 if dtype == "int8" else 1
            assert made.dtype == dtype
            assert -largest <= made.min() < -0.9 * largest
            assert 0.9 * largest < made.max() <= largest
