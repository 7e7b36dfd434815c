"""A chapter without a notebook: what it shows is kept for the page instead of being displayed."""

import html
import json
from typing import Any

from easitrace.report.chapter import BODY, Chapter
from easitrace.report.execute import Ran


class SharedChapter(Chapter):
    """A chapter of the report for others.

    It writes tables, figures and numbers as every chapter does; `finished` gives it to the page.
    """

    def __init__(self, name: str, title: str, **options: Any) -> None:
        super().__init__(name, title, **options)
        self.cells: list[Any] = []

    def say(self, template: str, **values: Any) -> None:
        """Keep a paragraph; its numbers are recorded."""
        self.record(**values)
        self._add(f"<p>{html.escape(self.style.fill(template, values), quote=False)}</p>")

    def finished(self) -> Ran:
        """The chapter as the page wants it."""
        from nbformat import v4

        self.finish()
        assert self.output is not None
        result = json.loads((self.output / "results" / f"{self.name}.json").read_text(encoding="utf-8"))
        return Ran(self.name, v4.new_notebook(cells=self.cells), result, 0.0)

    def _show_float(self, kind: str, name: str, caption: str, body: str, note: str, **more: str) -> None:
        about = {"kind": kind, "anchor": f"{self.name}-{name}", "caption": caption, "note": note, **more}
        self._add(f"{BODY}{body}{BODY}", easitrace=about)

    def _add(self, markup: str, **metadata: Any) -> None:
        from nbformat import v4

        output = v4.new_output("display_data", {"text/html": markup}, metadata=metadata)
        self.cells.append(v4.new_code_cell("", outputs=[output]))
