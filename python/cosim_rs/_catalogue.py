"""A catalogue: items prepared once, searched often."""

from __future__ import annotations

from types import GenericAlias
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cosim_rs import _arrays, _candidates, _cosim_rs, _filters, _search
from cosim_rs._arrays import Inputs, Scores, fitting
from cosim_rs._filters import Lists
from cosim_rs._interchange import as_array
from cosim_rs._naming import Ids, Places, Positions
from cosim_rs._search import Filter, Segment, TopK


class Catalogue:
    """Items prepared to be searched: exactly, at the speed of 8-bit integers.

    Each item gets 8-bit codes and a bound on what they leave out. A search goes over the codes,
    and scores exactly only those items that the bound does not rule out; so what it finds is, bit
    for bit, what `top_k` finds. A catalogue never changes and may be searched from many threads
    at once. It can be pickled, with its items, borrowed or not; where it is loaded its codes are
    prepared anew. A `copy.copy` shares everything, a `copy.deepcopy` has items of its own.

    Parameters
    ----------
    items : array_like, shape (N, D)
        float32 and float64 arrays, also those of other libraries, are borrowed: they must not be
        changed while the catalogue is in use. Other dtypes are converted as in
        `batched_cosine_similarity`.
    ids : array_like, shape (N,), optional
        Names of the items: whole numbers or strings, no two alike. By default items are known by
        their rows, 0 to N - 1.
    epsilon : float, default 0
        As in `batched_cosine_similarity`; all searches use it.
    copy : bool, default False
        Whether to keep a copy of `items`, so that the array may change.
    threads : int, optional
        The most threads to use for preparing.

    Raises
    ------
    TypeError, ValueError
        If the items are not a matrix of real numbers, or the ids not unique numbers or strings.

    Examples
    --------
    >>> import numpy as np
    >>> import cosim_rs
    >>> items = np.array([[0.0, 2.0], [3.0, 0.0], [4.0, 3.0], [5.0, 1.0]])
    >>> catalogue = cosim_rs.Catalogue(items, ids=["tea", "cup", "mug", "jug"])
    >>> len(catalogue), catalogue.dim, catalogue.dtype
    (4, 2, dtype('float64'))
    >>> found = catalogue.top_k([1.0, 0.0], 2)
    >>> found.ids.tolist(), found.scores.round(2).tolist()
    (['cup', 'jug'], [1.0, 0.98])
    """

    def __init__(
        self,
        items: ArrayLike,
        ids: ArrayLike | None = None,
        *,
        epsilon: float = 0.0,
        copy: bool = False,
        threads: int | None = None,
    ) -> None:
        """Check and code the items."""
        given = _arrays.as_input("items", items)
        if given.ndim != 2:
            raise fitting("items", given.shape, "(N, D)")
        self._is_borrowed = given is items or given.base is not None
        if _filters.as_flag("copy", copy) and self._is_borrowed:
            given, self._is_borrowed = given.copy(), False
        self._items = given
        self._naming = Positions(len(given)) if ids is None else Ids(ids, len(given))
        self._epsilon = _arrays.as_epsilon(epsilon)
        self._codes = _prepared(given, self._epsilon, _arrays.as_threads(threads))

    def __class_getitem__(cls, dtypes: Any) -> GenericAlias:
        """Name the dtypes of scores and ids, for type checkers."""
        return GenericAlias(cls, dtypes)

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the codes, which are soon made again, and whose the items were."""
        state = vars(self).copy()
        del state["_codes"], state["_is_borrowed"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over what was pickled, which nobody else holds, and prepare it again."""
        vars(self).update(state, _is_borrowed=False)
        self._codes = _prepared(self._items, self._epsilon, None)

    def __copy__(self) -> Catalogue:
        """Share everything."""
        copied = type(self).__new__(type(self))
        vars(copied).update(vars(self))
        return copied

    def __len__(self) -> int:
        """Tell the number of items."""
        return len(self._items)

    def __repr__(self) -> str:
        """Tell what there is to be searched."""
        return f"<cosim_rs.Catalogue: {len(self)} items of {self.dim} {self.dtype}>"

    @property
    def dim(self) -> int:
        """The length of the vectors, D."""
        return int(self._items.shape[1])

    @property
    def dtype(self) -> np.dtype[np.floating[Any]]:
        """The dtype that items are scored in: float32 or float64."""
        return _arrays.scored_dtype(self._items)

    @property
    def ids(self) -> NDArray[Any]:
        """The id of each item, shape (N,); their rows if there are no others."""
        return self._naming.names

    @property
    def nbytes(self) -> int:
        """The bytes that the catalogue holds: codes, ids, and items that are not borrowed."""
        own = 0 if self._is_borrowed else self._items.nbytes
        return self._codes.nbytes + self._naming.nbytes + own

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
    ) -> TopK:
        """Find the best items for each user, exactly.

        Parameters
        ----------
        users : array_like, shape (U, D), (U, 1, D) or (D,)
            As the users of `batched_cosine_similarity`. One vector gives one row of results.
        k, exclude, allow, candidates, min_score, threads
            As in `cosim_rs.top_k`. With ids, arrays and lists hold ids; a row of `exclude` or
            `candidates` is filled up with -1, the largest number if unsigned, or the empty string.
            The columns of a sparse array are rows of the items, with ids or without.

        Returns
        -------
        TopK
            ``scores`` and ``ids`` (also called ``indices``), of shape (U, min(k, N)). A place that
            cannot be filled holds the score -inf and what fills up a row of `exclude`.

        Raises
        ------
        KeyError
            If `exclude`, `allow` or `candidates` hold an id that is not in the catalogue.
        TypeError, ValueError
            As `cosim_rs.top_k`.

        Examples
        --------
        >>> import numpy as np
        >>> import cosim_rs
        >>> catalogue = cosim_rs.Catalogue(np.eye(3), ids=[10, 20, 30])
        >>> catalogue.top_k([[0.0, 3.0, 4.0]], 2, exclude=[[30]]).ids
        array([[20, 10]])
        """
        inputs, is_one_user = _search.as_search(_arrays.as_input("users", users), self._items)
        rows = len(inputs.left), self._naming, is_one_user
        excluded = _filters.as_lists("exclude", exclude, *rows)
        listed = _filters.as_lists("candidates", candidates, *rows)
        found = self._found(inputs, k, excluded, allow, min_score, threads, listed)
        return TopK(found.scores[0], found.indices[0]) if is_one_user else found

    def similar(
        self,
        ids: ArrayLike,
        k: int = 10,
        *,
        allow: ArrayLike | None = None,
        min_score: float | None = None,
        threads: int | None = None,
    ) -> TopK:
        """Find the items most like some of the items, each of these itself excluded.

        Parameters
        ----------
        ids : array_like, shape (U,), or one id
            The items to find others for. One id gives one row of results.
        k, allow, min_score, threads
            As in `top_k`.

        Returns
        -------
        TopK
            As `top_k` returns.

        Raises
        ------
        KeyError, ValueError
            If an id is not in the catalogue (ValueError if items have no ids but their rows).
        TypeError
            If ids, or another argument, are of another type than they should be.

        Examples
        --------
        >>> import numpy as np
        >>> import cosim_rs
        >>> items = np.array([[1.0, 0.0], [2.0, 0.1], [0.0, 1.0]])
        >>> cosim_rs.Catalogue(items).similar([0, 2], 1).ids
        array([[1],
               [1]])
        """
        given = as_array("ids", ids)
        if given.ndim > 1:
            raise fitting("ids", given.shape, "(U,)")
        places = self._naming.places("ids", np.atleast_1d(given))
        inputs = Inputs(self._items[places], self._items)
        rows = np.arange(len(places) + 1), places
        found = self._found(inputs, k, rows, allow, min_score, threads)
        return found if given.ndim else TopK(found.scores[0], found.indices[0])

    def scores(
        self,
        users: ArrayLike,
        ids: ArrayLike,
        *,
        out: Scores | None = None,
        threads: int | None = None,
    ) -> Scores:
        """Score each user against some of the items, known by their ids.

        Parameters
        ----------
        users : array_like, shape (B, D), (B, 1, D) or (D,)
            As in `candidate_cosine_similarity`.
        ids : array_like, shape (B, M), or (M,) for one user
            Which items to score for each user; or a sequence of B arrays of any lengths, the
            longest of which has M. What fills up a row (see `top_k`) scores -inf.
        out : ndarray, shape (B, M) or (M,), optional
            Where to write the scores, as in `batched_cosine_similarity`.
        threads : int, optional
            The most threads to use.

        Returns
        -------
        ndarray, shape (B, M) or (M,)
            Bit for bit what `candidate_cosine_similarity` gives; -inf also where a user's array
            has ended.

        Raises
        ------
        KeyError
            If an id is not in the catalogue.
        TypeError, ValueError
            As `batched_cosine_similarity`.

        Examples
        --------
        >>> import numpy as np
        >>> import cosim_rs
        >>> catalogue = cosim_rs.Catalogue(np.eye(3), ids=["a", "b", "c"])
        >>> catalogue.scores([3.0, 4.0, 0.0], ["b", "c", "a"])
        array([0.8, 0. , 0.6])
        """
        inputs, is_one_user = _search.as_search(_arrays.as_input("users", users), self._items)
        places = _candidates.as_places(
            ids,
            len(inputs.left),
            is_one_user,
            lambda names, _: self._naming.places("ids", names, padded=True),
            "M",
        )
        return _candidates.score(inputs, places, out, self._epsilon, threads)

    def _found(
        self,
        inputs: Inputs,
        k: int,
        excluded: tuple[Places, Places] | None,
        allow: ArrayLike | None,
        min_score: float | None,
        threads: int | None,
        candidates: tuple[Places, Places] | None = None,
    ) -> TopK:
        filter = Filter(
            min_score=_filters.as_min_score(min_score),
            exclude=excluded,
            allow=_filters.as_allowed(allow, self._naming),
            candidates=candidates,
        )
        k, threads = _arrays.as_count("k", k), _arrays.as_threads(threads)
        segments = [Segment(inputs.right, self._codes)]
        found = _search.search(inputs.left, segments, k, filter, self._epsilon, threads)
        return TopK(found.scores, self._naming.named(found.indices))


def _prepared(
    items: NDArray[np.floating[Any]], epsilon: float, threads: int | None
) -> _cosim_rs.Codes:
    codes = _cosim_rs.prepare(items, epsilon, threads)
    if codes is None:
        raise AssertionError("the border refused an array that passed every check")
    return codes


__all__ = ["Catalogue"]
