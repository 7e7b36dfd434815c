"""The report as PDF and Word documents, made from the finished page."""

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from easitrace.errors import MachineError, Problem

if TYPE_CHECKING:
    from easitrace.report.documents.source import Source
    from easitrace.report.render import Study

    Write = Callable[[Source, Study, Path, Path], list[Problem]]

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
        E613 for every document that could not be made, which is not there then, and for letters no font has.
    """
    wanted = [name for name in FORMATS if name in formats and name != "html"]
    if not wanted:
        return []
    from easitrace.report.documents.source import read_page
    from easitrace.report.markup import printable

    source = read_page(page)
    facts = tuple((printable(term), printable(what)) for term, what in study.facts)
    study = replace(study, title=printable(study.title), synthetic=printable(study.synthetic), facts=facts)
    with ThreadPoolExecutor(len(wanted), thread_name_prefix="document") as pool:
        return [
            problem for found in pool.map(lambda name: _write(name, source, study, folder), wanted) for problem in found
        ]


def _write(name: str, source: "Source", study: "Study", folder: Path) -> list[Problem]:
    path = folder / f"report.{name}"
    try:
        with tempfile.TemporaryDirectory(prefix="easitrace-") as build:
            problems = _writer(name)(source, study, path, Path(build).resolve())
    except MachineError as error:
        problems = list(error.problems)
    return [replace(problem, where=path.name, what=f"{problem.where}: {problem.what}") for problem in problems]


def _writer(name: str) -> "Write":
    if name == "pdf":
        from easitrace.report.documents.pdf import write_pdf

        return write_pdf
    from easitrace.report.documents.word import write_word

    return write_word
