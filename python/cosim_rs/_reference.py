"""The score written plainly in float64 NumPy: what the fast code is compared with.

    score(u, v) = dot(u, v) / (max(|u|, epsilon) * max(|v|, epsilon)), within [-1, 1]

Squares of very large or very small numbers leave the range of float64, so each vector is first
multiplied by the power of two that brings its largest element below one. That is exact, save for
elements too small to matter, and a cosine does not depend on the length of its vectors.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def cosine_scores(
    users: npt.ArrayLike, items: npt.ArrayLike, epsilon: float = 0.0
) -> npt.NDArray[np.float64]:
    """Cosine of the vectors along the last axis, the other axes broadcast.

    Parameters
    ----------
    users, items : array_like of real numbers, shapes (..., D)
        Taken as float64. The leading axes broadcast against each other, so ``users[:, None]``
        with items of shape ``(B, N, D)`` are the batched scores, and ``x[:, None]`` with ``y``
        the full matrix.
    epsilon : float, default 0.0
        Each norm is first raised to at least this.

    Returns
    -------
    ndarray of float64, the broadcast leading shape
        Within [-1, 1]. A zero vector scores 0 with every finite vector; a NaN or an infinity in
        either vector makes the score NaN.

    Examples
    --------
    >>> cosine_scores([3.0, 4.0], [[3.0, 4.0], [-6e-300, -8e-300], [4.0, -3.0], [0.0, 0.0]])
    array([ 1., -1.,  0.,  0.])
    """
    scaled_users, user_norms = _scaled(users, epsilon)
    scaled_items, item_norms = _scaled(items, epsilon)
    dots = np.einsum("...d,...d->...", scaled_users, scaled_items)
    norms = user_norms * item_norms
    # A norm is 0 only for a zero vector, whose dot product is 0 as well: 0 / 1 is its score.
    scores = dots / np.where(norms == 0.0, 1.0, norms)
    # np.clip lets NaN through; adding +0 turns -0 into +0.
    return np.asarray(np.clip(scores, -1.0, 1.0) + 0.0)


def _scaled(
    vectors: npt.ArrayLike, epsilon: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """The vectors, each times its own power of two, and their norms on that scale.

    A vector that holds a NaN or an infinity comes back as NaN throughout.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    largest = np.max(np.abs(rows), axis=-1, keepdims=True, initial=epsilon)
    finite = np.isfinite(largest)
    _, exponents = np.frexp(np.where(finite, largest, 0.0))
    scaled = np.ldexp(np.where(finite, rows, np.nan), -exponents)
    norms = np.sqrt(np.einsum("...d,...d->...", scaled, scaled))
    return scaled, np.maximum(norms, np.ldexp(epsilon, -exponents[..., 0]))
