"""Compiled, exported and transformed: the same bits, natively, without a break of the graph."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch._inductor.config
from helpers import assert_same_bits
from torch import Tensor
from torch_forms import DTYPES, FORMS, as_numpy, gradients, native, weights_for

import cosim_rs.torch
from cosim_rs._torch_load import COMPILES_TRANSFORMS

# torch's own, of its compilers
pytestmark = [
    # that its caches are off, as they are to be here
    pytest.mark.filterwarnings("ignore:dynamo_pgo force disabled:UserWarning"),
]


@pytest.fixture(autouse=True)
def _compile_anew() -> Iterator[None]:
    """Not from torch's cache on disk, which knows nothing of how an operation is differentiated."""
    with torch._inductor.config.patch(force_disable_caches=True):
        yield


def compiled(function: Callable[..., Tensor], **options: Any) -> Callable[..., Tensor]:
    torch._dynamo.reset()
    return torch.compile(function, fullgraph=True, **options)


@pytest.mark.parametrize("epsilon", [0.0, 5.7])
@pytest.mark.parametrize("name", FORMS)
def test_compiled_forward_and_backward(name: str, epsilon: float) -> None:
    form = FORMS[name]
    function = compiled(form.torch)
    x, y = form.inputs()
    with native(forward=1):
        scores = function(x, y, epsilon=epsilon)
    assert_same_bits(as_numpy(scores), form.numpy(x.numpy(), y.numpy(), epsilon=epsilon))
    for weights in (None, weights_for(scores)):
        with native(forward=1, backward=1):
            actual = gradients(function, x, y, weights, epsilon=epsilon)
        expected = gradients(form.torch, x, y, weights, epsilon=epsilon)
        for got, wanted in zip(actual, expected, strict=True):
            assert_same_bits(as_numpy(got), as_numpy(wanted))


@pytest.mark.parametrize("name", FORMS)
def test_compiled_with_work_around_it(name: str) -> None:
    form = FORMS[name]

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return form.torch(x * 2, y.transpose(-1, -2).exp().transpose(-1, -2)).square()

    x, y = form.inputs()
    with native(forward=1, backward=1):
        actual = gradients(compiled(loss), x, y, None)
    expected = gradients(loss, x, y, None)
    for got, wanted in zip(actual, expected, strict=True):
        torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("name", FORMS)
def test_one_compilation_serves_all_shapes(name: str) -> None:
    form = FORMS[name]
    graphs = []

    def count(graph: torch.fx.GraphModule, _: Any) -> Callable[..., Any]:
        graphs.append(graph)
        return graph.forward

    function = compiled(form.torch, dynamic=True, backend=count)
    for extra in (0, 1, 4):
        shape = [size + extra for size in form.y_shape]
        x, y = torch.randn(form.x_shape[0] + extra, 20 + extra), torch.randn(*shape, 20 + extra)
        assert_same_bits(as_numpy(function(x, y)), form.numpy(x.numpy(), y.numpy()))
    assert len(graphs) == 1


@pytest.mark.parametrize("name", FORMS)
def test_compiled_with_dynamic_shapes_backward(name: str) -> None:
    form = FORMS[name]
    function = compiled(form.torch, dynamic=True)
    for dim in (20, 33):
        x, y = form.inputs(dim)
        with native(forward=1, backward=1):
            actual = gradients(function, x, y, None)
        assert all(map(torch.equal, actual, gradients(form.torch, x, y, None)))


def test_compiled_short_types() -> None:
    function = compiled(FORMS["batched"].torch)
    x, y = FORMS["batched"].inputs()
    for dtype in DTYPES:
        expected = FORMS["batched"].numpy(as_numpy(x.to(dtype)), y.numpy())
        assert_same_bits(as_numpy(function(x.to(dtype), y)), expected)


def test_compiled_errors_are_the_same() -> None:
    torch._dynamo.reset()
    function = torch.compile(FORMS["paired"].torch, backend="eager")
    with pytest.raises(ValueError, match=r"y: got shape \(3, 2\), expected \(2, 2\)"):
        function(torch.ones(2, 2), torch.ones(3, 2))


class Scorer(torch.nn.Module):
    """A model of one weight, whose scores are the form's."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(33))
        self.score = FORMS[name].torch

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.score(x * self.weight, y, epsilon=0.1)


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("name", FORMS)
def test_exported_with_dynamic_shapes(name: str, strict: bool) -> None:
    form, model = FORMS[name], Scorer(name)
    x, y = form.inputs()
    batch, count = torch.export.Dim("batch"), torch.export.Dim("count")
    shapes = {
        "batched": ({0: batch}, {0: batch, 1: count}),
        "paired": ({0: batch}, {0: batch}),
        "matrix": ({0: batch}, {0: count}),
    }
    program = torch.export.export(model, (x, y), dynamic_shapes=shapes[name], strict=strict)
    file = io.BytesIO()
    torch.export.save(program, file)
    file.seek(0)
    again = torch.export.load(file).module()
    x, y = (torch.cat([side, side]) for side in (x, y))
    with native(forward=1):
        scores = again(x, y)
    assert_same_bits(as_numpy(scores), form.numpy(x.numpy(), y.numpy(), epsilon=0.1))
    for trained in (again, model):
        trained.zero_grad()
        trained(x, y).square().sum().backward()
    assert torch.equal(again.weight.grad, model.weight.grad)
    assert (model.weight.grad != 0).any()


# torch's own, of how it checks
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FORMS)
def test_torch_finds_nothing_wrong(name: str, dtype: torch.dtype) -> None:
    from cosim_rs import _torch_forms

    form, names = FORMS[name], getattr(_torch_forms, name.upper())
    x, y = form.inputs(7)
    x = x.to(dtype).requires_grad_()
    strided = y.transpose(0, -1).contiguous().transpose(0, -1).requires_grad_()
    operations = torch.ops.cosim_rs
    for other in (y, strided):
        torch.library.opcheck(getattr(operations, names.similarity).default, (x, other, 0.1))
        scores = getattr(operations, f"{names.stem}_scores").default
        plain = (x.detach(), other.detach())
        torch.library.opcheck(scores, (*plain, 0.1))
        gradient = getattr(operations, f"{names.stem}_gradient").default
        weights = torch.ones(()).expand(form.torch(*plain).shape)
        weights = weights.to(form.torch(*plain).dtype)
        for wanted in ((True, True), (True, False), (False, True)):
            torch.library.opcheck(gradient, (*plain, weights, 0.1, *wanted))


@pytest.mark.parametrize("in_dims", [(0, 0), (0, None), (None, 0), (1, 1)])
@pytest.mark.parametrize("name", FORMS)
def test_vmap(name: str, in_dims: tuple[int | None, int | None]) -> None:
    form = FORMS[name]
    problems = [form.inputs(seed=seed) for seed in range(4)]

    def side(which: int) -> Tensor:
        dim = in_dims[which]
        if dim is None:
            return problems[0][which]
        return torch.stack([problem[which] for problem in problems], dim)

    x, y = side(0), side(1)
    with native(forward=1):
        scores = torch.func.vmap(form.torch, in_dims)(x, y)
    assert scores.shape[0] == 4
    for place in range(4):
        one = [problems[0 if dim is None else place][which] for which, dim in enumerate(in_dims)]
        assert_same_bits(as_numpy(scores[place]), form.numpy(one[0].numpy(), one[1].numpy()))


@pytest.mark.parametrize("name", FORMS)
def test_nested_vmap(name: str) -> None:
    form = FORMS[name]
    x, y = (torch.stack([side, side + 1, side - 1]) for side in form.inputs())
    every = torch.func.vmap(torch.func.vmap(form.torch, (0, None)), (None, 0))
    scores = every(x, y)
    for i in range(3):
        for j in range(3):
            expected = form.numpy(x[j].numpy(), y[i].numpy())
            assert_same_bits(as_numpy(scores[i, j]), expected)


@pytest.mark.parametrize("name", FORMS)
def test_func_grad(name: str) -> None:
    form = FORMS[name]

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return form.torch(x, y).square().sum()

    x, y = form.inputs()
    expected = gradients(loss, x, y, None)
    with native(forward=1, backward=1):
        actual = torch.func.grad(loss, (0, 1))(x, y)
    assert all(map(torch.equal, actual, expected))
    assert torch.equal(torch.func.grad(loss, 1)(x, y), expected[1])
    assert torch.equal(torch.func.grad(loss)(x, y), expected[0])


@pytest.mark.skipif(not COMPILES_TRANSFORMS, reason="this torch compiles them wrongly")
@pytest.mark.parametrize("name", FORMS)
def test_compiled_transforms(name: str) -> None:
    form = FORMS[name]

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return form.torch(x, y).square().sum()

    x, y = (torch.stack([side, side + 1, side - 1]) for side in form.inputs())
    with native(forward=1):
        scores = compiled(torch.func.vmap(form.torch))(x, y)
    assert torch.equal(scores, torch.func.vmap(form.torch)(x, y))
    with native(forward=1, backward=1):
        gradient = compiled(torch.func.grad(loss))(x[0], y[0])
    torch.testing.assert_close(gradient, torch.func.grad(loss)(x[0], y[0]))


@pytest.mark.parametrize("name", FORMS)
def test_compiled_transforms_are_refused_where_gradients_would_be_wrong(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cosim_rs.torch, "COMPILES_TRANSFORMS", False)
    form = FORMS[name]

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return form.torch(x, y).square().sum()

    x, y = form.inputs()
    with pytest.raises(Exception, match=r"NotImplementedError|right gradients from"):
        compiled(torch.func.grad(loss), backend="eager")(x, y)
    assert torch.equal(torch.func.grad(loss)(x, y), gradients(loss, x, y, None)[0])
    assert torch.equal(compiled(form.torch)(x, y), form.torch(x, y))


@pytest.mark.parametrize("name", FORMS)
def test_gradients_a_sample(name: str) -> None:
    form = FORMS[name]

    def loss(x: Tensor, y: Tensor) -> Tensor:
        return form.torch(x, y).square().sum()

    x, y = (torch.stack([side, side + 1, side - 1]) for side in form.inputs())
    expected = [gradients(loss, x[place], y[place], None) for place in range(3)]
    with native(forward=1, backward=1):
        both = torch.func.vmap(torch.func.grad(loss, (0, 1)))(x, y)
    for place in range(3):
        assert torch.equal(both[0][place], expected[place][0])
        assert torch.equal(both[1][place], expected[place][1])
    shared = torch.func.vmap(torch.func.grad(loss), (None, 0))(x[0], y)
    for place in range(3):
        assert torch.equal(shared[place], gradients(loss, x[0], y[place], None)[0])


@pytest.mark.parametrize("name", FORMS)
def test_a_whole_jacobian(name: str) -> None:
    form = FORMS[name]
    x, y = form.inputs(7)
    jacobian = torch.func.jacrev(form.torch)(x, y)
    expected = torch.autograd.functional.jacobian(lambda x: form.plain(x, y), x)
    torch.testing.assert_close(jacobian, expected)


@pytest.mark.parametrize("name", FORMS)
def test_second_derivatives_are_refused(name: str) -> None:
    form = FORMS[name]
    x, y = form.inputs()

    def loss(x: Tensor) -> Tensor:
        return form.torch(x, y).square().sum()

    def steepness(x: Tensor) -> Tensor:
        return torch.func.grad(loss)(x).square().sum()

    with pytest.raises(RuntimeError, match=r"no second derivatives"):
        torch.func.grad(steepness)(x)
