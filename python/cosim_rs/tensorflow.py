"""Cosine scores as operations of TensorFlow, with gradients.

The functions are those of `cosim_rs` for tensors: eagerly, in a `tf.function`, in `tf.data`, under
a `tf.GradientTape`; bit for bit the same scores. They run on the CPU, in native operations that are
registered with TensorFlow at the first call. Where there can be none, TensorFlow's own operations
compute the same formula, and a `RuntimeWarning` says once why: a tensor on a GPU, a function that
XLA compiles (``jit_compile=True``), a version of TensorFlow that was not tried.

A SavedModel that holds these operations can be loaded where they are registered: call `register`
before `tf.saved_model.load`. Anywhere else TensorFlow says that the op type
``CosimRsBatchedScores`` is not registered.

A `tf.function` that was traced before, and is then called by one that XLA compiles, keeps its
native operations, for which XLA has no kernels: TensorFlow says so.

There are no second derivatives: asking for one is a `NotImplementedError`.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cosim_rs._arrays import as_epsilon
from cosim_rs._frameworks import warn_once
from cosim_rs._tensorflow import native, own
from cosim_rs._tensorflow.arguments import BATCHED, MATRIX, PAIRED, Form, as_tensor, scores_shape

__all__ = [
    "batched_cosine_similarity",
    "cosine_similarity",
    "paired_cosine_similarity",
    "register",
]


def batched_cosine_similarity(
    users: tf.Tensor, items: tf.Tensor, *, epsilon: float = 0.0
) -> tf.Tensor:
    """Score each user against its own items.

    Parameters
    ----------
    users : tensor, shape (B, D) or (B, 1, D)
        A vector a user: float32, float64, float16 or bfloat16, in a graph also of unknown shape.
        Whatever `tf.convert_to_tensor` takes.
    items : tensor, shape (B, N, D)
        The candidates of each user, in any of these dtypes.
    epsilon : float, default 0
        Norms are raised to at least this before the division. Finite and at least 0.

    Returns
    -------
    tensor, shape (B, N)
        The scores in [-1, 1], bit for bit those of `cosim_rs.batched_cosine_similarity`: float64
        if either side is, else float32.

    Raises
    ------
    TypeError
        If an argument is no dense tensor of these dtypes.
    ValueError
        If shapes do not fit, or `epsilon` is out of range. Shapes that are not known before a graph
        runs are a `tf.errors.InvalidArgumentError` then.

    Notes
    -----
    The gradient is that of the formula, with the clamped norm where `epsilon` clamps one; at a zero
    vector with epsilon 0 it is 0. It has the dtype of the vectors that it is the gradient of. What
    is too large for that becomes its largest finite number.

    Examples
    --------
    >>> import tensorflow as tf
    >>> from cosim_rs.tensorflow import batched_cosine_similarity
    >>> users = tf.Variable([[1.0, 0.0], [3.0, 4.0]])
    >>> items = tf.constant([[[2.0, 0.0], [0.0, 5.0]], [[6.0, 8.0], [0.0, 0.0]]])
    >>> with tf.GradientTape() as tape:
    ...     scores = batched_cosine_similarity(users, items)
    >>> scores.numpy()
    array([[1., 0.],
           [1., 0.]], dtype=float32)
    >>> tape.gradient(scores, users).numpy()
    array([[0., 1.],
           [0., 0.]], dtype=float32)
    """
    scores = native.eager_scores(BATCHED, users, items, epsilon)
    return _scores(BATCHED, users, items, epsilon) if scores is None else scores


def paired_cosine_similarity(x: tf.Tensor, y: tf.Tensor, *, epsilon: float = 0.0) -> tf.Tensor:
    """Score each row of `x` against the same row of `y`.

    Parameters
    ----------
    x, y : tensor, shape (B, D)
        As the users of `batched_cosine_similarity`.
    epsilon
        As in `batched_cosine_similarity`.

    Returns
    -------
    tensor, shape (B,)
        The scores in [-1, 1], bit for bit those of `cosim_rs.paired_cosine_similarity`.

    Raises
    ------
    TypeError, ValueError
        As `batched_cosine_similarity`.

    Examples
    --------
    >>> from cosim_rs.tensorflow import paired_cosine_similarity
    >>> paired_cosine_similarity([[1.0, 1.0], [2.0, 0.0]], [[2.0, 2.0], [0.0, 3.0]]).numpy()
    array([1., 0.], dtype=float32)
    """
    scores = native.eager_scores(PAIRED, x, y, epsilon)
    return _scores(PAIRED, x, y, epsilon) if scores is None else scores


def cosine_similarity(
    x: tf.Tensor, y: tf.Tensor | None = None, *, epsilon: float = 0.0
) -> tf.Tensor:
    """Score every row of `x` against every row of `y`.

    Parameters
    ----------
    x : tensor, shape (U, D)
        As the users of `batched_cosine_similarity`.
    y : tensor, shape (N, D), optional
        By default `x` itself.
    epsilon
        As in `batched_cosine_similarity`.

    Returns
    -------
    tensor, shape (U, N)
        The scores in [-1, 1], bit for bit those of `cosim_rs.cosine_similarity`.

    Raises
    ------
    TypeError, ValueError
        As `batched_cosine_similarity`.

    Examples
    --------
    >>> from cosim_rs.tensorflow import cosine_similarity
    >>> cosine_similarity([[1.0, 0.0], [0.0, 2.0], [3.0, 0.0]]).numpy()
    array([[1., 0., 1.],
           [0., 1., 0.],
           [1., 0., 1.]], dtype=float32)
    """
    y = x if y is None else y
    scores = native.eager_scores(MATRIX, x, y, epsilon)
    return _scores(MATRIX, x, y, epsilon) if scores is None else scores


def register() -> None:
    """Register the native operations with TensorFlow, as the first call of a function does.

    A SavedModel that holds them can be loaded from then on.

    Raises
    ------
    RuntimeError
        If they cannot be registered, with the reason.

    Examples
    --------
    >>> import cosim_rs.tensorflow
    >>> cosim_rs.tensorflow.register()
    """
    reason = native.missing()
    if reason is not None:
        raise RuntimeError(f"the operations of cosim_rs cannot be registered: {reason}")


def _scores(form: Form, x: Any, y: Any, epsilon: Any) -> Any:
    """Score whatever came, or say what is wrong with it."""
    epsilon = as_epsilon(epsilon)
    is_one = x is y
    x = as_tensor(form.sides[0], x)
    y = x if is_one else as_tensor(form.sides[1], y)
    shape = scores_shape(form, x, y)
    reason = native.impossible(x, y)
    if reason is None:
        scores = native.scores(form, x, y, epsilon)
    else:
        warn_once("tensorflow", reason)
        scores = own.scores(form, x, y, epsilon)
    scores.set_shape(shape)  # both sides together may tell more of it than TensorFlow found out
    return scores


# AutoGraph would read the source of these in every `tf.function`, and has nothing to change there.
for _public in (batched_cosine_similarity, paired_cosine_similarity, cosine_similarity):
    vars(_public)["autograph_info__"] = {}
