"""Drawings as files: as they are for Typst, as pictures of 300 dots per inch for Word."""

from pathlib import Path

from easitrace.report.documents.layout import UPRIGHT
from easitrace.report.documents.source import Drawing, Source
from easitrace.report.documents.typesetting import compile_typst

DPI, PAGE = 300, 560.0  # dots per inch; points that the highest drawing takes
HIGHEST, SMALLEST = 240.0, 0.85  # points; scale that leaves letters legible
SHEET = '#set page(width: {width}pt, height: {height}pt, margin: 0pt)\n#image("{name}", width: 100%, height: 100%)\n'


def size(drawing: Drawing) -> tuple[float, float]:
    """Width and height on the page in points: as wide as the text, lower if legible; (0, 0): the file says."""
    if not drawing.width:
        return 0.0, 0.0
    factor = min(UPRIGHT / drawing.width, max(HIGHEST / drawing.height, SMALLEST), PAGE / drawing.height)
    return drawing.width * factor, drawing.height * factor


def write_drawings(source: Source, folder: Path) -> dict[int, Path]:
    """Put every drawing of a page into a folder; their paths by their place among the floats."""
    paths = {}
    for number, found in enumerate(source.floats):
        if isinstance(found, Drawing):
            paths[number] = folder / f"drawing{number}.{found.ending}"
            paths[number].write_bytes(found.content)
    return paths


def pictures(source: Source, folder: Path) -> dict[int, bytes]:
    """Every drawing of a page as a picture that Word can show, by its place among the floats.

    Raises
    ------
    MachineError
        E613 when Typst is missing or fails.
    """
    paths = write_drawings(source, folder)
    vectors = {number: path for number, path in paths.items() if path.suffix == ".svg"}
    for number, path in vectors.items():
        drawing = source.floats[number]
        assert isinstance(drawing, Drawing)
        width, height = size(drawing)
        path.with_suffix(".typ").write_text(SHEET.format(width=width, height=height, name=path.name))
    main = folder / "pictures.typ"
    main.write_text("".join(f'#include "{path.stem}.typ"\n' for path in vectors.values()))
    drawn = compile_typst(main, format="png", ppi=DPI, ignore_system_fonts=True) if vectors else []
    return {number: path.read_bytes() for number, path in paths.items()} | dict(zip(vectors, drawn, strict=True))
