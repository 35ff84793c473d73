"""What the native border refused: converted if it can be, else an error that says why not.

The border takes arrays of float32, float64, float16, bfloat16 or int8 and of fitting shapes,
aligned and in native byte order, as they stand. A call that it refuses, also with arrays made of
other libraries' objects, comes here, where nothing has been done yet: the arrays are converted,
every argument is checked in the caller's terms, and the border is asked again.
"""

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cosim_rs import _cosim_rs
from cosim_rs._floats import is_brain
from cosim_rs._interchange import as_array
from cosim_rs._tensors import BFLOAT16

Scores = NDArray[np.floating[Any]]
# float32, float64, float16, int8, or bfloat16, as `ml_dtypes` has it or by our own mark.
Vectors = NDArray[Any]
Border = Callable[[object, object, Scores | None, object, object], Scores | None]
Shape = tuple[int, ...]

ACCEPTED = "real numbers: float32, float64, float16, bfloat16, int8, or others to be made float64"
MOST_FLOAT32 = float(np.finfo(np.float32).max)


class Inputs(NamedTuple):
    """Two arrays ready for the border, each in a dtype that it takes."""

    left: Vectors
    right: Vectors

    @property
    def dtype(self) -> np.dtype[np.floating[Any]]:
        """The dtype of their scores."""
        return np.result_type(scored_dtype(self.left), scored_dtype(self.right))


def score(
    border: Border,
    inputs: Inputs,
    shape: Shape,
    out: Scores | None,
    epsilon: float,
    threads: int | None,
) -> Scores:
    """Ask the border again, with converted inputs that would give scores of this shape."""
    if out is not None:
        check_out(out, shape, inputs)
    epsilon, threads = as_epsilon(epsilon), as_threads(threads)
    scores = border(*inputs, out, epsilon, threads)
    if scores is not None:
        return scores
    # The border judges an overlap by first and last bytes alone. Here there is none, so `out`
    # lies between an input's elements; it is filled from scores computed elsewhere.
    scores = border(*inputs, None, epsilon, threads)
    if scores is None or out is None:
        raise AssertionError("the border refused arrays that passed every check")
    out[...] = scores
    return out


def score_listed(
    inputs: Inputs,
    places: NDArray[np.integer[Any]],
    shape: Shape,
    out: Scores | None,
    epsilon: float,
    threads: int | None,
) -> Scores:
    """Score rows of users against those items whose places are listed, into `shape`."""

    def border(
        users: object, items: object, out: Scores | None, epsilon: object, threads: object
    ) -> Scores | None:
        rows = None if out is None else np.atleast_2d(out)
        listed = _cosim_rs.candidate_cosine_similarity
        scores = listed(users, items, places, rows, epsilon, threads)
        return scores if scores is None or out is None else out

    scores = score(border, inputs, shape, out, epsilon, threads)
    return scores if out is not None else scores.reshape(shape)


def as_inputs(**arguments: ArrayLike) -> Inputs:
    """Make two arguments, known by their names, arrays that the border takes."""
    return Inputs(*(as_input(name, argument) for name, argument in arguments.items()))


def as_input(name: str, argument: ArrayLike) -> Vectors:
    """Make one argument an array that the border takes, by a copy if need be."""
    return _cosim_rs.in_default_mode(lambda: stored(name, as_array(name, argument)))


def stored(name: str, array: NDArray[Any]) -> Vectors:
    """Do the work of `as_input` on an array."""
    dtype = array.dtype
    if is_taken(dtype):
        if dtype == BFLOAT16:  # with whatever alignment
            array = array.view(BFLOAT16)
        if dtype.isnative and array.flags.aligned:
            return array
    elif dtype.kind in "fiub":
        dtype = np.dtype(np.float64)
    else:
        raise TypeError(f"{name}: got dtype {dtype}, expected {ACCEPTED}")
    # Not `ascontiguousarray`: a layout is no reason to copy. Alignment and byte order are.
    return np.require(array, dtype if dtype.isnative else dtype.newbyteorder("="), "A")


def is_taken(dtype: np.dtype[Any]) -> bool:
    """Whether the border takes this dtype, byte order aside."""
    numbers = (np.float32, np.float64, np.float16, np.int8)
    return dtype.type in numbers or is_brain(dtype)


def scored_dtype(vectors: Vectors) -> np.dtype[np.floating[Any]]:
    """Say in which dtype vectors are scored: float64 if they are stored in it, else float32."""
    return np.dtype(np.float64 if vectors.dtype == np.float64 else np.float32)


def check_out(out: object, shape: Shape, inputs: Inputs) -> None:
    """Raise unless scores of this shape can be written to `out`."""
    dtype = inputs.dtype
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out: got {type(out).__name__}, expected a numpy.ndarray or None")
    if out.dtype != dtype:
        raise TypeError(f"out: got dtype {out.dtype}, expected {dtype}, as these inputs give")
    if out.shape != shape:
        raise ValueError(f"out: got shape {out.shape}, expected {shape}")
    if not out.flags.writeable:
        raise ValueError("out: got a read-only array, expected a writeable one")
    if any(np.shares_memory(out, array) for array in inputs):
        raise ValueError("out: got an array that overlaps an input, expected memory of its own")
    if has_internal_overlap(out):
        raise ValueError("out: got an array that overlaps itself, expected a place for each score")


def has_internal_overlap(array: NDArray[Any]) -> bool:
    """Say whether two elements might share memory, as they do in a broadcast array."""
    axes = sorted(
        (abs(stride), length)
        for stride, length in zip(array.strides, array.shape, strict=True)
        if length > 1
    )
    reach = array.itemsize - 1
    for stride, length in axes:
        if stride <= reach:
            return array.size > 0
        reach += stride * (length - 1)
    return False


def as_epsilon(epsilon: float) -> float:
    """Check `epsilon` and make it a plain float."""
    number = as_number("epsilon", epsilon)
    if not 0 <= number <= MOST_FLOAT32:
        wanted = "a finite number of at least 0, no larger than float32 holds"
        raise ValueError(f"epsilon: got {number}, expected {wanted}")
    return number


def as_number(name: str, number: float) -> float:
    """Check a real number and make it a plain float."""
    is_number = isinstance(number, (int, float, np.integer, np.floating))
    if not is_number or isinstance(number, bool):
        raise TypeError(f"{name}: got {type(number).__name__}, expected a real number")
    try:
        # The caller's mode may have no subnormal ones.
        return _cosim_rs.in_default_mode(lambda: float(number))
    except OverflowError:
        raise ValueError(f"{name}: got a whole number that no float holds") from None


def as_threads(threads: int | None) -> int | None:
    """Check `threads` and make it a plain int, where it is given."""
    return None if threads is None else as_count("threads", threads)


def as_count(name: str, count: int, least: int = 1) -> int:
    """Check a whole number of at least so much and make it a plain int."""
    wanted = f"a whole number of at least {least}"
    if isinstance(count, (bool, np.bool_)):
        raise TypeError(f"{name}: got {type(count).__name__}, expected {wanted}")
    try:
        whole = operator.index(count)
    except TypeError:
        raise TypeError(f"{name}: got {type(count).__name__}, expected {wanted}") from None
    if whole < least:
        raise ValueError(f"{name}: got {whole}, expected {wanted}")
    return min(whole, 2**63 - 1)  # the border takes a machine word


def fitting(name: str, got: Shape, expected: str) -> ValueError:
    """Make the error for an array whose shape does not fit."""
    return ValueError(f"{name}: got shape {got}, expected {expected}")


__all__ = [
    "Inputs",
    "Scores",
    "Vectors",
    "as_count",
    "as_epsilon",
    "as_input",
    "as_inputs",
    "as_number",
    "as_threads",
    "fitting",
    "score",
    "score_listed",
    "scored_dtype",
]
