"""The scanner: no file of a folder may hold an identifier, in whatever part and however it is written."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from easitrace.errors import DisclosureError, Problem
from easitrace.report.disclosure.extract import Piece, UnsearchableError, pieces
from easitrace.report.disclosure.needles import Needles, found, prepare

REMEDY = "do not pass it on"


@dataclass(frozen=True)
class Scan:
    """What a search found.

    Attributes
    ----------
    files, identifiers : int
        How many were searched, and for.
    problems : tuple of Problem
        E504 for every identifier and place, its letters hidden; E506 for every file that cannot be searched.
    warnings : tuple of Problem
        W501 how many identifiers are too short to be found everywhere.
    """

    files: int
    identifiers: int
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    def clean(self) -> None:
        """Raise what was found.

        Raises
        ------
        DisclosureError
            E504, E506.
        """
        if self.problems:
            raise DisclosureError(self.problems)


def scan(folder: Path, identifiers: Sequence[str]) -> Scan:
    """Search every file under a folder, its name included.

    Parameters
    ----------
    folder : Path
        What was produced.
    identifiers : sequence of str
        Those of the data file.

    Raises
    ------
    DisclosureError
        E505 when there is no identifier to look for.
    """
    needles = prepare(identifiers)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    problems = dict.fromkeys(problem for path in files for problem in _in_file(path, folder, needles))
    short = len(needles.short)
    what = f"{short} of {needles.size} are too short to be told from other numbers and words"
    warning = Problem("W501", "identifiers", what, "they were looked for only after words such as patient")
    return Scan(len(files), needles.size, tuple(problems), (warning,) if short else ())


def _in_file(path: Path, folder: Path, needles: Needles) -> Iterator[Problem]:
    name = path.relative_to(folder).as_posix()
    yield from _in_piece(Piece(f"{name}, file name", name), needles)
    try:
        for piece in pieces(path.read_bytes(), name):
            yield from _in_piece(piece, needles)
    except UnsearchableError as error:
        yield Problem("E506", name, f"cannot be searched ({error})", REMEDY)


def _in_piece(piece: Piece, needles: Needles) -> Iterator[Problem]:
    for line, identifier in found(piece.text, needles):
        yield Problem("E504", f"{piece.place}, line {line}", f"holds the identifier {hidden(identifier)}", REMEDY)


def hidden(identifier: str) -> str:
    """The first letter of an identifier, and how long it is."""
    return f"{identifier[:1]}\u2026 ({len(identifier)} characters)"


def read_identifiers(path: Path, column: str | None = None) -> list[str]:
    """The identifiers of a file: a column of a table with a header, or one to a line.

    Parameters
    ----------
    path : Path
        UTF-8 text.
    column : str or None
        Name of the column; None when the file is a plain list.

    Raises
    ------
    DisclosureError
        E505 when the file cannot be read so.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        what = error.strerror or str(error) if isinstance(error, OSError) else "is not UTF-8 text"
        raise DisclosureError(Problem("E505", str(path), what, "save it as CSV or text in UTF-8")) from error
    lines = text.splitlines()
    if column is None:
        return _listed(path, lines)
    separator = max(",;\t|", key=(lines or [""])[0].count)
    rows = csv.DictReader(lines, delimiter=separator)
    if column not in (rows.fieldnames or ()):
        remedy = f"it is one of {', '.join(rows.fieldnames or ())}"
        raise DisclosureError(Problem("E505", f"{path.name}, header", f"there is no column {column}", remedy))
    return [row[column] or "" for row in rows]


def _listed(path: Path, lines: Sequence[str]) -> list[str]:
    several = [number for number, line in enumerate(lines, 1) if any(sign in line for sign in ",;\t|")]
    if several:
        where = f"{path.name} line {several[0]}"
        raise DisclosureError(Problem("E505", where, "holds more than one field", "name the column with --column"))
    return list(lines)
