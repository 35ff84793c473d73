"""What a type checker sees of the package: its types by dtype.

Arrays whose values float32 holds are scored in float32, all others in float64; where a checker
does not know the dtype, neither does the result. Documentation is with the functions themselves.
"""

from collections.abc import Sequence
from os import PathLike
from types import GenericAlias
from typing import Any, Final, Generic, NamedTuple, TypeAlias, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import Never, TypeVar

from cosim_rs._config import get_num_threads, set_num_threads, show_config
from cosim_rs._filters import Lists
from cosim_rs._limits import threadpool_limits

__all__ = [
    "Catalogue",
    "Pairs",
    "RangeResult",
    "TopK",
    "__version__",
    "batched_cosine_similarity",
    "candidate_cosine_similarity",
    "cosine_similarity",
    "get_num_threads",
    "group_pairs",
    "mine_pairs",
    "paired_cosine_similarity",
    "range_search",
    "set_num_threads",
    "show_config",
    "threadpool_limits",
    "top_k",
]

__version__: Final[str]

_Narrow: TypeAlias = NDArray[np.float32 | np.float16 | np.int8]
_WideArray: TypeAlias = NDArray[
    np.float64 | np.longdouble | np.int16 | np.int32 | np.int64 | np.unsignedinteger[Any] | np.bool_
]
_Unknown: TypeAlias = NDArray[np.floating[Any]]

# These are variables, not aliases: for an alias mypy would take `np.ones(...)` or `x.astype(...)`,
# written in a call, to be of whatever dtype comes first.
_Wide = TypeVar(
    "_Wide",
    bound=_WideArray
    | Sequence[float]
    | Sequence[Sequence[float]]
    | Sequence[Sequence[Sequence[float]]],
)
# An array of Any fits every overload. Pyright takes the first, so that is for arrays of Any alone;
# mypy makes Any of results that differ, but breaks named tuples unless one of them is `| Any`.
_Untyped = TypeVar("_Untyped", bound=NDArray[Never])
_Out = TypeVar("_Out", bound=NDArray[np.float32] | NDArray[np.float64])
_Named = TypeVar("_Named", bound=np.generic)
_Score_co = TypeVar("_Score_co", bound=np.floating[Any], default=Any, covariant=True)
_Id_co = TypeVar("_Id_co", bound=np.generic, default=Any, covariant=True)

@overload
def batched_cosine_similarity(
    users: ArrayLike,
    items: ArrayLike,
    *,
    out: _Out,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> _Out: ...
@overload
def batched_cosine_similarity(
    users: _Untyped,
    items: ArrayLike,
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> NDArray[Any]: ...
@overload
def batched_cosine_similarity(
    users: ArrayLike,
    items: _Untyped,
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> NDArray[Any]: ...
@overload
def batched_cosine_similarity(
    users: _Wide,
    items: ArrayLike,
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> NDArray[np.float64]: ...
@overload
def batched_cosine_similarity(
    users: ArrayLike,
    items: _Wide,
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> NDArray[np.float64]: ...
@overload
def batched_cosine_similarity(
    users: _Narrow,
    items: _Narrow,
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> NDArray[np.float32]: ...
@overload
def batched_cosine_similarity(
    users: ArrayLike,
    items: ArrayLike,
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> _Unknown: ...
@overload
def candidate_cosine_similarity(
    users: ArrayLike,
    items: ArrayLike,
    ids: ArrayLike | Sequence[ArrayLike],
    *,
    out: _Out,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> _Out: ...
@overload
def candidate_cosine_similarity(
    users: _Untyped,
    items: ArrayLike,
    ids: ArrayLike | Sequence[ArrayLike],
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> NDArray[Any]: ...
@overload
def candidate_cosine_similarity(
    users: ArrayLike,
    items: _Untyped,
    ids: ArrayLike | Sequence[ArrayLike],
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> NDArray[Any]: ...
@overload
def candidate_cosine_similarity(
    users: _Wide,
    items: ArrayLike,
    ids: ArrayLike | Sequence[ArrayLike],
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> NDArray[np.float64]: ...
@overload
def candidate_cosine_similarity(
    users: ArrayLike,
    items: _Wide,
    ids: ArrayLike | Sequence[ArrayLike],
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> NDArray[np.float64]: ...
@overload
def candidate_cosine_similarity(
    users: _Narrow,
    items: _Narrow,
    ids: ArrayLike | Sequence[ArrayLike],
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> NDArray[np.float32]: ...
@overload
def candidate_cosine_similarity(
    users: ArrayLike,
    items: ArrayLike,
    ids: ArrayLike | Sequence[ArrayLike],
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> _Unknown: ...
@overload
def paired_cosine_similarity(
    x: ArrayLike, y: ArrayLike, *, out: _Out, epsilon: float = 0.0, threads: int | None = None
) -> _Out: ...
@overload
def paired_cosine_similarity(
    x: _Untyped, y: ArrayLike, *, out: None = None, epsilon: float = 0.0, threads: int | None = None
) -> NDArray[Any]: ...
@overload
def paired_cosine_similarity(
    x: ArrayLike, y: _Untyped, *, out: None = None, epsilon: float = 0.0, threads: int | None = None
) -> NDArray[Any]: ...
@overload
def paired_cosine_similarity(
    x: _Wide, y: ArrayLike, *, out: None = None, epsilon: float = 0.0, threads: int | None = None
) -> NDArray[np.float64]: ...
@overload
def paired_cosine_similarity(
    x: ArrayLike, y: _Wide, *, out: None = None, epsilon: float = 0.0, threads: int | None = None
) -> NDArray[np.float64]: ...
@overload
def paired_cosine_similarity(
    x: _Narrow, y: _Narrow, *, out: None = None, epsilon: float = 0.0, threads: int | None = None
) -> NDArray[np.float32]: ...
@overload
def paired_cosine_similarity(
    x: ArrayLike,
    y: ArrayLike,
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> _Unknown: ...
@overload
def cosine_similarity(
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    out: _Out,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> _Out: ...
@overload
def cosine_similarity(
    x: _Untyped,
    y: ArrayLike | None = None,
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> NDArray[Any]: ...
@overload
def cosine_similarity(
    x: ArrayLike, y: _Untyped, *, out: None = None, epsilon: float = 0.0, threads: int | None = None
) -> NDArray[Any]: ...
@overload
def cosine_similarity(
    x: _Wide,
    y: ArrayLike | None = None,
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> NDArray[np.float64]: ...
@overload
def cosine_similarity(
    x: ArrayLike, y: _Wide, *, out: None = None, epsilon: float = 0.0, threads: int | None = None
) -> NDArray[np.float64]: ...
@overload
def cosine_similarity(
    x: _Narrow,
    y: _Narrow | None = None,
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> NDArray[np.float32]: ...
@overload
def cosine_similarity(
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    out: None = None,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> _Unknown: ...

class TopK(NamedTuple, Generic[_Score_co, _Id_co]):
    scores: NDArray[_Score_co]
    indices: NDArray[_Id_co]
    @property
    def ids(self) -> NDArray[_Id_co]: ...

@overload
def top_k(
    users: _Untyped,
    items: ArrayLike,
    k: int = 10,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    candidates: Lists | None = None,
    min_score: float | None = None,
    exclude_self: bool = False,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> TopK[Any, np.int64] | Any: ...
@overload
def top_k(
    users: ArrayLike,
    items: _Untyped,
    k: int = 10,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    candidates: Lists | None = None,
    min_score: float | None = None,
    exclude_self: bool = False,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> TopK[Any, np.int64] | Any: ...
@overload
def top_k(
    users: _Wide,
    items: ArrayLike,
    k: int = 10,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    candidates: Lists | None = None,
    min_score: float | None = None,
    exclude_self: bool = False,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> TopK[np.float64, np.int64]: ...
@overload
def top_k(
    users: ArrayLike,
    items: _Wide,
    k: int = 10,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    candidates: Lists | None = None,
    min_score: float | None = None,
    exclude_self: bool = False,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> TopK[np.float64, np.int64]: ...
@overload
def top_k(
    users: _Narrow,
    items: _Narrow,
    k: int = 10,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    candidates: Lists | None = None,
    min_score: float | None = None,
    exclude_self: bool = False,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> TopK[np.float32, np.int64]: ...
@overload
def top_k(
    users: ArrayLike,
    items: ArrayLike,
    k: int = 10,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    candidates: Lists | None = None,
    min_score: float | None = None,
    exclude_self: bool = False,
    epsilon: float = 0.0,
    threads: int | None = None,
) -> TopK[Any, np.int64]: ...

class RangeResult(NamedTuple, Generic[_Score_co, _Id_co]):
    indptr: NDArray[np.int64]
    indices: NDArray[_Id_co]
    scores: NDArray[_Score_co]
    @property
    def ids(self) -> NDArray[_Id_co]: ...

@overload
def range_search(
    users: _Untyped,
    items: ArrayLike,
    min_score: float,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    threads: int | None = None,
) -> RangeResult[Any, np.int64] | Any: ...
@overload
def range_search(
    users: ArrayLike,
    items: _Untyped,
    min_score: float,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    threads: int | None = None,
) -> RangeResult[Any, np.int64] | Any: ...
@overload
def range_search(
    users: _Wide,
    items: ArrayLike,
    min_score: float,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    threads: int | None = None,
) -> RangeResult[np.float64, np.int64]: ...
@overload
def range_search(
    users: ArrayLike,
    items: _Wide,
    min_score: float,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    threads: int | None = None,
) -> RangeResult[np.float64, np.int64]: ...
@overload
def range_search(
    users: _Narrow,
    items: _Narrow,
    min_score: float,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    threads: int | None = None,
) -> RangeResult[np.float32, np.int64]: ...
@overload
def range_search(
    users: ArrayLike,
    items: ArrayLike,
    min_score: float,
    *,
    exclude: Lists | None = None,
    allow: ArrayLike | None = None,
    threads: int | None = None,
) -> RangeResult[Any, np.int64]: ...

class Pairs(NamedTuple, Generic[_Score_co]):
    scores: NDArray[_Score_co]
    i: NDArray[np.int64]
    j: NDArray[np.int64]

@overload
def mine_pairs(
    x: _Untyped,
    y: ArrayLike | None = None,
    *,
    min_score: float,
    max_pairs: int | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> Pairs[Any] | Any: ...
@overload
def mine_pairs(
    x: ArrayLike,
    y: _Untyped,
    *,
    min_score: float,
    max_pairs: int | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> Pairs[Any] | Any: ...
@overload
def mine_pairs(
    x: _Wide,
    y: ArrayLike | None = None,
    *,
    min_score: float,
    max_pairs: int | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> Pairs[np.float64]: ...
@overload
def mine_pairs(
    x: ArrayLike,
    y: _Wide,
    *,
    min_score: float,
    max_pairs: int | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> Pairs[np.float64]: ...
@overload
def mine_pairs(
    x: _Narrow,
    y: _Narrow | None = None,
    *,
    min_score: float,
    max_pairs: int | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> Pairs[np.float32]: ...
@overload
def mine_pairs(
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    min_score: float,
    max_pairs: int | None = None,
    threads: int | None = None,
    progress: bool = False,
) -> Pairs[Any]: ...
def group_pairs(pairs: Pairs[Any], count: int) -> NDArray[np.int64]: ...

class Catalogue(Generic[_Score_co, _Id_co]):
    @overload
    def __init__(
        self: Catalogue[Any, Any],
        items: _Untyped,
        ids: ArrayLike | None = None,
        *,
        epsilon: float = 0.0,
        copy: bool = False,
        threads: int | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: Catalogue[np.float64, np.int64],
        items: _Wide,
        ids: None = None,
        *,
        epsilon: float = 0.0,
        copy: bool = False,
        threads: int | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: Catalogue[np.float64, _Named],
        items: _Wide,
        ids: NDArray[_Named],
        *,
        epsilon: float = 0.0,
        copy: bool = False,
        threads: int | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: Catalogue[np.float64, Any],
        items: _Wide,
        ids: ArrayLike,
        *,
        epsilon: float = 0.0,
        copy: bool = False,
        threads: int | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: Catalogue[np.float32, np.int64],
        items: _Narrow,
        ids: None = None,
        *,
        epsilon: float = 0.0,
        copy: bool = False,
        threads: int | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: Catalogue[np.float32, _Named],
        items: _Narrow,
        ids: NDArray[_Named],
        *,
        epsilon: float = 0.0,
        copy: bool = False,
        threads: int | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: Catalogue[np.float32, Any],
        items: _Narrow,
        ids: ArrayLike,
        *,
        epsilon: float = 0.0,
        copy: bool = False,
        threads: int | None = None,
    ) -> None: ...
    @overload
    def __init__(
        self: Catalogue[Any, Any],
        items: ArrayLike,
        ids: ArrayLike | None = None,
        *,
        epsilon: float = 0.0,
        copy: bool = False,
        threads: int | None = None,
    ) -> None: ...
    def __class_getitem__(cls, dtypes: Any) -> GenericAlias: ...
    def save(self, path: str | PathLike[str]) -> None: ...
    @classmethod
    def open(
        cls, path: str | PathLike[str], *, mmap: bool = True, verify: bool = False
    ) -> Catalogue[Any, Any]: ...
    def __getstate__(self) -> dict[str, Any]: ...
    def __setstate__(self, state: dict[str, Any]) -> None: ...
    def __copy__(self) -> Catalogue[_Score_co, _Id_co]: ...
    def __deepcopy__(self, memo: dict[int, Any]) -> Catalogue[_Score_co, _Id_co]: ...
    def __len__(self) -> int: ...
    @property
    def dim(self) -> int: ...
    @property
    def dtype(self) -> np.dtype[_Score_co]: ...
    @property
    def ids(self) -> NDArray[_Id_co]: ...
    @property
    def nbytes(self) -> int: ...
    @overload
    def top_k(
        self,
        users: _Untyped,
        k: int = 10,
        *,
        exclude: Lists | None = None,
        allow: ArrayLike | None = None,
        candidates: Lists | None = None,
        min_score: float | None = None,
        threads: int | None = None,
    ) -> TopK[Any, _Id_co] | Any: ...
    @overload
    def top_k(
        self,
        users: _Wide,
        k: int = 10,
        *,
        exclude: Lists | None = None,
        allow: ArrayLike | None = None,
        candidates: Lists | None = None,
        min_score: float | None = None,
        threads: int | None = None,
    ) -> TopK[np.float64, _Id_co]: ...
    @overload
    def top_k(
        self,
        users: _Narrow,
        k: int = 10,
        *,
        exclude: Lists | None = None,
        allow: ArrayLike | None = None,
        candidates: Lists | None = None,
        min_score: float | None = None,
        threads: int | None = None,
    ) -> TopK[_Score_co, _Id_co]: ...
    @overload
    def top_k(
        self,
        users: ArrayLike,
        k: int = 10,
        *,
        exclude: Lists | None = None,
        allow: ArrayLike | None = None,
        candidates: Lists | None = None,
        min_score: float | None = None,
        threads: int | None = None,
    ) -> TopK[Any, _Id_co]: ...
    def add(self, items: ArrayLike, ids: ArrayLike | None = None) -> None: ...
    def update(self, ids: ArrayLike, items: ArrayLike) -> None: ...
    def remove(self, ids: ArrayLike) -> None: ...
    @overload
    def range_search(
        self,
        users: _Untyped,
        min_score: float,
        *,
        exclude: Lists | None = None,
        allow: ArrayLike | None = None,
        threads: int | None = None,
    ) -> RangeResult[Any, _Id_co] | Any: ...
    @overload
    def range_search(
        self,
        users: _Wide,
        min_score: float,
        *,
        exclude: Lists | None = None,
        allow: ArrayLike | None = None,
        threads: int | None = None,
    ) -> RangeResult[np.float64, _Id_co]: ...
    @overload
    def range_search(
        self,
        users: _Narrow,
        min_score: float,
        *,
        exclude: Lists | None = None,
        allow: ArrayLike | None = None,
        threads: int | None = None,
    ) -> RangeResult[_Score_co, _Id_co]: ...
    @overload
    def range_search(
        self,
        users: ArrayLike,
        min_score: float,
        *,
        exclude: Lists | None = None,
        allow: ArrayLike | None = None,
        threads: int | None = None,
    ) -> RangeResult[Any, _Id_co]: ...
    def similar(
        self,
        ids: ArrayLike,
        k: int = 10,
        *,
        allow: ArrayLike | None = None,
        min_score: float | None = None,
        threads: int | None = None,
    ) -> TopK[_Score_co, _Id_co]: ...
    @overload
    def scores(
        self, users: ArrayLike, ids: ArrayLike, *, out: _Out, threads: int | None = None
    ) -> _Out: ...
    @overload
    def scores(
        self, users: _Untyped, ids: ArrayLike, *, out: None = None, threads: int | None = None
    ) -> NDArray[Any]: ...
    @overload
    def scores(
        self, users: _Wide, ids: ArrayLike, *, out: None = None, threads: int | None = None
    ) -> NDArray[np.float64]: ...
    @overload
    def scores(
        self, users: _Narrow, ids: ArrayLike, *, out: None = None, threads: int | None = None
    ) -> NDArray[_Score_co]: ...
    @overload
    def scores(
        self, users: ArrayLike, ids: ArrayLike, *, out: None = None, threads: int | None = None
    ) -> _Unknown: ...
