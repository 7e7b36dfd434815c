"""`report.pdf` by Typst: tagged (PDF/UA-1), with bookmarks, in the fonts that Typst brings.

Pandoc writes the prose as Typst; tables, captions, notes, the title and the equations' alternative text are handed
over as JSON and shown as strings, which Typst does not read as markup. Typst sees one folder and no system font.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from easitrace.errors import Problem
from easitrace.report.documents.drawings import size, write_drawings
from easitrace.report.documents.layout import Layout, decimals_aligned, fit
from easitrace.report.documents.prose import convert
from easitrace.report.documents.source import Drawing, Float, Row, Run, Source, Table
from easitrace.report.documents.typesetting import LONGEST, breakable, compile_pdf, literal_html

if TYPE_CHECKING:
    from easitrace.report.render import Study

TEMPLATE = Path(__file__).parents[1] / "template" / "documents" / "easitrace.typ"
SERIF, MONO = "Libertinus Serif", "DejaVu Sans Mono"
FLOAT, EQUATION = r"(?m)^{token}f(\d+)x$", r"#strong\[{token}m(\d+)x\](.*?)#strong\[{token}ex\]"
MAIN = """#import "easitrace.typ": *
#let data = json("data.json")
#show: report.with(data.study)

"""


def write_pdf(source: Source, study: "Study", path: Path, folder: Path) -> list[Problem]:
    """Write the PDF of a page.

    Parameters
    ----------
    source : Source
        The page taken apart.
    study : Study
        Title, facts and banner.
    path : Path
        The file to write.
    folder : Path
        An empty folder to build in; the only one Typst can read.

    Returns
    -------
    list of Problem
        E613 when a letter is missing in all fonts.

    Raises
    ------
    MachineError
        E613 when pandoc or Typst is missing or fails.
    """
    prose = convert(literal_html(source.prose), "typst-smart", "--wrap=none").decode()
    (folder / "easitrace.typ").write_bytes(TEMPLATE.read_bytes())
    (folder / "main.typ").write_text(MAIN + _with_marks_filled(prose, source), encoding="utf-8", newline="\n")
    data = _data(source, study, write_drawings(source, folder))
    (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    document, problems = compile_pdf(folder / "main.typ")
    path.write_bytes(document)
    return problems


def _with_marks_filled(prose: str, source: Source) -> str:
    """The prose with calls of the template's functions in the place of the marks."""
    prose = re.sub(EQUATION.format(token=source.token), _equation, prose, flags=re.DOTALL)
    return re.sub(FLOAT.format(token=source.token), lambda mark: _call(int(mark[1]), source), prose)


def _equation(marked: re.Match[str]) -> str:
    return f"#equation(data.equations.at({marked[1]}))[{marked[2].strip()}]"


def _call(number: int, source: Source) -> str:
    found = source.floats[number]
    label = f" <{source.anchors[found.anchor]}>" if found.anchor else ""
    if isinstance(found, Table):
        lengthwise = fit(found).page == "lengthwise"
        call = f"#table-float(data.floats.at({number})){label}"
        return f"#page(flipped: true)[{call}]" if lengthwise else call
    return f"#drawing-float(data.floats.at({number})){label}"


def _data(source: Source, study: "Study", drawings: Mapping[int, Path]) -> dict[str, Any]:
    floats = [
        _table(found) if isinstance(found, Table) else _drawing(found, drawings[number])
        for number, found in enumerate(source.floats)
    ]
    head = {
        "title": breakable(study.title, LONGEST // 2),
        "banner": breakable(study.synthetic),
        "facts": [[breakable(term), breakable(what)] for term, what in study.facts],
        "fonts": [SERIF],
        "mono": [MONO],
    }
    return {"study": head, "floats": floats, "equations": source.equations}


def _about(found: Float) -> dict[str, Any]:
    return {"number": found.number, "caption": breakable(found.caption), "note": breakable(found.note)}


def _table(table: Table) -> dict[str, Any]:
    layout, aligned = fit(table), decimals_aligned(table)
    rows = [_cells(row, number, layout) for number, row in enumerate((*aligned.header, *aligned.body))]
    return {
        **_about(table),
        "size": layout.size,
        "widths": layout.widths,
        "short": layout.short,
        "header": rows[: len(table.header)],
        "body": rows[len(table.header) :],
    }


def _cells(row: Row, number: int, layout: Layout) -> list[dict[str, Any]]:
    """A row's cells; a word that is longer than a narrow column may break."""
    longest = int(min(layout.widths) / layout.size) if layout.broken else LONGEST
    return [
        {
            "runs": [{"text": breakable(run.text, longest), "style": _style(run, layout)} for run in cell.runs],
            "align": cell.align,
            "columns": cell.columns,
            "rows": cell.rows,
            "strong": cell.strong,
            "whole": layout.whole(number),
        }
        for cell in row
    ]


def _style(run: Run, layout: Layout) -> str:
    return "" if run.style == "whole" and layout.broken else run.style


def _drawing(drawing: Drawing, path: Path) -> dict[str, Any]:
    alt = drawing.alt or drawing.caption or "Picture"
    return {**_about(drawing), "alt": alt, "file": path.name, "width": size(drawing)[0]}
