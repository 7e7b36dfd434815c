"""From executed chapters to one self-contained page, through nbconvert with a template of our own.

The chapters are merged into one notebook, the `00_...` chapter first. A preprocessor turns every output into safe HTML,
numbers tables and figures in the order a reader meets them, and completes cross references; the template
(`template/easitrace/index.html.j2`) lays them out. No date and no path gets in: the same chapters give the same bytes.
"""

import copy
import html
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from easitrace.errors import NotEstimableError, Problem
from easitrace.report.chapter import BODY
from easitrace.report.execute import INJECTED, Ran, without_address_grammar
from easitrace.report.markup import (
    EquationError,
    clean_html,
    clean_svg,
    clean_table,
    markdown_html,
    plain_text,
    preformatted,
    printable,
    typographic,
)

TEMPLATES = Path(__file__).parent / "template"
REFERENCE = re.compile(r'<a href="#([A-Za-z0-9_-]+)">(.*?)</a>', re.DOTALL)
SHOWN = ("text/html", "text/markdown", "image/svg+xml", "image/png", "text/plain")
RUNNING_HEAD = '@page {{ @top-center {{ content: "{text}"; font: 7.5pt sans-serif; color: #6b3a00; }} }}\n'
COUNTED = {"Table": "table", "Figure": "figure"}


@dataclass(frozen=True)
class Study:
    """What the head of a report says.

    Attributes
    ----------
    name : str
        The study's folder under `reports/`.
    title : str
        The report's title.
    facts : tuple of (str, str)
        Lines under the title: a term and what it is, e.g. ("Cohort", "25 patients, 4 visits").
    synthetic : str
        What is said on every page when the patients are not real; empty for real ones.
    """

    name: str
    title: str
    facts: tuple[tuple[str, str], ...] = ()
    synthetic: str = ""


@dataclass
class Entry:
    """A line of the contents."""

    anchor: str
    title: str
    inside: list["Entry"] = field(default_factory=list)


class Page:
    """Turns the cells of all chapters into safe HTML and learns on the way what only the whole page knows.

    Attributes
    ----------
    contents : list of Entry
        Chapters and their sections.
    numbers : dict of str to str
        Anchor of every table and figure to its name, e.g. "Table 3".
    anchors : set of str
        Everything on the page that a link can go to.
    """

    def __init__(self, *, show_code: bool) -> None:
        self.show_code = show_code
        self.contents: list[Entry] = []
        self.numbers: dict[str, str] = {}
        self.anchors: set[str] = set()
        self._counts = dict.fromkeys(COUNTED.values(), 0)

    def begin(self, chapter: str, title: str) -> None:
        """A chapter that is shown."""
        self.anchors.add(chapter)
        self.contents.append(Entry(chapter, title))

    def take(self, cell: Any) -> None:
        """Put safe HTML in the place of a cell's source (Markdown) or of its outputs and code (code)."""
        chapter = cell.metadata.chapter
        if cell.cell_type == "markdown":
            with _equations(chapter):
                cell.source = markdown_html(cell.source, lambda words, level: self._heading(words, level, chapter))
        elif cell.cell_type == "code":
            cell.metadata.code = self._code(cell) if self.show_code and cell.source.strip() else ""
            with _equations(chapter):
                pieces = [piece for output in cell.outputs for piece in self._output(output)]
            cell.outputs = [nbformat_output(piece) for piece in pieces]

    def complete(self, cell: Any, absent: Sequence[str]) -> None:
        """Give a cell's cross references their numbers, which are known when every cell was taken."""
        chapter = cell.metadata.chapter
        if cell.cell_type == "markdown":
            cell.source = typographic(self.with_references(cell.source, chapter, absent))
        for output in cell.get("outputs", ()):
            output.data["text/html"] = typographic(self.with_references(output.data["text/html"], chapter, absent))

    def with_references(self, markup: str, chapter: str, absent: Sequence[str]) -> str:
        """Complete `Table` and `Figure` links with their numbers; a link to a skipped chapter becomes plain words.

        Raises
        ------
        NotEstimableError
            E405 when a link goes nowhere.
        """

        def complete(link: re.Match[str]) -> str:
            anchor, words = link[1], link[2]
            if anchor in self.numbers and words in COUNTED:
                return f'<a href="#{anchor}">{self.numbers[anchor]}</a>'
            if anchor in self.anchors:
                return link[0]
            if any(anchor.startswith(f"{name}-") for name in absent):
                return f"{words} (not in this report)"
            raise NotEstimableError(Problem("E405", f"chapter {chapter}", f"refers to #{anchor}, which is not there"))

        return REFERENCE.sub(complete, markup)

    def _heading(self, words: str, level: int, chapter: str) -> str:
        """The notebook's own title gives way to the chapter's; its sections hang below the chapter."""
        if level == 1:
            return ""
        stem = re.sub(r"[^a-z0-9]+", "-", plain_text(words).lower()).strip("-")
        anchor = self._free(f"section-{chapter}-{stem}")
        if level == 2:
            self.contents[-1].inside.append(Entry(anchor, plain_text(words)))
        return f'<h{min(level + 1, 6)} id="{anchor}">{words}</h{min(level + 1, 6)}>\n'

    def _free(self, anchor: str) -> str:
        candidates = (anchor if number == 1 else f"{anchor}-{number}" for number in range(1, 10_000))
        free = next(candidate for candidate in candidates if candidate not in self.anchors)
        self.anchors.add(free)
        return free

    def _code(self, cell: Any) -> str:
        from pygments import highlight  # type: ignore[import-untyped]
        from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
        from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

        tags = cell.metadata.get("tags", ())
        what = "Parameters of this report" if INJECTED in tags else "Parameters" if "parameters" in tags else "Code"
        lines = highlight(cell.source, PythonLexer(), HtmlFormatter(nowrap=True)).rstrip()
        return f'<details class="code"><summary>{what}</summary><pre><code>{lines}</code></pre></details>'

    def _output(self, output: Any) -> list[str]:
        if output.output_type == "stream":
            return [preformatted(output.text)] if output.name == "stdout" else []
        data = output.get("data", {})
        if about := output.get("metadata", {}).get("easitrace"):
            return [self._float(about, data["text/html"].split(BODY)[1])]
        kind = next((kind for kind in SHOWN if kind in data), None)
        return [] if kind is None else [self._shown(kind, data[kind])]

    def _shown(self, kind: str, content: str) -> str:
        """Something a notebook displays by itself, in the first form of `SHOWN` it has."""
        match kind:
            case "text/html":
                return _scrolling(clean_html(content))
            case "text/markdown":
                return markdown_html(content, lambda words, level: f"<p><strong>{words}</strong></p>")
            case "image/svg+xml":
                return clean_svg(content, self._free("drawing"), "")
            case "image/png":
                return clean_html(f'<img alt="" src="data:image/png;base64,{content.strip()}">')
        return preformatted(content)

    def _float(self, about: dict[str, str], body: str) -> str:
        kind, anchor = about["kind"], about["anchor"]
        self._counts[kind] += 1
        name = f"{kind.capitalize()}\u00a0{self._counts[kind]}"
        self.numbers[anchor] = name
        self.anchors.add(anchor)
        note = f'<p class="note">{html.escape(about["note"], quote=False)}</p>' if about["note"] else ""
        said = html.escape(about["caption"], quote=False)
        caption = f'<figcaption><span class="number">{name}.</span> {said}'
        scrolls = f'role="group" tabindex="0" aria-label="{name}"'
        if kind == "table":
            inside = f'{caption}</figcaption><div class="scroll" {scrolls}>{clean_table(body)}</div>{note}'
        else:
            drawing = clean_svg(body, f"in-{anchor}", about["alt"])
            inside = f'<div class="drawing" {scrolls}>{drawing}</div>{caption}{note}</figcaption>'
        return f'<figure class="{kind}" id="{anchor}">{inside}</figure>'


@contextmanager
def _equations(chapter: str) -> Iterator[None]:
    try:
        yield
    except EquationError as error:
        raise NotEstimableError(Problem("E406", f"chapter {chapter}", f"the equation {error}")) from error


def render(chapters: Sequence[Ran], study: Study, *, show_code: bool = False) -> str:
    """The page of a report.

    Parameters
    ----------
    chapters : sequence of Ran
        In the order of the page.
    study : Study
        The head of the page.
    show_code : bool
        Show the cells' code, folded.
    """
    resources = {"study": study, "chapters": chapters, "show_code": show_code, "style": _style(study, show_code)}
    body, _ = _exporter().from_notebook_node(_merged(chapters), resources=resources)
    return printable(str(body))


def _merged(chapters: Sequence[Ran]) -> Any:
    """One notebook of all cells, each with its chapter's name; of a skipped chapter one empty cell."""
    from nbformat import v4

    merged = v4.new_notebook()
    for ran in chapters:
        skipped = ran.result["status"] == "skipped"
        cells = [v4.new_raw_cell(id="skipped")] if skipped else copy.deepcopy(ran.notebook.cells)
        for number, cell in enumerate(cells):
            cell.id = f"{ran.name}-{number}"
            cell.metadata.chapter = ran.name
            cell.metadata.begins = number == 0
            cell.metadata.ends = number == len(cells) - 1
        merged.cells.extend(cells)
    return merged


def prepare(notebook: Any, resources: Any) -> tuple[Any, Any]:
    """The preprocessor: safe HTML, numbers, references, contents."""
    page = Page(show_code=resources["show_code"])
    results = {ran.name: ran.result for ran in resources["chapters"]}
    absent = [name for name, result in results.items() if result["status"] == "skipped"]
    for cell in notebook.cells:
        if cell.metadata.begins and cell.metadata.chapter not in absent:
            page.begin(cell.metadata.chapter, results[cell.metadata.chapter]["title"])
        page.take(cell)
    for cell in notebook.cells:
        page.complete(cell, absent)
    return notebook, {**resources, "contents": page.contents, "results": results}


def load_exporter() -> Any:
    """The class of nbconvert's template exporter, imported without what no page needs."""
    with without_address_grammar():
        from nbconvert.exporters.templateexporter import TemplateExporter
    return TemplateExporter


def _exporter() -> Any:
    """The template exporter of nbconvert with our template and our preprocessor."""
    exporter = load_exporter()(
        template_name="easitrace",
        template_file="index.html.j2",
        extra_template_basedirs=[str(TEMPLATES)],
        file_extension=".html",
    )
    exporter.register_preprocessor(prepare, enabled=True)
    return exporter


def _style(study: Study, show_code: bool) -> str:
    """The style sheet, with the colours of code when there is code and a running head when patients are not real."""
    style = (TEMPLATES / "easitrace" / "style.css").read_text(encoding="utf-8")
    if study.synthetic:
        style += RUNNING_HEAD.format(text=re.sub(r"[^\w .,;-]", " ", study.synthetic))
    if show_code:
        from pygments.formatters import HtmlFormatter

        style += str(HtmlFormatter(style="default").get_style_defs(".code code"))
    return style


def nbformat_output(markup: str) -> Any:
    """An output cell's output that holds HTML."""
    from nbformat import v4

    return v4.new_output("display_data", {"text/html": markup})


def _scrolling(markup: str) -> str:
    """A table that is wider than a narrow screen scrolls by itself."""
    frame = '<div class="scroll" role="group" tabindex="0" aria-label="Table">'
    return f"{frame}{markup}</div>" if "<table" in markup else markup
