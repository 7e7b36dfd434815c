"""Tables and figures of the Word document: captions with sequence fields, the journal's three rules, pictures."""

import io
import re
from typing import Any

from easitrace.report.documents.drawings import size
from easitrace.report.documents.layout import PADDING, UPRIGHT, Layout, decimals_aligned, fit
from easitrace.report.documents.source import Cell, Drawing, Float, Row, Run, Table
from easitrace.report.documents.word_styles import CAPTION, NOTE, PICTURE, TABLE, TABLE_SIZE, TABLE_TEXT
from easitrace.report.documents.word_xml import bookmarked, field, make, paragraph, text_run

TWIPS = 20
BOOKMARKS = 100_000  # above the numbers pandoc gives
NUMBERED = re.compile(r"(\w+)[\u00a0 ](\d+)")
RUN_MARKS = {"strong": ("b", {}), "em": ("i", {}), "sub": ("vertAlign", {"val": "subscript"})}
RUN_MARKS["sup"] = ("vertAlign", {"val": "superscript"})


def table_elements(found: Table, place: int, name: str) -> list[Any]:
    """Caption, table and note.

    Parameters
    ----------
    found : Table
        The table.
    place : int
        Its place among the floats.
    name : str
        The bookmark links go to; "" for none.
    """
    layout, table = fit(found), decimals_aligned(found)
    note = [paragraph(NOTE, text_run(found.note))] if found.note else [paragraph(NOTE)]
    return [*_caption(found, place, name, above=True), _table(table, layout), *note]


def drawing_elements(document: Any, found: Drawing, picture: bytes, place: int, name: str) -> list[Any]:
    """Picture, caption and note."""
    from docx.shared import Pt

    shown = document.add_paragraph(style=PICTURE)
    width = size(found)[0]
    inline = shown.add_run().add_picture(io.BytesIO(picture), width=Pt(width) if width else None)
    if inline.width > Pt(UPRIGHT):
        inline.height, inline.width = round(inline.height * Pt(UPRIGHT) / inline.width), Pt(UPRIGHT)
    about = inline._inline.docPr
    about.set("descr", found.alt or found.caption)
    about.set("name", found.number or f"Picture {place}")
    shown.paragraph_format.keep_with_next = bool(found.number or found.note)
    note = [paragraph(NOTE, text_run(found.note))] if found.note else []
    return [shown._p, *_caption(found, place, name, above=False), *note]


def _caption(found: Float, place: int, name: str, *, above: bool) -> list[Any]:
    if not found.number:
        return []
    counted = NUMBERED.fullmatch(found.number)
    label = [text_run(found.number)]
    if counted:
        label = [text_run(f"{counted[1]}\u00a0"), *field(f"SEQ {counted[1]} \\* ARABIC", counted[2])]
    for run in label:
        run.insert(0, make("rPr", make("b")))
    words = text_run(f". {found.caption}")
    keep = above or bool(found.note)
    marked = bookmarked(name, BOOKMARKS + place, *label)
    return [paragraph(CAPTION, *marked, words, keep_next=keep, after=None if keep else 14)]


def _table(table: Table, layout: Layout) -> Any:
    none = {"val": "nil"}
    rule = {"val": "single", "sz": "8", "space": "0", "color": "auto"}
    borders = make("tblBorders", make("top", **rule), make("bottom", **rule), make("insideH", **none))
    properties = make(
        "tblPr",
        make("tblStyle", val=TABLE),
        make("tblW", w=_twips(sum(layout.widths)), type="dxa"),
        borders,
        make("tblLayout", type="fixed"),
        make("tblCellMar", *(make(side, w=_twips(PADDING / 2), type="dxa") for side in ("left", "right"))),
        make("tblLook", val="0020", firstRow="1", lastRow="0", firstColumn="0", lastColumn="0", noVBand="1"),
        make("tblCaption", val=table.number or "Table"),
        make("tblDescription", val=table.caption),
    )
    grid = make("tblGrid", *(make("gridCol", w=_twips(width)) for width in layout.widths))
    return make("tbl", properties, grid, *_rows(table, layout))


def _rows(table: Table, layout: Layout) -> list[Any]:
    """All rows; those of a short table stay together, of a long one the first and the last two."""
    count, covered = len(table.header) + len(table.body), dict[tuple[int, int], int]()
    made = []
    for number, row in enumerate((*table.header, *table.body)):
        heading, last = number < len(table.header), number == count - 1
        together = layout.short or number <= len(table.header) or number >= count - 2
        keep = together and (not last or bool(table.note))
        properties = make(
            "trPr", make("cantSplit") if layout.whole(number) else None, make("tblHeader") if heading else None
        )
        rule = number == len(table.header) - 1
        made.append(make("tr", properties, *_cells(row, number, covered, layout, keep=keep, rule=rule)))
    return made


def _cells(
    row: Row, number: int, covered: dict[tuple[int, int], int], layout: Layout, *, keep: bool, rule: bool
) -> list[Any]:
    """The cells of a row; a place that a cell of an earlier row covers gets a continuation."""
    made, column, waiting = [], 0, list(row)
    while column < len(layout.widths) and (waiting or (number, column) in covered):
        if (number, column) in covered:
            span = covered[number, column]
            made.append(_cell(Cell(()), layout, column, span, merge="continue", keep=keep, rule=rule))
        else:
            cell = waiting.pop(0)
            span = min(cell.columns, len(layout.widths) - column)
            covered.update({(number + below, column): span for below in range(1, cell.rows)})
            merge = "restart" if cell.rows > 1 else ""
            made.append(_cell(cell, layout, column, span, merge=merge, keep=keep, rule=rule))
        column += span
    return made


def _cell(cell: Cell, layout: Layout, column: int, span: int, *, merge: str, keep: bool, rule: bool) -> Any:
    bottom = make("bottom", val="single", sz="4", space="0", color="auto")
    properties = make(
        "tcPr",
        make("tcW", w=_twips(sum(layout.widths[column : column + span])), type="dxa"),
        make("gridSpan", val=str(span)) if span > 1 else None,
        make("vMerge", val=merge) if merge else None,
        make("tcBorders", bottom) if rule else None,
        make("vAlign", val="bottom" if rule else "top"),
    )
    runs = [_run(run, cell.strong, layout.size) for run in cell.runs]
    return make("tc", properties, paragraph(TABLE_TEXT, *runs, keep_next=keep, align=cell.align))


def _run(run: Run, strong: bool, points: float) -> Any:
    properties = [make("b")] if strong and run.style != "strong" else []
    if run.style in RUN_MARKS:
        tag, attributes = RUN_MARKS[run.style]
        properties.append(make(tag, **attributes))
    if points != TABLE_SIZE:
        properties.append(make("sz", val=str(round(2 * points))))
    if run.style == "break":
        return make("r", make("br"))
    return text_run(run.text.replace(" ", "\u00a0") if run.style == "whole" else run.text, *properties)


def _twips(points: float) -> str:
    return str(round(points * TWIPS))


def lengthwise(found: Float) -> bool:
    """Whether a float needs a page of its own that is turned."""
    return isinstance(found, Table) and fit(found).page == "lengthwise"
