"""`report.pdf` by Typst: tagged (PDF/UA-1), with bookmarks, in the fonts that Typst brings.

Pandoc writes the prose as Typst; tables, captions, notes, the title and the equations' alternative text are handed
over as JSON and shown as strings, which Typst does not read as markup. Typst sees one folder and no system font.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from easitrace.report.documents.drawings import compile_typst, size, write_drawings
from easitrace.report.documents.layout import decimals_aligned, fit
from easitrace.report.documents.prose import convert
from easitrace.report.documents.source import Cell, Drawing, Source, Table

if TYPE_CHECKING:
    from easitrace.report.render import Study

TEMPLATE = Path(__file__).parents[1] / "template" / "documents" / "easitrace.typ"
SERIF, MONO = "Libertinus Serif", "DejaVu Sans Mono"
STANDARD = "ua-1"
FLOAT, EQUATION = r"(?m)^{token}f(\d+)x$", r"#strong\[{token}m(\d+)x\](.*?)#strong\[{token}ex\]"
MAIN = """#import "easitrace.typ": *
#let data = json("data.json")
#show: report.with(data.study)

"""


def write_pdf(source: Source, study: "Study", path: Path, folder: Path) -> None:
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

    Raises
    ------
    MachineError
        E613 when pandoc or Typst is missing or fails.
    """
    prose = convert(source.prose, "typst-smart", "--wrap=none").decode()
    (folder / "easitrace.typ").write_bytes(TEMPLATE.read_bytes())
    (folder / "main.typ").write_text(MAIN + _with_marks_filled(prose, source), encoding="utf-8", newline="\n")
    data = _data(source, study, write_drawings(source, folder))
    (folder / "data.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    (document,) = compile_typst(folder / "main.typ", format="pdf", pdf_standards=[STANDARD])
    path.write_bytes(document)


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
    head = {"title": study.title, "banner": study.synthetic, "facts": study.facts, "fonts": [SERIF], "mono": [MONO]}
    return {"study": head, "floats": floats, "equations": source.equations}


def _table(table: Table) -> dict[str, Any]:
    layout = fit(table)
    aligned = decimals_aligned(table)
    about = {"number": table.number, "caption": table.caption, "note": table.note}
    return {
        **about,
        "size": layout.size,
        "widths": layout.widths,
        "header": [[_cell(cell, header=True) for cell in row] for row in aligned.header],
        "body": [[_cell(cell, header=False) for cell in row] for row in aligned.body],
    }


def _cell(cell: Cell, *, header: bool) -> dict[str, Any]:
    return {
        "runs": [vars(run) for run in cell.runs],
        "align": cell.align,
        "columns": cell.columns,
        "rows": cell.rows,
        "strong": cell.strong,
        "header": header,
    }


def _drawing(drawing: Drawing, path: Path) -> dict[str, Any]:
    about = {"number": drawing.number, "caption": drawing.caption, "note": drawing.note}
    return {
        **about,
        "alt": drawing.alt or drawing.caption or "Picture",
        "file": path.name,
        "width": size(drawing)[0],
    }
