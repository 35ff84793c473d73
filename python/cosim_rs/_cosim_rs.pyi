"""The native border: it takes arrays as they stand, or returns None with nothing done."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar, final

from numpy import float32, floating, int64, uint8
from numpy.typing import NDArray

__all__ = [
    "Codes",
    "__version__",
    "arrow_array",
    "arrow_chunks",
    "available_kernels",
    "batched_cosine_similarity",
    "candidate_cosine_similarity",
    "codes_of",
    "cosine_similarity",
    "get_num_threads",
    "implement_for_torch",
    "in_default_mode",
    "keep_to",
    "kernel",
    "mine_pairs",
    "native_calls",
    "paired_cosine_similarity",
    "prepare",
    "range_search",
    "register_tensorflow",
    "set_num_threads",
    "top_k",
    "xla_handlers",
]

_T = TypeVar("_T")
_Lists = tuple[object, object]
_Filter = tuple[float | None, _Lists | None, object | None, _Lists | None, bool]

__version__: Final[str]

def arrow_array(name: str, capsules: tuple[object, object]) -> NDArray[Any] | None: ...
def arrow_chunks(name: str, capsule: object) -> NDArray[Any] | None: ...
def batched_cosine_similarity(
    users: object, items: object, out: object, epsilon: object, threads: object
) -> NDArray[floating[Any]] | None: ...
def paired_cosine_similarity(
    x: object, y: object, out: object, epsilon: object, threads: object
) -> NDArray[floating[Any]] | None: ...
def cosine_similarity(
    x: object, y: object, out: object, epsilon: object, threads: object
) -> NDArray[floating[Any]] | None: ...
def candidate_cosine_similarity(
    users: object, items: object, ids: object, out: object, epsilon: object, threads: object
) -> NDArray[floating[Any]] | None: ...

@final
class Codes:
    @property
    def nbytes(self) -> int: ...
    def parts(self) -> tuple[NDArray[uint8], NDArray[float32], NDArray[float32]]: ...

_Segments = Sequence[tuple[object, Codes | None, object | None]]

def codes_of(
    shape: tuple[int, int], epsilon: float, lines: object, scales: object, residuals: object
) -> Codes | None: ...
def prepare(items: object, epsilon: object, threads: object) -> Codes | None: ...
def top_k(
    users: object, searched: _Segments, k: int, filter: _Filter, epsilon: object, threads: object
) -> tuple[NDArray[floating[Any]], NDArray[int64], int] | None: ...
def range_search(
    users: object, searched: _Segments, filter: _Filter, epsilon: object, threads: object
) -> tuple[NDArray[int64], NDArray[int64], NDArray[floating[Any]]] | None: ...
def mine_pairs(
    x: object,
    y: object | None,
    min_score: float,
    max_pairs: int | None,
    progress: Callable[[int], object] | None,
    epsilon: object,
    threads: object,
) -> tuple[NDArray[floating[Any]], NDArray[int64], NDArray[int64]] | None: ...
def set_num_threads(n: int) -> None: ...
def get_num_threads() -> int: ...
def keep_to(tells: Callable[[], int | None]) -> None: ...
def kernel() -> str: ...
def native_calls() -> tuple[int, int]: ...
def implement_for_torch(library: str) -> None: ...
def register_tensorflow() -> str | None: ...
def available_kernels() -> list[str]: ...
def in_default_mode(call: Callable[[], _T]) -> _T: ...
def xla_handlers() -> list[tuple[str, object]]: ...
