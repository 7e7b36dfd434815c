"""A chapter: what a notebook shows its reader and hands on to the report.

Every number printed in a sentence passes through `Chapter.say`, which records it under its name; the report's
`results.json` is the union of what the chapters recorded.
"""

import html
import json
import math
from io import StringIO
from pathlib import Path
from typing import Any

import pandas as pd

from easitrace.report.style import Style


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
        """Show a paragraph; its `{name:spec}` fields are filled from `values`, which are recorded."""
        self.record(**values)
        _show(f"<p>{html.escape(self.style.fill(template, {**self.numbers, **values}), quote=False)}</p>")

    def table(self, display: Any, data: pd.DataFrame, *, name: str, caption: str, note: str = "") -> None:
        """Show a display table (great-tables) with its caption and note, and keep its tidy data at full precision."""
        self.tables.append({"name": name, "caption": caption})
        if self.output is not None:
            data.to_csv(self._path("tables", name, "csv"), index=False, lineterminator="\n")
        _show(_float("table", f"{self.name}-{name}", caption, display.as_raw_html(), note))

    def figure(self, figure: Any, *, name: str, caption: str, alt: str, note: str = "") -> None:
        """Show a matplotlib figure as inline SVG with caption and alternative text, and keep the SVG."""
        svg = _svg(figure, f"{self.name}-{name}", alt)
        self.figures.append({"name": name, "caption": caption, "alt": alt})
        if self.output is not None:
            self._path("figures", name, "svg").write_text(svg, encoding="utf-8")
        _show(_float("figure", f"{self.name}-{name}", caption, svg[svg.index("<svg") :], note))

    def skip(self, reason: str) -> None:
        """Say in one line why this chapter has nothing to show, and finish."""
        _show(f"<p>{html.escape(reason)}</p>")
        self._write("skipped", reason=reason)

    def finish(self) -> None:
        """Write the chapter's results; a chapter without this file has failed."""
        self._write("complete")

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
        path.write_text(
            json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
        )

    def _path(self, folder: str, name: str, ending: str) -> Path:
        assert self.output is not None
        path = self.output / folder / f"{self.name}_{name}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _plain(value: Any) -> Any:
    """A NumPy or pandas scalar as JSON knows it; missing as None."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _float(kind: str, anchor: str, caption: str, body: str, note: str) -> str:
    foot = f'<p class="note">{html.escape(note, quote=False)}</p>' if note else ""
    label = f"<figcaption>{html.escape(caption, quote=False)}</figcaption>"
    inside = f"{label}{body}{foot}" if kind == "table" else f"{body}{label}{foot}"
    return f'<figure class="{kind}" id="{anchor}">{inside}</figure>'


def _svg(figure: Any, salt: str, alt: str) -> str:
    """The figure as SVG: same bytes on every run, described for those who cannot see it."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    buffer = StringIO()
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    plt.close(figure)
    label = html.escape(alt)
    return buffer.getvalue().replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def _show(markup: str) -> None:
    from IPython.display import HTML, display

    display(HTML(markup))
