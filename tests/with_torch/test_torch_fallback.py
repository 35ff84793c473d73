"""Where there is no native kernel, torch's own operations give the same scores and gradients."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from helpers import error_bound, run_python
from torch import Tensor
from torch_forms import DTYPES, FORMS, as_numpy, gradients, weights_for

from cosim_rs import _torch_formula, _torch_ops


def scores_of(name: str, x: Tensor, y: Tensor, epsilon: float = 0.0) -> Tensor:
    """The scores by the kernel that has no device of its own."""
    kernel, _ = _torch_ops._scores_kernels(_torch_ops.FORMS[name])
    return kernel(x, y, epsilon)


def gradients_of(
    name: str, x: Tensor, y: Tensor, weights: Tensor, epsilon: float = 0.0
) -> tuple[Tensor, Tensor]:
    kernel, _ = _torch_ops._gradient_kernels(_torch_ops.FORMS[name])
    return kernel(x, y, weights, epsilon, True, True)


@pytest.fixture(autouse=True)
def _no_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_torch_ops, "warn_once", lambda *_: None)


@pytest.mark.parametrize(("x_dtype", "y_dtype"), [*product(DTYPES, DTYPES)])
@pytest.mark.parametrize("name", FORMS)
def test_within_the_bound(name: str, x_dtype: torch.dtype, y_dtype: torch.dtype) -> None:
    form = FORMS[name]
    x, y = form.inputs()
    x, y = x.to(x_dtype), y.to(y_dtype)
    native = form.torch(x, y)
    scores = scores_of(name, x, y)
    assert scores.dtype == native.dtype
    assert scores.shape == native.shape
    bound = error_bound(33, as_numpy(scores).dtype)
    for epsilon in (0.0, 5.7):
        oracle = form.oracle(as_numpy(x.double()), as_numpy(y.double()), epsilon)
        scores = scores_of(name, x, y, epsilon)
        assert (abs(as_numpy(scores.double()) - oracle) <= bound).all()
        weights = weights_for(scores)
        actual = gradients_of(name, x, y, weights, epsilon)
        expected = gradients(form.torch, x, y, weights, epsilon=epsilon)
        for side, got, wanted in zip((x, y), actual, expected, strict=True):
            assert got.dtype == side.dtype
            roundings = 200 if side.dtype in (torch.float32, torch.float64) else 4
            unit = max(torch.finfo(side.dtype).eps, 2e-7 if scores.dtype == torch.float32 else 0)
            torch.testing.assert_close(got, wanted, rtol=roundings * unit, atol=roundings * unit)


@pytest.mark.parametrize("dtype", DTYPES)
def test_extreme_vectors(dtype: torch.dtype) -> None:
    limits = torch.finfo(dtype)
    least = limits.smallest_normal * limits.eps
    rows = torch.tensor(
        [[0.0, 0.0], [least, 0.0], [least, -least], [limits.max, limits.max], [1.0, -limits.max]],
        dtype=dtype,
    )
    native = FORMS["matrix"].torch(rows, rows)
    scores = scores_of("matrix", rows, rows)
    torch.testing.assert_close(scores, native, rtol=0, atol=8 * torch.finfo(scores.dtype).eps)
    assert not scores[0].signbit().any()
    for weight in (1.0, -torch.finfo(torch.float32).max, torch.finfo(scores.dtype).max):
        weights = torch.full((5, 5), weight, dtype=scores.dtype)
        for gradient in gradients_of("matrix", rows, rows, weights):
            assert gradient.isfinite().all()
            assert (gradient[0] == 0).all()


@pytest.mark.parametrize("epsilon", [1e-36, 1e-3, 1e30])
def test_vectors_far_below_epsilon(epsilon: float) -> None:
    x = torch.tensor([[1e-42, -3e-43], [1e-5, 2e-6], [1.0, 2.0], [0.0, 0.0]])
    weights = torch.ones(4, 4)
    for dtype in (torch.float32, torch.float64):
        sides = x.to(dtype), x.flip(0).to(dtype)
        native = FORMS["matrix"].torch(*sides, epsilon=epsilon)
        torch.testing.assert_close(scores_of("matrix", *sides, epsilon), native)
        wanted = gradients(FORMS["matrix"].torch, *sides, weights.to(dtype), epsilon=epsilon)
        actual = gradients_of("matrix", *sides, weights.to(dtype), epsilon)
        for side, one, other in zip(sides, actual, wanted, strict=True):
            # Four terms each, some roundings a term, none larger than this.
            most = 1 / side.double().norm(dim=-1, keepdim=True).clamp_min(epsilon)
            assert ((one - other).abs() <= 16 * torch.finfo(dtype).eps * most).all()


def test_scores_stay_within_one() -> None:
    rows = torch.randn(500, 33)
    assert scores_of("matrix", rows, rows).abs().max() == 1


def test_what_is_not_finite_gives_nan() -> None:
    x = torch.tensor([[torch.nan, 1.0], [torch.inf, 1.0], [0.0, 0.0], [1.0, 2.0]])
    native = FORMS["matrix"].torch(x, x)
    scores = scores_of("matrix", x, x)
    torch.testing.assert_close(scores, native, equal_nan=True)
    weights = torch.zeros(4, 4)
    weights[3, 3] = torch.inf
    assert gradients_of("matrix", x, x, weights)[0][3].isnan().all()


@pytest.mark.parametrize("shape", [(0, 5, 7), (3, 0, 7), (3, 5, 0)])
def test_empty_sides(shape: tuple[int, int, int]) -> None:
    batch, count, dim = shape
    cases = {
        "batched": (torch.ones(batch, dim), torch.ones(shape)),
        "paired": (torch.ones(batch, dim), torch.ones(batch, dim)),
        "matrix": (torch.ones(batch, dim), torch.ones(count, dim)),
    }
    for name, (x, y) in cases.items():
        native, scores = FORMS[name].torch(x, y), scores_of(name, x, y)
        assert torch.equal(scores, native)
        for side, gradient in zip((x, y), gradients_of(name, x, y, scores), strict=True):
            assert torch.equal(gradient, torch.zeros_like(side))


def test_autocast_changes_nothing() -> None:
    x, y = FORMS["matrix"].inputs()
    expected = _torch_formula.scores(x, y, 0.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(_torch_formula.scores(x, y, 0.0), expected)
        weights = torch.ones_like(expected)
        inside = _torch_formula.gradients(x, y, weights, 0.0)
    assert all(map(torch.equal, inside, _torch_formula.gradients(x, y, weights, 0.0)))


@pytest.mark.parametrize("name", FORMS)
def test_on_another_device_nothing_native_runs(name: str) -> None:
    """There is no GPU here, but tensors without numbers are on a device too."""
    from cosim_rs import _cosim_rs

    x, y = (side.to("meta").requires_grad_() for side in FORMS[name].inputs())
    before = _cosim_rs.native_calls()
    scores = FORMS[name].torch(x, y)
    scores.sum().backward()
    assert scores.device.type == "meta"
    assert scores.shape == FORMS[name].torch(*FORMS[name].inputs()).shape
    assert x.grad.shape == x.shape
    assert y.grad.device.type == "meta"
    assert _cosim_rs.native_calls()[1] == before[1]


FALLBACK = """
import warnings, torch
{before}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    from cosim_rs.torch import batched_cosine_similarity
    x, y = torch.tensor([[3.0, 4.0]], requires_grad=True), torch.tensor([[[4.0, -3.0], [6.0, 8.0]]])
    for _ in range(2):
        scores = batched_cosine_similarity(x, y)
        scores[0, 0].backward()
    ours = [str(one.message) for one in caught if "cosim_rs" in str(one.message)]
    compiled = torch.compile(batched_cosine_similarity, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x, y), scores)
from cosim_rs._cosim_rs import native_calls
assert native_calls() == (0, 0), native_calls()
torch.testing.assert_close(scores, torch.tensor([[0.0, 1.0]]))
torch.testing.assert_close(x.grad, 2 * torch.tensor([[0.16, -0.12]]))
print(*ours, sep="\\n")
"""


def warning_of(before: str) -> str:
    """What is warned of, once, where something happened before the first use."""
    (warning,) = run_python(FALLBACK.format(before=before), timeout=300).splitlines()
    own = "cosim_rs.torch computes by torch's own operations: "
    assert warning.startswith(own)
    return warning.removeprefix(own)


@pytest.mark.parametrize("version", ["2.7.1+cpu", "2.16.0a0+git123", "3.0.0"])
def test_an_unknown_version(version: str) -> None:
    # The version is read by torch's own lazy modules too, so it is put back.
    before = f"""
real, torch.__version__ = torch.__version__, {version!r}
import cosim_rs.torch
torch.__version__ = real
"""
    assert warning_of(before) == (
        f"torch {version} is not among the supported versions, 2.8 to 2.15"
    )


def test_a_library_that_lacks_functions() -> None:
    before = """
import cosim_rs._torch_load as load, pathlib
folder = pathlib.Path(torch.__file__).parent / "lib"
load.LIBRARIES = ("libc10.so",)
assert (folder / load.LIBRARIES[0]).exists()
"""
    reason = warning_of(before)
    assert reason.startswith("torch 2.")
    assert "cannot be used: it has no aoti_torch_" in reason
