"""A chapter: what a notebook shows its reader and hands on to the report.

Every number printed in a sentence passes through `Chapter.say`, which records it under its name; the report's
`results.json` is the union of what the chapters recorded.
"""

import html
import json
import math
import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from easitrace.cohort.inert import inert
from easitrace.report.markup import printable
from easitrace.report.style import Style

BODY = "<!--easitrace:body-->"
REFERENCE = re.compile(r"(?<!\\)\[([^\]\[<>]+)\]\(#([A-Za-z0-9_-]+)\)")
SIGNIFICANT = 12  # digits kept: more than any use has, fewer than processors agree on
FLOATS = f"%.{SIGNIFICANT}g"


class Chapter:
    """Collects the numbers, tables and figures of one notebook, shows them, and writes them when it is finished.

    Parameters
    ----------
    name : str
        The notebook's name without its ending, e.g. "02_course".
    title : str
        The section title in the report.
    output : str, Path or None
        Folder for `results/`, `tables/` and `figures/`; None shows everything and writes nothing.
    style : mapping or None
        Fields of `Style`.
    """

    def __init__(
        self, name: str, title: str, *, output: str | Path | None = None, style: dict[str, Any] | None = None
    ) -> None:
        self.name = name
        self.title = title
        self.output = None if output is None else Path(output)
        self.style = Style(**(style or {}))
        self.numbers: dict[str, Any] = {}
        self.tables: list[dict[str, str]] = []
        self.figures: list[dict[str, str]] = []

    def record(self, **numbers: Any) -> None:
        """Keep numbers under their names; a name can be recorded once, or again with the same value.

        Raises
        ------
        ValueError
            When a name is recorded twice with different values.
        """
        for name, value in numbers.items():
            plain = _plain(value)
            if self.numbers.setdefault(name, plain) != plain:
                raise ValueError(f"{self.name}: {name} is {self.numbers[name]!r} and cannot become {plain!r}")

    def say(self, template: str, **values: Any) -> None:
        """Show a paragraph; its `{name:spec}` fields are filled from `values`, which are recorded.

        An empty line begins another paragraph.
        `[Table](#02_course-medians)` becomes a link, which the report completes to `Table 3`.
        """
        self.record(**values)
        known = {**self.numbers, **values}
        paragraphs = [
            f"<p>{_linked([self.style.fill(piece, known) for piece in REFERENCE.split(paragraph)])}</p>"
            for paragraph in template.split("\n\n")
        ]
        _show("\n".join(paragraphs))

    def explain(self, text: str) -> None:
        """Show Markdown with equations that depends on what was chosen; a number of a result belongs to `say`."""
        _show(text, kind="text/markdown")

    def table(self, display: Any, data: pd.DataFrame, *, name: str, caption: str, note: str = "") -> None:
        """Show a display table (great-tables) with its caption and note, and keep its tidy data at full precision.

        In the file a text that a spreadsheet would take for a formula is preceded by an apostrophe.
        Its anchor, for cross references, is `<chapter>-<name>`.
        """
        self._keep(self.tables, name, {"name": name, "caption": caption})
        if self.output is not None:
            path = self._path("tables", name, "csv")
            inert(data).to_csv(path, index=False, lineterminator="\n", float_format=FLOATS)
        self._show_float("table", name, caption, _table_only(display.as_raw_html()), note)

    def figure(self, figure: Any, *, name: str, caption: str, alt: str, note: str = "") -> None:
        """Show a matplotlib figure as inline SVG with caption and alternative text, and keep the SVG.

        Its anchor, for cross references, is `<chapter>-<name>`.
        """
        svg = _svg(figure, f"{self.name}-{name}", alt)
        self._keep(self.figures, name, {"name": name, "caption": caption, "alt": alt})
        if self.output is not None:
            self._path("figures", name, "svg").write_text(svg, encoding="utf-8", newline="\n")
        self._show_float("figure", name, caption, svg[svg.index("<svg") :], note, alt=alt)

    def skip(self, reason: str) -> None:
        """Say in one line why this chapter has nothing to show, and finish; the cells after this one do nothing."""
        _show(f"<p>{html.escape(reason)}</p>")
        self._write("skipped", reason=reason)
        _empty_the_rest()

    def finish(self) -> None:
        """Write the chapter's results; a chapter without this file has failed."""
        self._write("complete")

    def _keep(self, shown: list[dict[str, str]], name: str, entry: dict[str, str]) -> None:
        if re.fullmatch(r"[a-z0-9_]+", name) is None:
            raise ValueError(f"{self.name}: {name!r} must be lower-case letters, digits and underscores")
        if any(name == other["name"] for other in (*self.tables, *self.figures)):
            raise ValueError(f"{self.name}: {name!r} names two tables or figures")
        shown.append(entry)

    def _show_float(self, kind: str, name: str, caption: str, body: str, note: str, **more: str) -> None:
        """What JupyterLab shows; the report takes the body from between the marks and the rest from the metadata."""
        anchor = f"{self.name}-{name}"
        foot = f'<p class="note">{html.escape(note, quote=False)}</p>' if note else ""
        label = f"<figcaption>{html.escape(caption, quote=False)}</figcaption>"
        marked = f"{BODY}{body}{BODY}"
        inside = f"{label}{marked}{foot}" if kind == "table" else f"{marked}{label}{foot}"
        about = {"kind": kind, "anchor": anchor, "caption": caption, "note": note, **more}
        _show(f'<figure class="{kind}" id="{anchor}">{inside}</figure>', easitrace=about)

    def _write(self, status: str, **more: str) -> None:
        if self.output is None:
            return
        content = {
            "chapter": self.name,
            "title": self.title,
            "status": status,
            **more,
            "numbers": self.numbers,
            "tables": self.tables,
            "figures": self.figures,
        }
        path = self.output / "results" / f"{self.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        draft.write_text(text, encoding="utf-8", newline="\n")
        draft.replace(path)

    def _path(self, folder: str, name: str, ending: str) -> Path:
        assert self.output is not None
        path = self.output / folder / f"{self.name}_{name}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def linked(text: str) -> str:
    """Text as HTML, `[words](#anchor)` as a link, which the report completes when the words are Table or Figure."""
    return _linked(REFERENCE.split(text))


def _linked(pieces: Sequence[str]) -> str:
    """Text and, in turns, the words and the anchor of a link; whatever a text holds, it makes no link."""
    escaped = [html.escape(piece, quote=False) for piece in pieces]
    links = [f'<a href="#{anchor}">{words}</a>' for words, anchor in zip(escaped[1::3], escaped[2::3], strict=True)]
    return "".join(text + link for text, link in zip(escaped[::3], [*links, ""], strict=True))


def _plain(value: Any) -> Any:
    """A NumPy or pandas scalar as JSON knows it, floats to `SIGNIFICANT` digits; missing as None."""
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, float):
        return value
    return float(f"{value:.{SIGNIFICANT}g}") if math.isfinite(value) else None


def _table_only(markup: str) -> str:
    """The `<table>` of a display table without the style sheet around it, which the report has of its own."""
    return markup[markup.index("<table") : markup.rindex("</table>") + len("</table>")]


def _svg(figure: Any, salt: str, alt: str) -> str:
    """The figure as SVG: same bytes on every run, described for those who cannot see it."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    buffer = StringIO()
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    plt.close(figure)
    label = html.escape(printable(alt))
    return _numbered(printable(buffer.getvalue())).replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _numbered(svg: str) -> str:
    """Identifiers by their order instead of by a hash of coordinates, whose last digits differ between processors."""
    hashed = dict.fromkeys(re.findall(r'id="([A-Za-z]+[0-9a-f]{10})"', svg))
    names = {name: f"{name[0]}{number}" for number, name in enumerate(hashed)}
    return re.sub(r"[A-Za-z]+[0-9a-f]{10}", lambda hit: names.get(hit[0], hit[0]), svg)


def _empty_the_rest() -> None:
    """From the next cell on, code is not run until the kernel is started anew; outside IPython there are no cells."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is not None:
        shell.input_transformers_cleanup.append(lambda lines: [])


def _show(markup: str, kind: str = "text/html", **metadata: Any) -> None:
    from IPython.display import display

    display({kind: markup}, raw=True, metadata=metadata)  # type: ignore[no-untyped-call]
