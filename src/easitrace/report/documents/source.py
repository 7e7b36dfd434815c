"""A report's page taken apart: prose for pandoc, tables and drawings as plain data.

Both documents are made from the finished page, so that they say what it says. Prose goes through pandoc as HTML of
known elements; a table, a drawing and its caption never become markup of the document's language: they are strings in
a data structure. In the prose a mark stands where each of them was; the mark holds the hash of the page, which the
page itself cannot contain.
"""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from easitrace.report.documents.equations import arrange
from easitrace.report.markup import printable

Style = Literal["", "strong", "em", "sub", "sup", "whole", "break"]
Align = Literal["left", "right", "center"]

MAIN = re.compile(r'<main id="content">(.*)</main>', re.DOTALL)
SVG = re.compile(r"<svg .*?</svg>", re.DOTALL)
VIEW = re.compile(r'viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"')
ALIGNS: tuple[Align, ...] = ("left", "right", "center")
STYLES: dict[str, Style] = {"strong": "strong", "b": "strong", "em": "em", "i": "em", "sub": "sub", "sup": "sup"}
NAME_SPACES = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
DPI = 96


@dataclass(frozen=True)
class Run:
    """Text in one style; "whole" is text in which no line may break."""

    text: str
    style: Style = ""


@dataclass(frozen=True)
class Cell:
    """A cell of a table."""

    runs: tuple[Run, ...]
    align: Align = "left"
    columns: int = 1
    rows: int = 1
    strong: bool = False

    @property
    def text(self) -> str:
        return "".join("\n" if run.style == "break" else run.text for run in self.runs)


Row = tuple[Cell, ...]


@dataclass(frozen=True)
class Float:
    """What tables and drawings share: anchor, number ("Table 3"), caption without the number, note.

    A table or picture that a chapter displays by itself has neither number nor caption.
    """

    anchor: str
    number: str
    caption: str
    note: str


@dataclass(frozen=True)
class Table(Float):
    """A table: its header rows and its body rows."""

    header: tuple[Row, ...]
    body: tuple[Row, ...]

    @property
    def columns(self) -> int:
        return max((sum(cell.columns for cell in row) for row in (*self.header, *self.body)), default=0)


@dataclass(frozen=True)
class Drawing(Float):
    """A drawing: its description, the file's content and ending (svg, png, jpeg, gif, webp), its width and height.

    Width and height are in points; 0 when the file itself says them.
    """

    alt: str
    content: bytes
    ending: str
    width: float
    height: float


@dataclass(frozen=True)
class Source:
    """A page taken apart.

    Attributes
    ----------
    prose : str
        HTML for pandoc; every float is a paragraph `mark(n)`, every equation stands between two marks.
    floats : tuple of Table or Drawing
        In the order of the page; the place is the number in the mark.
    equations : tuple of str
        The LaTeX of every equation, which is its alternative text.
    anchors : dict of str to str
        The page's anchors and their names in the documents.
    token : str
        What marks are made of.
    """

    prose: str
    floats: tuple[Table | Drawing, ...]
    equations: tuple[str, ...]
    anchors: dict[str, str]
    token: str

    @property
    def prose_without_equation_marks(self) -> str:
        return re.sub(rf"<b>{self.token}(?:m\d+|e)x</b>", "", self.prose)


def read_page(page: str) -> Source:
    """Take the content of a rendered page apart.

    Raises
    ------
    ValueError
        When the page is not one of ours.
    """
    main = MAIN.search(page)
    if main is None:
        raise ValueError("the page has no main part")
    return _Reader(hashlib.sha256(page.encode()).hexdigest()[:24]).read(main[1])


class _Reader:
    """Replaces floats and equations by marks and keeps them."""

    def __init__(self, token: str) -> None:
        self.token = token
        self.svgs: list[str] = []
        self.floats: list[Table | Drawing] = []
        self.equations: list[str] = []
        self.anchors: dict[str, str] = {}

    def read(self, markup: str) -> Source:
        import lxml.html  # type: ignore[import-untyped]

        parser = lxml.html.HTMLParser(huge_tree=True, encoding="utf-8")
        apart = SVG.sub(self._svg_aside, printable(markup))
        root = lxml.html.document_fromstring(f"<body><div>{apart}</div></body>".encode(), parser=parser)
        for element in root.iter():
            if isinstance(element.tag, str) and (anchor := element.get("id")):
                self.anchors.setdefault(anchor, f"anchor{len(self.anchors)}")
        self._floats_aside(root)
        self._simplify(root)
        prose = lxml.html.tostring(root, encoding="unicode")
        return Source(prose, tuple(self.floats), tuple(self.equations), self.anchors, self.token)

    def _svg_aside(self, svg: re.Match[str]) -> str:
        self.svgs.append(svg[0])
        return f'<img data-svg="{len(self.svgs) - 1}">'

    def _floats_aside(self, root: Any) -> None:
        """Figures first, then tables and pictures that stand outside of them."""
        for figure in list(root.iter("figure")):
            self._replace(figure, self._figure(figure))
        for table in list(root.iter("table")):
            self._replace(table, read_table(table, Float("", "", "", "")))
        for picture in list(root.iter("img")):
            drawing = self._drawing(picture, Float("", "", "", ""))
            block = next((above for above in picture.iterancestors() if above.tag in {"p", "li"}), picture)
            self._replace(block, drawing, keep=block is not picture)
            if block is not picture:
                picture.drop_tree()

    def _replace(self, element: Any, found: Table | Drawing, *, keep: bool = False) -> None:
        mark = element.makeelement("p", {})
        mark.text, mark.tail = f"{self.token}f{len(self.floats)}x", element.tail
        self.floats.append(found)
        element.tail = None
        element.addnext(mark)
        if not keep:
            element.getparent().remove(element)

    def _figure(self, figure: Any) -> Table | Drawing:
        label, note = figure.find("figcaption"), figure.find('.//p[@class="note"]')
        said = "" if note is None else _words(note)
        if note is not None:
            note.drop_tree()
        number, caption = "", ""
        if label is not None:
            named = label.find('span[@class="number"]')
            number = "" if named is None else _words(named).removesuffix(".")
            caption = _words(label).removeprefix(f"{number}.").strip() if number else _words(label)
        about = Float(figure.get("id", ""), number, caption, said)
        table = figure.find(".//table")
        return self._drawing(figure.find(".//img"), about) if table is None else read_table(table, about)

    def _drawing(self, picture: Any, about: Float) -> Drawing:
        place = picture.get("data-svg")
        if place is None:
            kind, data = picture.get("src", "").removeprefix("data:image/").split(";base64,")
            return Drawing(**vars(about), alt=picture.get("alt", ""), content=base64.b64decode(data),
                           ending=kind, width=0, height=0)  # fmt: skip
        svg = self.svgs[int(place)]
        view = VIEW.search(svg)
        width, height = (float(view[1]), float(view[2])) if view else (0, 0)
        alt = re.search(r'aria-label="([^"]*)"', svg)
        content = svg.replace("<svg ", NAME_SPACES, 1).encode()
        return Drawing(**vars(about), alt=_unescaped(alt[1]) if alt else "", content=content,
                       ending="svg", width=width, height=height)  # fmt: skip

    def _simplify(self, root: Any) -> None:
        """Leave only what a document needs: links that arrive, names that both programs accept, equations marked."""
        for element in list(root.iter()):
            if element.tag in {"section", "div", "span", "details"} and element.get("id") is None:
                element.drop_tag() if element is not root and element.getparent() is not None else None
            elif element.tag == "math":
                self._mark_equation(element)
            elif element.tag == "summary":
                element.tag = "p"
            elif element.tag == "a":
                self._link(element)
        for element in root.iter():
            if element.tag != "math" and not any(above.tag == "math" for above in element.iterancestors()):
                self._own_attributes(element)

    def _own_attributes(self, element: Any) -> None:
        kept = {name: value for name, value in element.attrib.items() if name in {"href", "start"}}
        if anchor := element.get("id"):
            kept["id"] = self.anchors[anchor]
        element.attrib.clear()
        element.attrib.update(kept)

    def _link(self, link: Any) -> None:
        name = self.anchors.get(link.get("href", "").removeprefix("#"))
        if name is None:
            link.drop_tag()
        else:
            link.set("href", f"#{name}")

    def _mark_equation(self, equation: Any) -> None:
        arrange(equation)
        number = len(self.equations)
        self.equations.append(equation.get("alttext", ""))
        before, after = equation.makeelement("b", {}), equation.makeelement("b", {})
        before.text, after.text, after.tail = f"{self.token}m{number}x", f"{self.token}ex", equation.tail
        equation.tail = None
        equation.addprevious(before)
        equation.addnext(after)


def read_table(table: Any, about: Float) -> Table:
    """The rows of a `<table>` element."""
    header = tuple(_row(row, heading=True) for row in table.iterfind("thead/tr"))
    body = tuple(_row(row, heading=False) for row in table.iter("tr") if row.getparent().tag != "thead")
    return Table(**vars(about), header=tuple(filter(None, header)), body=tuple(filter(None, body)))


def _row(row: Any, *, heading: bool) -> Row:
    group = "gt_group_heading_row" in row.get("class", "")
    return tuple(_cell(cell, strong=heading or group) for cell in row if cell.tag in {"td", "th"})


def _cell(cell: Any, *, strong: bool) -> Cell:
    named = cell.get("class", "") + re.sub(r".*text-align:\s*", "gt_", cell.get("style", ""))
    align: Align = next((align for align in ALIGNS if f"gt_{align}" in named), "left")
    runs = tuple(_trimmed(list(_runs(cell, ""))))
    return Cell(runs, align, int(cell.get("colspan") or 1), int(cell.get("rowspan") or 1), strong)


def _runs(element: Any, style: Style) -> Iterator[Run]:
    yield from _run(element.text, style)
    for child in element:
        if child.tag == "br":
            yield Run("", "break")
        elif isinstance(child.tag, str):
            whole: Style = "whole" if child.get("class") == "whole" else style
            yield from _runs(child, STYLES.get(child.tag, whole))
        yield from _run(child.tail, style)


def _run(text: str | None, style: Style) -> Iterator[Run]:
    if text:
        yield Run(re.sub(r"[ \t\r\n]+", " ", text), style)


def _trimmed(runs: list[Run]) -> list[Run]:
    """Without the blanks that only lay out the HTML."""
    if runs:
        runs[0] = Run(runs[0].text.lstrip(" "), runs[0].style)
        runs[-1] = Run(runs[-1].text.rstrip(" "), runs[-1].style)
    return [run for run in runs if run.text or run.style == "break"]


def _words(element: Any) -> str:
    return re.sub(r"[ \t\r\n]+", " ", element.text_content()).strip(" ")


def _unescaped(text: str) -> str:
    import html

    return html.unescape(text)
