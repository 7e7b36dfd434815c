"""The report as PDF and Word documents, made from the finished page."""

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from easitrace.errors import MachineError, Problem

if TYPE_CHECKING:
    from easitrace.report.documents.source import Source
    from easitrace.report.render import Study

    Write = Callable[[Source, Study, Path, Path], None]

FORMATS = ("html", "pdf", "docx")


def write_documents(page: str, study: "Study", formats: Sequence[str], folder: Path) -> list[Problem]:
    """Write `report.pdf` and `report.docx`, whichever are asked for, from the page `report.html`.

    Both come out the same on every run. They are made at once; Typst and pandoc keep two processors busy.

    Parameters
    ----------
    page : str
        The rendered page.
    study : Study
        Title, facts and banner.
    formats : sequence of str
        Of `FORMATS`; "html" needs nothing.
    folder : Path
        The folder to write into.

    Returns
    -------
    list of Problem
        E613 for every document that could not be made; it is not there then.
    """
    wanted = [name for name in FORMATS if name in formats and name != "html"]
    if not wanted:
        return []
    from easitrace.report.documents.source import read_page

    source = read_page(page)
    with ThreadPoolExecutor(len(wanted), thread_name_prefix="document") as pool:
        return [
            problem for found in pool.map(lambda name: _write(name, source, study, folder), wanted) for problem in found
        ]


def _write(name: str, source: "Source", study: "Study", folder: Path) -> list[Problem]:
    path = folder / f"report.{name}"
    try:
        with tempfile.TemporaryDirectory(prefix="easitrace-") as build:
            _writer(name)(source, study, path, Path(build).resolve())
    except MachineError as error:
        return [
            Problem(problem.code, path.name, f"{problem.where}: {problem.what}", problem.remedy)
            for problem in error.problems
        ]
    return []


def _writer(name: str) -> "Write":
    if name == "pdf":
        from easitrace.report.documents.pdf import write_pdf

        return write_pdf
    from easitrace.report.documents.word import write_word

    return write_word
