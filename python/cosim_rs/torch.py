"""Cosine scores of torch's tensors, with gradients, as operations of torch.

The same functions as in `cosim_rs`, with the same bits, for training and for models: autograd,
`torch.compile`, `torch.export` and `torch.func` know them. Importing this module imports torch.

On the CPU, in torch's versions 2.8 to 2.15, a call goes to the Rust core. Tensors of other devices,
and other versions, take torch's own operations; a warning says so once. Compiling a transform of
`torch.func` takes torch 2.15 or later and is an error before: in 2.8 its gradients are wrong.

Examples
--------
>>> import torch
>>> from cosim_rs.torch import batched_cosine_similarity
>>> users = torch.tensor([[3.0, 4.0]], requires_grad=True)
>>> items = torch.tensor([[[6.0, 8.0], [4.0, -3.0]]])
>>> scores = batched_cosine_similarity(users, items)
>>> scores.tolist()
[[1.0, 0.0]]
>>> scores[0, 1].backward()
>>> users.grad
tensor([[ 0.1600, -0.1200]])
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad

from cosim_rs import _torch_ops
from cosim_rs._arrays import as_epsilon, fitting
from cosim_rs._torch_load import COMPILES_TRANSFORMS
from cosim_rs._torch_ops import Operations

_DTYPES = frozenset({torch.float32, torch.float64, torch.float16, torch.bfloat16})
_MOST_FLOAT32 = torch.finfo(torch.float32).max
# Whether a transform of torch.func runs; it is no public function, but asking costs 0.1 µs.
_transforms_run = getattr(torch._C, "_are_functorch_transforms_active", None)


def batched_cosine_similarity(users: Tensor, items: Tensor, *, epsilon: float = 0.0) -> Tensor:
    """Score each user against its own items.

    Parameters
    ----------
    users : Tensor, shape (B, D) or (B, 1, D)
        A vector a user: float32, float64, float16 or bfloat16, in any strides.
    items : Tensor, shape (B, N, D)
        The candidates of each user, in any of these dtypes.
    epsilon : float, default 0
        Norms are raised to at least this before the division. Finite and at least 0.

    Returns
    -------
    Tensor, shape (B, N)
        The scores in [-1, 1], bit for bit those of `cosim_rs.batched_cosine_similarity`: float64 if
        either side is, else float32.

    Raises
    ------
    TypeError
        If a side is no tensor, or of another dtype.
    ValueError
        If shapes do not fit, or `epsilon` is negative or not finite.

    Notes
    -----
    Gradients have the dtype of what they are the gradient of. They are those of
    ``dot(u, v) / (max(|u|, epsilon) * max(|v|, epsilon))``, also where a score is rounded to 1. A
    zero vector scores +0 and has the gradient 0; what is too large for a gradient's dtype becomes
    its largest finite number, so finite vectors never give an infinity or a NaN. There are no
    second derivatives, and none in forward mode: asking for them is an error.

    Examples
    --------
    >>> import torch
    >>> from cosim_rs.torch import batched_cosine_similarity
    >>> users = torch.tensor([[1.0, 0.0], [3.0, 4.0]])
    >>> items = torch.tensor([[[2.0, 0.0], [0.0, 5.0]], [[6.0, 8.0], [0.0, 0.0]]])
    >>> batched_cosine_similarity(users, items)
    tensor([[1., 0.],
            [1., 0.]])
    """
    epsilon = _checked(users, items, epsilon, "users", "items")
    x, y = users.shape, items.shape
    if len(y) != 3:
        raise fitting("items", tuple(y), "(B, N, D)")
    is_one_each = len(x) == 3 and x[1] == 1
    if not (len(x) == 2 or is_one_each) or x[0] != y[0] or x[-1] != y[2]:
        batch, _, dim = y
        wanted = f"{(batch, dim)} or {(batch, 1, dim)}, to fit items of shape {tuple(y)}"
        raise fitting("users", tuple(x), wanted)
    return _scores(_torch_ops.batched, users, items, epsilon)


def paired_cosine_similarity(x: Tensor, y: Tensor, *, epsilon: float = 0.0) -> Tensor:
    """Score each row of `x` against the same row of `y`.

    Parameters
    ----------
    x, y : Tensor, shape (B, D)
        As the users of `batched_cosine_similarity`.
    epsilon : float, default 0
        As in `batched_cosine_similarity`.

    Returns
    -------
    Tensor, shape (B,)
        The scores in [-1, 1]; with gradients, as in `batched_cosine_similarity`.

    Raises
    ------
    TypeError, ValueError
        As `batched_cosine_similarity`.

    Examples
    --------
    >>> import torch
    >>> from cosim_rs.torch import paired_cosine_similarity
    >>> x = torch.tensor([[1.0, 1.0], [2.0, 0.0]])
    >>> y = torch.tensor([[2.0, 2.0], [0.0, 3.0]])
    >>> paired_cosine_similarity(x, y)
    tensor([1., 0.])
    """
    epsilon = _checked(x, y, epsilon, "x", "y")
    if x.ndim != 2:
        raise fitting("x", tuple(x.shape), "(B, D)")
    if y.shape != x.shape:
        raise fitting("y", tuple(y.shape), f"{tuple(x.shape)}, as x has")
    return _scores(_torch_ops.paired, x, y, epsilon)


def cosine_similarity(x: Tensor, y: Tensor | None = None, *, epsilon: float = 0.0) -> Tensor:
    """Score every row of `x` against every row of `y`.

    Parameters
    ----------
    x : Tensor, shape (U, D)
        As the users of `batched_cosine_similarity`.
    y : Tensor, shape (N, D), optional
        By default `x` itself.
    epsilon : float, default 0
        As in `batched_cosine_similarity`.

    Returns
    -------
    Tensor, shape (U, N)
        The scores in [-1, 1]; with gradients, as in `batched_cosine_similarity`.

    Raises
    ------
    TypeError, ValueError
        As `batched_cosine_similarity`.

    Examples
    --------
    >>> import torch
    >>> from cosim_rs.torch import cosine_similarity
    >>> cosine_similarity(torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]]))
    tensor([[1., 0., 1.],
            [0., 1., 0.],
            [1., 0., 1.]])
    """
    if y is None:
        y = x
    epsilon = _checked(x, y, epsilon, "x", "y")
    if x.ndim != 2:
        raise fitting("x", tuple(x.shape), "(U, D)")
    if y.ndim != 2 or y.shape[1] != x.shape[1]:
        wanted = f"(N, {x.shape[1]}), to fit x of shape {tuple(x.shape)}"
        raise fitting("y", tuple(y.shape), wanted)
    return _scores(_torch_ops.matrix, x, y, epsilon)


def _checked(x: Tensor, y: Tensor, epsilon: float, x_name: str, y_name: str) -> float:
    """Check all but shapes; return epsilon as a plain float."""
    for name, side in ((x_name, x), (y_name, y)):
        if not isinstance(side, Tensor):
            raise TypeError(f"{name}: got {type(side).__name__}, expected a torch.Tensor")
        if side.dtype not in _DTYPES:
            wanted = "float32, float64, float16 or bfloat16"
            raise TypeError(f"{name}: got dtype {side.dtype}, expected {wanted}")
        if side.layout is not torch.strided:
            raise TypeError(f"{name}: got a tensor of {side.layout}, expected torch.strided")
    if type(epsilon) is float and 0.0 <= epsilon <= _MOST_FLOAT32:
        return epsilon
    return as_epsilon(epsilon)


def _scores(operations: Operations, x: Tensor, y: Tensor, epsilon: float) -> Tensor:
    scores: Tensor
    needs_gradient = (x.requires_grad or y.requires_grad) and torch.is_grad_enabled()
    if _transforms_run is None or _transforms_run():
        if not COMPILES_TRANSFORMS and torch.compiler.is_compiling():
            raise NotImplementedError(
                "cosim_rs.torch: torch.func is known to be compiled with right gradients from "
                "torch 2.15 on: use torch.func without torch.compile, or the reverse"
            )
        scores = operations.transformed.apply(x, y, epsilon)
    elif torch.compiler.is_compiling():
        scores = operations.similarity(x, y, epsilon)
    elif needs_gradient or forward_ad._current_level >= 0:  # tangents would be lost silently
        scores = operations.eager.apply(x, y, epsilon)
    else:
        scores = operations.scores(x, y, epsilon)
    return scores


__all__ = ["batched_cosine_similarity", "cosine_similarity", "paired_cosine_similarity"]
