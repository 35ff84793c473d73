"""What is wrong with a column, and in which row."""

from __future__ import annotations


class ColumnError(ValueError):
    """A column does not hold what it should.

    Attributes
    ----------
    column : str
        Its name.
    row : int or None
        The row, counted in its batch from 0; None if it is about the whole column.
    problem : str
        What came and what was expected.
    """

    def __init__(self, column: str, row: int | None, problem: str) -> None:
        """Say what came and what was expected."""
        super().__init__(column, row, problem)
        self.column, self.row, self.problem = column, row, problem

    def __str__(self) -> str:
        """Name column and row before the problem."""
        return self.told(0)

    def told(self, first: int) -> str:
        """Tell it where the batch begins with row `first` of something larger."""
        row = "" if self.row is None else f", row {first + self.row}"
        return f"column {self.column!r}{row}: {self.problem}"


__all__ = ["ColumnError"]
