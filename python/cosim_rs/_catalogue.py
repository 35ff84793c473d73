"""A catalogue: items prepared once, searched often."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable
from types import GenericAlias
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cosim_rs import _arrays, _candidates, _changes, _file, _filters, _saving, _search
from cosim_rs._arrays import Scores, Vectors, fitting
from cosim_rs._filters import Lists
from cosim_rs._interchange import as_array
from cosim_rs._naming import Ids, Positions
from cosim_rs._range import RangeResult, as_filter, search_range
from cosim_rs._search import Filter, TopK
from cosim_rs._state import Piece, State


class Catalogue:
    """Items prepared to be searched: exactly, at the speed of 8-bit integers.

    Each item gets 8-bit codes and a bound on what they leave out. A search goes over the codes,
    and scores exactly only those items that the bound does not rule out; so what it finds is, bit
    for bit, what `top_k` finds. Items may be added, updated and removed. A catalogue may be
    searched and changed from many threads at once: a search sees the items as they were when it
    began. It can be pickled, with its items, borrowed or not, and its codes are prepared anew where
    it is loaded; one that was opened from a file, and not changed since, is pickled as its path. A
    `copy.copy` shares everything but later changes, a `copy.deepcopy` has items of its own.

    Parameters
    ----------
    items : array_like, shape (N, D)
        float32 and float64 arrays, also those of other libraries, are borrowed: they must not be
        changed while the catalogue is in use, and are never written to. Other dtypes are converted
        as in `batched_cosine_similarity`.
    ids : array_like, shape (N,), optional
        Names of the items: whole numbers or strings, no two alike. By default items are numbered
        from 0 on; a number is not used again when its item is removed.
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
    MemoryError
        If there is none for their codes.

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
        is_borrowed = given is items or given.base is not None
        if _filters.as_flag("copy", copy) and is_borrowed:
            given, is_borrowed = given.copy(), False
        naming = Positions(len(given)) if ids is None else Ids(ids, len(given))
        self._epsilon = _arrays.as_epsilon(epsilon)
        codes = _changes.prepared(given, self._epsilon, _arrays.as_threads(threads))
        piece = Piece(given, codes, naming, None, 0 if is_borrowed else given.nbytes)
        next_id = len(given) if ids is None else None
        self._state = State((piece,), None, len(given), next_id)
        self._changing: dict[int, threading.Lock] = {}

    def __class_getitem__(cls, dtypes: Any) -> GenericAlias:
        """Name the dtypes of scores and ids, for type checkers."""
        return GenericAlias(cls, dtypes)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the catalogue to a file, items, codes, ids and all.

        It is a safetensors file, which `Catalogue.open` opens and other tools can read; what is in
        it is said in docs/catalogue.md. A file that is there is replaced when the new one is
        complete and on the disk: whatever happens, and whenever, there is the one or the other.
        Who has opened the old one, as this catalogue may have, keeps it.

        Parameters
        ----------
        path : str or os.PathLike
            The name of the file, usually one that ends in ``.safetensors``.

        Raises
        ------
        OSError
            If it cannot be written; no such folder is a FileNotFoundError.
        TypeError, ValueError
            If the path is none, or of something that is no file; if an id is no text.

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np
        >>> import cosim_rs
        >>> path = os.path.join(tempfile.mkdtemp(), "shapes.safetensors")
        >>> cosim_rs.Catalogue(np.eye(3), ids=["a", "b", "c"]).save(path)
        >>> cosim_rs.Catalogue.open(path).top_k([1.0, 2.0, 0.0], 1).ids
        array(['b'], dtype='<U1')
        """
        _saving.save(self._state, _file.as_path(path), self._epsilon)

    @classmethod
    def open(
        cls, path: str | os.PathLike[str], *, mmap: bool = True, verify: bool = False
    ) -> Catalogue:
        """Open a catalogue that was saved.

        Parameters
        ----------
        path : str or os.PathLike
            The name of the file.
        mmap : bool, default True
            Whether to map the file rather than read it. Then it is open at once, however large, and
            may be larger than the memory: of the items only those are read that a search scores.
            Processes that map one file share its memory. Such a file may be replaced, as `save`
            does, but must not be written to.
        verify : bool, default False
            Whether to compare all of the file with its checksums, which reads it once. What is read
            rather than mapped always is. The header, the sizes, that ids are unique, and whatever
            else a search relies on to end well, are checked in any case.

        Returns
        -------
        Catalogue
            It finds what the saved one does, bit for bit. Its `nbytes` do not count what is mapped.

        Raises
        ------
        OSError
            If the file cannot be read; no such file is a FileNotFoundError.
        TypeError
            If an argument is of another type than it should be.
        ValueError
            If the file is no catalogue, of a later format, cut off or changed.

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np
        >>> import cosim_rs
        >>> path = os.path.join(tempfile.mkdtemp(), "shapes.safetensors")
        >>> cosim_rs.Catalogue(np.eye(3)).save(path)
        >>> cosim_rs.Catalogue.open(path, verify=True)
        <cosim_rs.Catalogue: 3 items of 3 float64>
        """
        flags = {"mmap": mmap, "verify": verify}
        flags = {name: _filters.as_flag(name, flag) for name, flag in flags.items()}
        catalogue = cls.__new__(cls)
        catalogue._state, catalogue._epsilon = _saving.opened(_file.as_path(path), **flags)
        catalogue._changing = {}
        return catalogue

    def __getstate__(self) -> dict[str, Any]:
        """Name the file; or leave out the codes, soon made again, and whose the items were."""
        attributes = vars(self).copy()
        del attributes["_changing"]
        state: State = attributes.pop("_state")
        if state.source:
            return attributes | {"_source": state.source._asdict()}  # plain, to outlive its class
        return attributes | {"_parts": _saving.packed(state)}

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        """Open the same file; or take over what was pickled, which is ours, and prepare it."""
        source, parts = attributes.pop("_source", None), attributes.pop("_parts", None)
        vars(self).update(attributes, _changing={})
        if source:
            self._state = _saving.opened_again(_file.Source(**source))
        else:
            self._state = _saving.unpacked(parts, self._epsilon)

    def __deepcopy__(self, memo: dict[int, Any]) -> Catalogue:
        """Copy all; but nobody can change what is in a file, which may have another name by now."""
        if self._state.source:
            return self.__copy__()
        copied = type(self).__new__(type(self))
        copied.__setstate__(copy.deepcopy(self.__getstate__(), memo))
        return copied

    def __copy__(self) -> Catalogue:
        """Share everything; later changes of the one are none of the other."""
        copied = type(self).__new__(type(self))
        vars(copied).update(vars(self), _changing={})
        return copied

    def __len__(self) -> int:
        """Tell the number of items."""
        return self._state.count

    def __repr__(self) -> str:
        """Tell what there is to be searched."""
        return f"<cosim_rs.Catalogue: {len(self)} items of {self.dim} {self.dtype}>"

    @property
    def dim(self) -> int:
        """The length of the vectors, D."""
        return int(self._state.pieces[0].items.shape[1])

    @property
    def dtype(self) -> np.dtype[np.floating[Any]]:
        """The dtype that items are scored in: float32 or float64."""
        return _arrays.scored_dtype(self._state.pieces[0].items)

    @property
    def ids(self) -> NDArray[Any]:
        """The id of each item, shape (N,), in the order that settles ties."""
        return self._state.names

    @property
    def nbytes(self) -> int:
        """The bytes that the catalogue holds: codes, ids, and items that are not borrowed.

        What lies in a file that is mapped is not counted: of that the system keeps what it has
        room for.
        """
        return self._state.nbytes

    def add(self, items: ArrayLike, ids: ArrayLike | None = None) -> None:
        """Add items behind the others.

        They are copied, in the dtype of those that are there. Searches may go on meanwhile, and see
        all of the change or nothing; that is so for `update` and `remove` as well.

        Parameters
        ----------
        items : array_like, shape (M, D)
            In the dtype of the catalogue's items, or floats if these are.
        ids : array_like, shape (M,), optional
            Their ids, of the kind of the catalogue's, none of them in use. Without, a catalogue
            that was made without goes on numbering its items. One that is empty takes any ids.

        Raises
        ------
        TypeError, ValueError
            If items or ids are not as above. Nothing is changed then.

        Examples
        --------
        >>> import numpy as np
        >>> import cosim_rs
        >>> catalogue = cosim_rs.Catalogue(np.eye(3)[:2], ids=["a", "b"])
        >>> catalogue.add([[1.0, 1.0, 0.0]], ids=["both"])
        >>> catalogue.top_k([2.0, 1.0, 0.0], 2).ids.tolist()
        ['both', 'a']
        """
        self._change(lambda state, epsilon: _changes.added(state, items, ids, epsilon))

    def update(self, ids: ArrayLike, items: ArrayLike) -> None:
        """Put other items in the place of some.

        They keep their ids and their place among them.

        Parameters
        ----------
        ids : array_like, shape (M,)
            Which items, no two alike.
        items : array_like, shape (M, D)
            What takes their place, as in `add`.

        Raises
        ------
        KeyError
            If an id is not in the catalogue. Nothing is changed then, as after any error.
        TypeError, ValueError
            If items are not as above, or an id is there twice.

        Examples
        --------
        >>> import numpy as np
        >>> import cosim_rs
        >>> catalogue = cosim_rs.Catalogue(np.eye(3))
        >>> catalogue.update([0], [[0.0, 0.0, 5.0]])
        >>> catalogue.top_k([0.0, 0.0, 1.0], 2).ids
        array([0, 2])
        """
        self._change(lambda state, epsilon: _changes.updated(state, ids, items, epsilon))

    def remove(self, ids: ArrayLike) -> None:
        """Remove some items. Their ids may be given to others.

        Parameters
        ----------
        ids : array_like, shape (M,)
            Which items, no two alike.

        Raises
        ------
        KeyError
            If an id is not in the catalogue. Nothing is changed then, as after any error.
        TypeError, ValueError
            If ids are of another kind or shape, or one is there twice.

        Examples
        --------
        >>> import numpy as np
        >>> import cosim_rs
        >>> catalogue = cosim_rs.Catalogue(np.eye(3))
        >>> catalogue.remove([1])
        >>> catalogue.ids
        array([0, 2])
        """
        self._change(lambda state, epsilon: _changes.removed(state, ids, epsilon))

    def _change(self, change: Callable[[State, float], State]) -> None:
        """Go to the state after this one; one change after the other."""
        # A lock for each process: a child may inherit one that is held by a thread that it has not.
        with self._changing.setdefault(os.getpid(), threading.Lock()):
            self._state = change(self._state, self._epsilon)

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
        state = self._state
        rows, is_one_user = _as_users(state, users)
        lists = len(rows), state, is_one_user
        filter = Filter(
            min_score=_filters.as_min_score(min_score),
            exclude=_filters.as_lists("exclude", exclude, *lists),
            allow=_filters.as_allowed(allow, state),
            candidates=_filters.as_lists("candidates", candidates, *lists),
        )
        found = self._found(state, rows, k, filter, threads)
        return TopK(found.scores[0], found.indices[0]) if is_one_user else found

    def range_search(
        self,
        users: ArrayLike,
        min_score: float,
        *,
        exclude: Lists | None = None,
        allow: ArrayLike | None = None,
        threads: int | None = None,
    ) -> RangeResult:
        """Find all items that score at least `min_score` for each user.

        Parameters
        ----------
        users : array_like, shape (U, D), (U, 1, D) or (D,)
            As in `top_k`.
        min_score, exclude, allow, threads
            As in `cosim_rs.range_search`, with ids as in `top_k`.

        Returns
        -------
        RangeResult
            A named tuple of ``indptr``, ``ids`` (also called ``indices``) and ``scores``.

        Raises
        ------
        KeyError
            If `exclude` or `allow` hold an id that is not in the catalogue.
        TypeError, ValueError
            As `cosim_rs.range_search`.

        Examples
        --------
        >>> import numpy as np
        >>> import cosim_rs
        >>> catalogue = cosim_rs.Catalogue(np.eye(3), ids=[10, 20, 30])
        >>> catalogue.range_search([0.0, 3.0, 4.0], 0.5).ids
        array([30, 20])
        """
        state = self._state
        rows, is_one_user = _as_users(state, users)
        filter = as_filter(min_score, exclude, allow, len(rows), state, is_one_user)
        threads = _arrays.as_threads(threads)
        found = search_range(rows, state.segments, filter, self._epsilon, threads)
        return found._replace(indices=state.named(found.indices))

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
        state = self._state
        slots = state.places("ids", np.atleast_1d(given))
        filter = Filter(
            min_score=_filters.as_min_score(min_score),
            exclude=(np.arange(len(slots) + 1), slots),
            allow=_filters.as_allowed(allow, state),
        )
        found = self._found(state, state.items_at(slots), k, filter, threads)
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
        state = self._state
        rows, is_one_user = _as_users(state, users)
        slots = _candidates.as_places(
            ids,
            len(rows),
            is_one_user,
            lambda names, _: state.places("ids", names, padded=True),
            "M",
        )
        return _candidates.score(rows, state.segments, slots, out, self._epsilon, threads)

    def _found(
        self, state: State, users: Vectors, k: int, filter: Filter, threads: int | None
    ) -> TopK:
        k = min(_arrays.as_count("k", k), state.count)
        threads = _arrays.as_threads(threads)
        found = _search.search(users, state.segments, k, filter, self._epsilon, threads)
        return TopK(found.scores, state.named(found.indices))


def _as_users(state: State, users: ArrayLike) -> tuple[Vectors, bool]:
    """Rows of users, and whether there was but one, (D,)."""
    shape = state.count, state.pieces[0].items.shape[1]
    return _search.as_users(_arrays.as_input("users", users), shape)


__all__ = ["Catalogue"]
