"""The scores: a signature and its documentation each, over the native border.

A call whose arrays can be used as they stand goes straight through. Only one that the border
refuses is looked at in Python, by `_arrays`.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from cosim_rs import _arrays, _cosim_rs
from cosim_rs._arrays import Inputs, Scores, fitting
from cosim_rs._interchange import as_array


def batched_cosine_similarity(
    users: ArrayLike,
    items: ArrayLike,
    *,
    out: Scores | None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> Scores:
    """Score each user against its own items.

    Both sides are L2-normalised and multiplied in one pass that reads each item once::

        score(u, v) = clamp(dot(u, v) / sqrt(|u|² · |v|²), -1, 1)

    Parameters
    ----------
    users : array_like, shape (B, D) or (B, 1, D)
        A vector a user, also as another library's tensor or column. float32, float64, float16,
        bfloat16 or int8; other real numbers are converted to float64.
    items : array_like, shape (B, N, D)
        The candidates of each user, in any of these dtypes.
    out : ndarray, shape (B, N), optional
        Where to write the scores: writeable, of the result's dtype, overlapping no input. Any
        strides.
    epsilon : float, default 0
        Norms are raised to at least this before the division, as Keras' ``normalize`` does.
        Finite and at least 0.
    threads : int, optional
        The most threads to use; by default `get_num_threads`. Small work stays on the calling
        thread.

    Returns
    -------
    ndarray, shape (B, N)
        The scores in [-1, 1]: float64 if either side is, else float32. `out`, if given.

    Raises
    ------
    TypeError
        If an argument is not of real numbers, or `out` of another dtype than the result.
    ValueError
        If shapes do not fit or `out`, `epsilon` or `threads` have a value that is not allowed.
        `out` is untouched after any error.

    Notes
    -----
    A zero vector scores +0 with every finite vector; a NaN or an infinity in a vector makes its
    scores NaN. A float32 score is within ``(2 * ceil(D / 16) + 12) * 2**-24`` of the exact one
    for every finite input (float64: ``2**-53``), for D up to 32,768. The formula is that of
    ``keras.layers.Dot(normalize=True)`` and `sklearn.metrics.pairwise.cosine_similarity`.

    No input is copied whose last axis is contiguous; others go through one row. float16, bfloat16
    and int8 are widened as they are loaded, to the bits that widening them before would give.
    Tensors of torch, JAX and TensorFlow on the CPU, columns of vectors of pyarrow, pandas and
    polars, and what offers DLPack, a buffer or Arrow's PyCapsules are read where they lie too; a
    column of several chunks, or of objects, is put together by one copy, and one with nulls is a
    `ValueError`.

    Examples
    --------
    >>> import numpy as np
    >>> import cosim_rs
    >>> users = np.array([[1, 0], [3, 4]], dtype=np.float32)
    >>> items = np.array([[[2, 0], [0, 5], [-3, 0]], [[6, 8], [4, -3], [0, 0]]], dtype=np.float32)
    >>> cosim_rs.batched_cosine_similarity(users, items)
    array([[ 1.,  0., -1.],
           [ 1.,  0.,  0.]], dtype=float32)
    """
    border = _cosim_rs.batched_cosine_similarity
    scores = border(users, items, out, epsilon, threads)
    if scores is None:
        users, items = as_array("users", users), as_array("items", items)
        scores = border(users, items, out, epsilon, threads)
    if scores is None:
        inputs, shape = _batched_inputs(users, items)
        scores = _arrays.score(border, inputs, shape, out, epsilon, threads)
    return scores


def paired_cosine_similarity(
    x: ArrayLike,
    y: ArrayLike,
    *,
    out: Scores | None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> Scores:
    """Score each row of `x` against the same row of `y`.

    Parameters
    ----------
    x, y : array_like, shape (B, D)
        As the users of `batched_cosine_similarity`.
    out : ndarray, shape (B,), optional
        Where to write the scores.
    epsilon, threads
        As in `batched_cosine_similarity`.

    Returns
    -------
    ndarray, shape (B,)
        The scores in [-1, 1], bit for bit those of `batched_cosine_similarity`.

    Raises
    ------
    TypeError, ValueError
        As `batched_cosine_similarity`.

    Examples
    --------
    >>> import numpy as np
    >>> import cosim_rs
    >>> x = np.array([[1.0, 1.0], [2.0, 0.0]])
    >>> y = np.array([[2.0, 2.0], [0.0, 3.0]])
    >>> cosim_rs.paired_cosine_similarity(x, y)
    array([1., 0.])
    """
    border = _cosim_rs.paired_cosine_similarity
    scores = border(x, y, out, epsilon, threads)
    if scores is None:
        x, y = as_array("x", x), as_array("y", y)
        scores = border(x, y, out, epsilon, threads)
    if scores is None:
        inputs, shape = _paired_inputs(x, y)
        scores = _arrays.score(border, inputs, shape, out, epsilon, threads)
    return scores


def cosine_similarity(
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    out: Scores | None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> Scores:
    """Score every row of `x` against every row of `y`.

    The name and the meaning are those of `sklearn.metrics.pairwise.cosine_similarity`.

    Parameters
    ----------
    x : array_like, shape (U, D)
        As the users of `batched_cosine_similarity`.
    y : array_like, shape (N, D), optional
        By default `x` itself; then each score is computed once for both of its places.
    out : ndarray, shape (U, N), optional
        Where to write the scores.
    epsilon, threads
        As in `batched_cosine_similarity`.

    Returns
    -------
    ndarray, shape (U, N)
        The scores in [-1, 1], bit for bit those of `batched_cosine_similarity`.

    Raises
    ------
    TypeError, ValueError
        As `batched_cosine_similarity`.

    Examples
    --------
    >>> import numpy as np
    >>> import cosim_rs
    >>> x = np.array([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]])
    >>> cosim_rs.cosine_similarity(x)
    array([[1., 0., 1.],
           [0., 1., 0.],
           [1., 0., 1.]])
    """
    border = _cosim_rs.cosine_similarity
    scores = border(x, y, out, epsilon, threads)
    if scores is None:
        is_one_set = y is None or y is x
        x = as_array("x", x)
        y = x if is_one_set else as_array("y", y)
        scores = border(x, y, out, epsilon, threads)
    if scores is None:
        inputs, shape = _matrix_inputs(x, x if y is None else y)
        scores = _arrays.score(border, inputs, shape, out, epsilon, threads)
    return scores


def _batched_inputs(users: ArrayLike, items: ArrayLike) -> tuple[Inputs, tuple[int, int]]:
    inputs = _arrays.as_inputs(users=users, items=items)
    user_shape, item_shape = inputs.left.shape, inputs.right.shape
    if len(item_shape) != 3:
        raise fitting("items", item_shape, "(B, N, D)")
    batch, count, dim = item_shape
    if user_shape not in ((batch, dim), (batch, 1, dim)):
        wanted = f"{(batch, dim)} or {(batch, 1, dim)}, to fit items of shape {item_shape}"
        raise fitting("users", user_shape, wanted)
    return inputs, (batch, count)


def _paired_inputs(x: ArrayLike, y: ArrayLike) -> tuple[Inputs, tuple[int]]:
    inputs = _arrays.as_inputs(x=x, y=y)
    if inputs.left.ndim != 2:
        raise fitting("x", inputs.left.shape, "(B, D)")
    if inputs.right.shape != inputs.left.shape:
        raise fitting("y", inputs.right.shape, f"{inputs.left.shape}, as x has")
    return inputs, (inputs.left.shape[0],)


def _matrix_inputs(x: ArrayLike, y: ArrayLike) -> tuple[Inputs, tuple[int, int]]:
    inputs = _arrays.as_inputs(x=x, y=y)
    if y is x:
        inputs = Inputs(inputs.left, inputs.left)  # the border takes one array for one set
    if inputs.left.ndim != 2:
        raise fitting("x", inputs.left.shape, "(U, D)")
    users, dim = inputs.left.shape
    if inputs.right.ndim != 2 or inputs.right.shape[1] != dim:
        raise fitting("y", inputs.right.shape, f"(N, {dim}), to fit x of shape {(users, dim)}")
    return inputs, (users, inputs.right.shape[0])
