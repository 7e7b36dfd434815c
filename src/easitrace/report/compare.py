"""Two reports side by side: what was chosen otherwise, and which numbers moved by how much."""

import html
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from easitrace.errors import MachineError, Problem
from easitrace.report.index import page
from easitrace.report.staging import RECORD
from easitrace.report.style import MISSING

UNMOVED = 1e-9  # relative; below it two numbers differ by the processor that computed them
CIRCUMSTANCES = ("sources", "versions", "platform", "commit")


@dataclass(frozen=True)
class Difference:
    """Something that is not the same in both reports: its name, and its value in each (None when it is not there)."""

    name: str
    first: Any
    second: Any


@dataclass(frozen=True)
class Move:
    """A number that is not the same in both reports.

    Attributes
    ----------
    chapter, name : str
        Where it is in `results.json`.
    first, second : number, str, bool or None
        Its values; None when missing or not there.
    absolute, relative : float or None
        Second minus first, and that by the size of the first; None for words, missing values and a first of 0.
    """

    chapter: str
    name: str
    first: Any
    second: Any
    absolute: float | None
    relative: float | None


@dataclass(frozen=True)
class Comparison:
    """What `compare` finds.

    Attributes
    ----------
    first, second : str
        The folders.
    parameters : list of Difference
        Parameters that differ, nested ones as `style.digits`.
    circumstances : list of Difference
        Data, versions and machine that differ.
    chapters : list of Difference
        Chapters that are complete in one and skipped or absent in the other.
    moved : list of Move
        By chapter, in the order of the first report.
    n_equal : int
        Numbers that are the same in both.
    """

    first: str
    second: str
    parameters: list[Difference]
    circumstances: list[Difference]
    chapters: list[Difference]
    moved: list[Move]
    n_equal: int


def compare(first: Path, second: Path) -> Comparison:
    """Compare two report folders, from their `manifest.json` and `results.json`.

    Raises
    ------
    MachineError
        E621 for every folder that is no whole report.
    """
    problems = [problem for folder in (first, second) for problem in _problems(folder)]
    if problems:
        raise MachineError(problems)
    records, results = ([_read(folder / name) for folder in (first, second)] for name in (RECORD, "results.json"))
    chosen, around, status = (
        list(_differences(*(part(content) for content in contents)))
        for part, contents in ((_parameters, records), (_circumstances, records), (_status, results))
    )
    pairs = list(_pairs(*results))
    moved = [_move(*pair) for pair in pairs if not _same(*pair[2:])]
    return Comparison(str(first), str(second), chosen, around, status, moved, len(pairs) - len(moved))


def as_json(comparison: Comparison) -> str:
    """The comparison as JSON, with the number of numbers that moved."""
    content = {**asdict(comparison), "n_moved": len(comparison.moved)}
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)


def as_text(comparison: Comparison) -> str:
    """The comparison in lines, a number to a line."""
    lines = [f"{comparison.first} and {comparison.second}: {_counts(comparison)}"]
    for title, differences in _listed(comparison):
        lines += ["", title, *(f"  {one.name}: {_shown(one.first)} -> {_shown(one.second)}" for one in differences)]
    for chapter, moves in _by_chapter(comparison):
        lines += ["", chapter, *(f"  {move.name}: {'  '.join(_cells(move))}" for move in moves)]
    return "\n".join(lines)


def as_html(comparison: Comparison) -> str:
    """The comparison as a page of its own."""
    parts = [f"<p>{_text(comparison.first)} and {_text(comparison.second)}: {_counts(comparison)}.</p>"]
    for title, differences in _listed(comparison):
        rows = [[one.name, _shown(one.first), _shown(one.second)] for one in differences]
        parts.append(_table(title, ["", "First", "Second"], rows))
    headers = ["Number", "First", "Second", "Absolute", "Relative"]
    parts += [
        _table(chapter, headers, [[move.name, *_columns(move)] for move in moves])
        for chapter, moves in _by_chapter(comparison)
    ]
    return page("Two reports compared", "\n".join(parts))


def _problems(folder: Path) -> Iterator[Problem]:
    missing = [name for name in (RECORD, "results.json") if not (folder / name).is_file()]
    if missing:
        remedy = "name a folder that easitrace run wrote, e.g. reports/x"
        yield Problem("E621", str(folder), f"is no report: it has no {' and no '.join(missing)}", remedy)


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def _parameters(record: Mapping[str, Any]) -> dict[str, Any]:
    return _flat(record["parameters"])


def _circumstances(record: Mapping[str, Any]) -> dict[str, Any]:
    return _flat({name: record.get(name) for name in CIRCUMSTANCES})


def _status(results: Mapping[str, Any]) -> dict[str, Any]:
    return {name: chapter["status"] for name, chapter in results.items()}


def _flat(values: Any, before: str = "") -> dict[str, Any]:
    """Nested mappings and lists of mappings as one, `style.digits`, `sources.0.sha256`."""
    if isinstance(values, list) and any(isinstance(one, dict) for one in values):
        values = {str(place): one for place, one in enumerate(values)}
    if not isinstance(values, dict) or not values:
        return {before: values}
    parts = (_flat(value, f"{before}.{name}" if before else name) for name, value in values.items())
    return {name: value for part in parts for name, value in part.items()}


def _differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*first, *second]):
        if first.get(name) != second.get(name):
            yield Difference(name, first.get(name), second.get(name))


def _pairs(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    """Every number of either report: chapter, name, both values."""
    for chapter in sorted({*first, *second}):
        one, other = (results.get(chapter, {}).get("numbers", {}) for results in (first, second))
        for name in dict.fromkeys([*one, *other]):
            yield chapter, name, one.get(name), other.get(name)


def _same(first: Any, second: Any) -> bool:
    if _is_number(first) and _is_number(second):
        return math.isclose(first, second, rel_tol=UNMOVED, abs_tol=0.0)
    return bool(first == second)


def _move(chapter: str, name: str, first: Any, second: Any) -> Move:
    if not (_is_number(first) and _is_number(second)):
        return Move(chapter, name, first, second, None, None)
    return Move(chapter, name, first, second, second - first, (second - first) / abs(first) if first else None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _counts(comparison: Comparison) -> str:
    return f"{len(comparison.moved)} numbers moved, {comparison.n_equal} are equal"


def _listed(comparison: Comparison) -> Iterator[tuple[str, list[Difference]]]:
    titles = {"Parameters": comparison.parameters, "Circumstances": comparison.circumstances}
    yield from ((title, found) for title, found in {**titles, "Chapters": comparison.chapters}.items() if found)


def _by_chapter(comparison: Comparison) -> Iterator[tuple[str, list[Move]]]:
    for chapter in dict.fromkeys(move.chapter for move in comparison.moved):
        yield chapter, [move for move in comparison.moved if move.chapter == chapter]


def _cells(move: Move) -> list[str]:
    first, second, absolute, relative = _columns(move)
    by = [f"by {absolute}"] if move.absolute is not None else []
    return [f"{first} -> {second}", *by, *([f"({relative})"] if move.relative is not None else [])]


def _columns(move: Move) -> list[str]:
    absolute = MISSING if move.absolute is None else f"{move.absolute:+.4g}"
    relative = MISSING if move.relative is None else f"{move.relative:+.2%}"
    return [_shown(move.first), _shown(move.second), absolute, relative]


def _shown(value: Any) -> str:
    if value is None:
        return MISSING
    return f"{value:.6g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)


def _text(words: str) -> str:
    return html.escape(words, quote=False)


def _table(title: str, headers: list[str], rows: list[list[str]]) -> str:
    head = "".join(f'<th scope="col">{_text(header)}</th>' for header in headers)
    lines = [
        f'<tr><th scope="row">{_text(row[0])}</th>' + "".join(f"<td>{_text(cell)}</td>" for cell in row[1:]) + "</tr>"
        for row in rows
    ]
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return f'<h2>{_text(title)}</h2>\n<div class="scroll">{table}</div>'
