"""Excel workbooks: one sheet, its cells as they are typed, and what a spreadsheet hides."""

import difflib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from easitrace.cohort.findings import Findings, counted, inert, place, quoted, row_list
from easitrace.cohort.formats.excel_cells import typed
from easitrace.cohort.formats.guard import check_archive, check_columns
from easitrace.cohort.formats.limits import MOST_CELLS
from easitrace.cohort.formats.options import Options
from easitrace.cohort.formats.table import Table, as_text, check_header
from easitrace.errors import Problem

UNHIDE = "delete them or clear the filter if they do not belong to the data"
FORMULA, ERROR, EMPTY_TEXT = "f", "e", "str"

Fault = tuple[str, str, str]


class Entry(NamedTuple):
    """A cell that holds something: its value, and what is wrong with it."""

    value: Any
    fault: Fault | None = None


Entries = dict[tuple[int, int], Entry]


def parse_excel(path: Path, findings: Findings, options: Options) -> Table:
    """The table of one sheet of an .xlsx or .xlsm workbook; macros are never run.

    Columns of numbers, dates or true/false are typed. Where a column mixes them with text, numbers are written with
    the declared decimal sign and dates in the declared format, so that the whole column is read one way.

    Raises
    ------
    DataError
        For an archive or sheet that is too large, a sheet that is not chosen or not there, and a header that is
        missing, merged or cannot be told apart. Merged cells, formulas without a result and error values below the
        header become `faults` of their column.
    """
    import openpyxl

    check_archive(path, findings)
    with path.open("rb") as file:
        book = openpyxl.load_workbook(file, keep_links=False)
    sheet = _chosen(book, options.sheet, findings)
    entries = _entries(sheet, path, options.header_row)
    top, (rows, columns) = options.header_row, _extent(entries, findings)
    check_columns(len(columns), findings)
    if top not in rows:
        findings.error("E202", f"there are no column names in row {top}", "set header_row", at=place(top))
    elif len(rows) == 1:
        findings.error("E202", "there is a header but no data row", "export the data again")
    letters = {column: openpyxl.utils.get_column_letter(column) for column in columns}
    names = _header(entries, top, columns, letters, findings)
    merged = _merged(sheet, top, dict(zip(columns, names, strict=True)), findings)
    findings.stop_if_wrong()
    _note_gaps(sheet, top, rows, letters, findings)
    rows = rows[1:]
    arrays, faults = {}, {}
    for column, name in zip(columns, names, strict=True):
        below = [entries.get((row, column)) for row in rows]
        arrays[name] = typed([entry and entry.value for entry in below], options)
        wrong = {row: entry.fault for row, entry in zip(rows, below, strict=True) if entry and entry.fault}
        faults[name] = _faults(wrong | merged.get(name, {}), name, letters[column], findings.file)
    by_name = {name: letters[column] for column, name in zip(columns, names, strict=True)}
    return Table.of(arrays, np.array(rows), letters=by_name, faults=faults)


def _chosen(book: Any, wanted: str | None, findings: Findings) -> Any:
    """The wanted sheet, or the only one that holds something."""
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    listed = ", ".join(quoted(name) for name in sheets)
    if wanted is not None and wanted not in sheets:
        near = difflib.get_close_matches(wanted, sheets, n=1)
        hint = f"did you mean {quoted(near[0])}?" if near else "correct sheet"
        findings.error("E248", f"there is no sheet {quoted(wanted)}; the sheets are {listed}", hint)
    shown = [name for name, sheet in sheets.items() if sheet.sheet_state == "visible" and sheet._cells]
    if wanted is None and len(shown) > 1:
        shown_list = ", ".join(quoted(name) for name in shown)
        findings.error("E248", f"the workbook has the sheets {shown_list}", f"set sheet: {inert(shown[0])}, or another")
    elif wanted is None and not shown:
        findings.error("E202", "no visible sheet holds a cell", "export the data again")
    findings.stop_if_wrong()
    hidden = [name for name, sheet in sheets.items() if sheet.sheet_state != "visible"]
    if wanted is None and hidden:
        what = f"{counted(len(hidden), 'hidden sheet')} not read: {', '.join(map(quoted, hidden))}"
        findings.note("W220", what, "set sheet if one of them is meant")
    return sheets[wanted or shown[0]]


def _entries(sheet: Any, path: Path, top: int) -> Entries:
    """The cells from the header row on that hold something, formulas as their stored results."""
    cells = {at: cell for at, cell in sheet._cells.items() if at[0] >= top and cell.value is not None}
    results = {}
    if any(cell.data_type == FORMULA for cell in cells.values()):
        import openpyxl

        with path.open("rb") as file:
            results = openpyxl.load_workbook(file, keep_links=False, data_only=True)[sheet.title]._cells
    entries = {at: _entry(cell, results.get(at)) for at, cell in cells.items()}
    return {at: entry for at, entry in entries.items() if entry.fault or entry.value is not None}


def _entry(cell: Any, result: Any) -> Entry:
    if cell.data_type == FORMULA:
        if result is None or (result.value is None and result.data_type != EMPTY_TEXT):
            remedy = "open the workbook in Excel and save it, or paste the values"
            return Entry(None, ("E250", "the formula has no stored result", remedy))
        cell = result
    if cell.data_type == ERROR:
        return Entry(None, ("E251", f"the cell holds {inert(cell.value)}", "correct or empty the cell"))
    return Entry(cell.value if not isinstance(cell.value, str) or cell.value.strip() else None)


def _extent(entries: Entries, findings: Findings) -> tuple[list[int], list[int]]:
    """The rows and the columns that hold something."""
    rows, columns = sorted({row for row, _ in entries}), sorted({column for _, column in entries})
    if not entries:
        findings.error("E202", "the sheet holds nothing there", "correct sheet or header_row")
        findings.stop_if_wrong()
    stretch = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    if stretch > MOST_CELLS:
        what = f"the sheet stretches over {rows[-1]:,} rows and {columns[-1]:,} columns"
        remedy = f"delete what stands far below or to the right, or save it as CSV (at most {MOST_CELLS:,} cells)"
        findings.error("E244", what, remedy)
        findings.stop_if_wrong()
    return rows, columns


def _header(entries: Entries, top: int, columns: list[int], letters: dict[int, str], findings: Findings) -> list[str]:
    found = [entries.get((top, column), Entry(None)) for column in columns]
    for column, entry in zip(columns, found, strict=True):
        if entry.fault:
            code, what, remedy = entry.fault
            findings.error(code, what, remedy, at=f"cell {letters[column]}{top}")
    names = [as_text(typed([entry.value], Options()))[0].as_py().strip() for entry in found]
    check_header(names, findings, top)
    return names


def _merged(sheet: Any, top: int, names: dict[int, str], findings: Findings) -> dict[str, dict[int, Fault]]:
    """An error for merged column names; below them a fault of every column, at the first row of the merged cells."""
    faults: dict[str, dict[int, Fault]] = {}
    for area in sheet.merged_cells.ranges:
        what, remedy = f"the cells {area.coord} are merged", "unmerge them and fill in every cell"
        if area.min_row <= top <= area.max_row:
            findings.error("E249", what, f"{remedy}, or set header_row", at=place(top))
        elif area.min_row > top:
            for column in range(area.min_col, area.max_col + 1):
                if column in names:
                    faults.setdefault(names[column], {})[area.min_row] = ("E249", what, remedy)
    return faults


def _faults(wrong: dict[int, Fault], name: str, letter: str, file: str) -> tuple[Problem, ...]:
    """The faults of a column as problems with their places, by row."""
    found = Findings(file)
    found.letters = {name: letter}
    for code in sorted({fault[0] for fault in wrong.values()}):
        said = [(row, fault[1:]) for row, fault in sorted(wrong.items()) if fault[0] == code]
        found.errors_at(code, np.array([row for row, _ in said]), name, [words for _, words in said].__getitem__)
    return tuple(found.errors)


def _note_gaps(sheet: Any, top: int, rows: list[int], letters: dict[int, str], findings: Findings) -> None:
    """Count what is left out (rows above, blank rows) and what is read although it is hidden."""
    if top > 1:
        findings.note("F223", f"{counted(top - 1, 'row')} above the column names left out")
    blank = sorted(set(range(top, rows[-1])) - set(rows))
    if blank:
        findings.note("F206", f"{counted(len(blank), 'blank row')} left out ({row_list(blank)})")
    hidden = [row for row in rows if row in sheet.row_dimensions and sheet.row_dimensions[row].hidden]
    if hidden:
        findings.note("W220", f"{counted(len(hidden), 'hidden row')} read too ({row_list(hidden)})", UNHIDE)
    covered = {
        column
        for width in sheet.column_dimensions.values()
        if width.hidden
        for column in letters
        if (width.min or 0) <= column <= (width.max or 0)
    }
    if covered:
        listed = ", ".join(letters[column] for column in sorted(covered))
        findings.note("W220", f"{counted(len(covered), 'hidden column')} read too ({listed})", UNHIDE)
