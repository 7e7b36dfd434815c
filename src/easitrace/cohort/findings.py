"""What is found while a file is read: errors that stop it, warnings and repairs that are counted and printed."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from easitrace.errors import DataError, Problem

HELD_PER_CHECK = 1000
SHOWN_PER_CHECK = 10
SHOWN_CHARACTERS = 40

Rows = npt.NDArray[np.int64]


class Findings:
    """The problems of one file, each placed as a spreadsheet shows it (the header is row 1).

    `letters` are those above the columns of a spreadsheet; a place then names the cell too.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.errors: list[Problem] = []
        self.log: list[Problem] = []
        self.letters: Mapping[str, str] = {}

    def error(self, code: str, what: str, remedy: str = "", *, at: str = "") -> None:
        """Keep an error; `at` is the place inside the file."""
        self.errors.append(Problem(code, self._where(at), what, remedy))

    def errors_at(self, code: str, rows: Rows, column: str | None, describe: Callable[[int], tuple[str, str]]) -> None:
        """Keep one error per row; `describe(i)` says what is wrong at `rows[i]` and the remedy."""
        for index, row in enumerate(rows[:HELD_PER_CHECK].tolist()):
            self.error(code, *describe(index), at=place(row, column) + self._cell(row, column))
        more = len(rows) - HELD_PER_CHECK
        if more > 0:
            self.error(code, f"the same in {more} more rows", at=place(None, column))

    def note(self, code: str, what: str, remedy: str = "", *, at: str = "") -> None:
        """Keep a repair (F...) or a warning (W...), once."""
        problem = Problem(code, self._where(at), what, remedy)
        if problem not in self.log:
            self.log.append(problem)

    def stop_if_wrong(self, since: int = 0) -> None:
        """Raise every error found when there are more than `since`; the first few of each kind come first."""
        if len(self.errors) > since:
            raise DataError(_interleaved(self.errors))

    def _cell(self, row: int, column: str | None) -> str:
        letters = self.letters.get(column or "")
        return f" (cell {letters}{row})" if letters else ""

    def _where(self, at: str) -> str:
        return f"{self.file} {at}".strip()


def place(row: int | None = None, column: str | None = None) -> str:
    """`row 14, column easi`."""
    parts = [f"row {row}"] if row is not None else []
    return ", ".join(parts + ([f"column {inert(column)}"] if column is not None else []))


def row_list(rows: Iterable[Any]) -> str:
    """`rows 3, 9 and 14`, at most ten of them, then a count."""
    numbers = [int(row) for row in rows]
    shown = [str(row) for row in numbers[:SHOWN_PER_CHECK]]
    if len(numbers) > SHOWN_PER_CHECK:
        return f"rows {', '.join(shown)} and {len(numbers) - SHOWN_PER_CHECK} more"
    if len(shown) == 1:
        return f"row {shown[0]}"
    return f"rows {', '.join(shown[:-1])} and {shown[-1]}"


def counted(number: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def quoted(text: Any) -> str:
    """A cell's text between quotes, cut and made inert."""
    return f'"{inert(text)}"'


def inert(text: Any, longest: int = SHOWN_CHARACTERS) -> str:
    """Text with control and direction characters escaped, at most `longest` characters of it."""
    whole = str(text)
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in whole[:longest])
    return shown + "…" if len(whole) > longest else shown


def _interleaved(errors: list[Problem]) -> list[Problem]:
    seen: dict[str, int] = {}
    ranks = []
    for error in errors:
        column = error.where.rpartition("column ")[2] if "column " in error.where else ""
        kind = error.code + column
        seen[kind] = seen.get(kind, -1) + 1
        ranks.append(seen[kind] // SHOWN_PER_CHECK)
    return [errors[i] for i in np.argsort(ranks, kind="stable")]
