"""How a table fits a page: widths of its columns, size of its letters, upright or lengthwise.

Widths are estimated from the letters, as both Word and Typst need them or do better with them. A column is never
narrower than its longest part in which no line may break; when that does not fit, letters get smaller, then the page
is turned, then parts are broken.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from easitrace.report.documents.source import Cell, Run, Table

SIZES = (8.5, 8.0, 7.5, 7.0)
PADDING = 9.0
UPRIGHT, LENGTHWISE = 481.0, 728.0
PAGES: tuple[tuple[Literal["upright", "lengthwise"], float], ...] = (("upright", UPRIGHT), ("lengthwise", LENGTHWISE))
SHORT = 30  # lines that stay together
MARGIN = 1.12
NARROW, WIDE, VERY_WIDE = frozenset(" ijltfr.,:;|!'()[]-/"), frozenset("mwMW%@—"), 0x2E80
PLAIN_NUMBER = re.compile(r"[−-]?\d+(?:([.,])(\d+))?")
SHORTEST_PART = 6
FIGURE_SPACE, POINT_SPACE = "\u2007", "\u2008"


@dataclass(frozen=True)
class Layout:
    """How a table is set.

    Attributes
    ----------
    size : float
        Of the letters, in points.
    widths : tuple of float
        Of the columns, in points.
    page : str
        "upright", or "lengthwise" when the page has to be turned.
    broken : bool
        Parts without a blank have to break.
    lines : tuple of int
        Lines of every row, header rows first, estimated.
    """

    size: float
    widths: tuple[float, ...]
    page: Literal["upright", "lengthwise"]
    broken: bool
    lines: tuple[int, ...]

    @property
    def short(self) -> bool:
        """Whether the table stays on one page."""
        return sum(self.lines) <= SHORT

    def whole(self, row: int) -> bool:
        """Whether a row, counted with the header rows, stays on one page."""
        return self.lines[row] <= SHORT


def fit(table: Table) -> Layout:
    """The layout of a table on A4 paper."""
    for page, available in PAGES:
        for size in SIZES:
            least, most = _needs(table, size, whole=True)
            if sum(least) <= available:
                widths = _shared(least, most, available)
                return Layout(size, widths, page, broken=False, lines=_lines(table, size, widths))
    least, most = _needs(table, SIZES[-1], whole=False)
    widths = _shared(least, most, LENGTHWISE)
    return Layout(SIZES[-1], widths, "lengthwise", broken=True, lines=_lines(table, SIZES[-1], widths))


def _lines(table: Table, size: float, widths: Sequence[float]) -> tuple[int, ...]:
    """The lines of every row."""
    made = []
    for row in (*table.header, *table.body):
        column, most = 0, 1
        for cell in row:
            width = sum(widths[column : column + cell.columns]) - PADDING
            parts = [math.ceil(size * text_width(line) / max(width, size)) for line in cell.text.split("\n")]
            most, column = max(most, sum(parts)), column + cell.columns
        made.append(most)
    return tuple(made)


def _needs(table: Table, size: float, *, whole: bool) -> tuple[list[float], list[float]]:
    """The least and the most width every column can use."""
    least, most = [PADDING] * table.columns, [PADDING] * table.columns
    for row in (*table.header, *table.body):
        column = 0
        for cell in row:
            if cell.columns == 1 and column < table.columns:
                factor = size * MARGIN * (1.05 if cell.strong else 1)
                parts = _parts(cell.runs) if whole else [part[:SHORTEST_PART] for part in _parts(cell.runs)]
                lines = cell.text.split("\n")
                least[column] = max(least[column], PADDING + factor * _longest(parts))
                most[column] = max(most[column], PADDING + factor * _longest(lines))
            column += cell.columns
    return least, most


def _shared(least: Sequence[float], most: Sequence[float], available: float) -> tuple[float, ...]:
    """The available width, shared so that every column has its least and, if possible, its most."""
    if sum(most) <= available:
        rest = available - sum(most)
        return tuple(width + rest * width / sum(most) for width in most)
    rest = available - sum(least)
    wishes = [high - low for low, high in zip(least, most, strict=True)]
    if rest < 0 or not sum(wishes):
        return tuple(width * available / sum(least) for width in least)
    return tuple(low + rest * wish / sum(wishes) for low, wish in zip(least, wishes, strict=True))


def _parts(runs: Iterable[Run]) -> list[str]:
    """The pieces of a cell between which lines may break."""
    text = "".join(
        run.text.replace(" ", "\u00a0") if run.style == "whole" else " " if run.style == "break" else run.text
        for run in runs
    )
    return text.split(" ")


def _longest(texts: Iterable[str]) -> float:
    return max((text_width(text) for text in texts), default=0.0)


def text_width(text: str) -> float:
    """The width of a text in units of the size of a serif letter, estimated."""
    return sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if letter in NARROW:
        return 0.32
    if ord(letter) >= VERY_WIDE:
        return 1.0
    return 0.86 if letter in WIDE else 0.68 if letter.isupper() else 0.5


def decimals_aligned(table: Table) -> Table:
    """A table whose columns of plain numbers have their decimal signs one above the other.

    Numbers stand to the right; where their decimals differ, the shorter ones get spaces as wide as the digits and the
    sign they lack.
    """
    decimals = {column: _most_decimals(cells) for column, cells in _columns(table).items()}
    body = tuple(
        tuple(
            _padded(cell, decimals.get(column, 0))
            for column, cell in enumerate(row)
        ) if len(row) == table.columns else row
        for row in table.body
    )  # fmt: skip
    return Table(table.anchor, table.number, table.caption, table.note, table.header, body)


def _columns(table: Table) -> dict[int, list[Cell]]:
    rows = [row for row in table.body if len(row) == table.columns]
    columns = {column: [row[column] for row in rows] for column in range(table.columns)}
    return {column: cells for column, cells in columns.items() if all(cell.align == "right" for cell in cells)}


def _most_decimals(cells: Sequence[Cell]) -> int:
    """Decimals of the longest number of a column, 0 when there is something that is not a plain number or a dash."""
    numbers = [PLAIN_NUMBER.fullmatch(cell.text) for cell in cells if cell.text not in {"", "–", "—"}]
    return max((len(number[2] or "") for number in numbers if number), default=0) if all(numbers) else 0


def _padded(cell: Cell, decimals: int) -> Cell:
    number = PLAIN_NUMBER.fullmatch(cell.text)
    if not decimals or number is None:
        return cell
    lacking = ("" if number[1] else POINT_SPACE) + FIGURE_SPACE * (decimals - len(number[2] or ""))
    return Cell((*cell.runs, Run(lacking)), cell.align, cell.columns, cell.rows, cell.strong) if lacking else cell
