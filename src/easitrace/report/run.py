"""One run: execute the chapters, render the page, put the new report in the place of the old one."""

import hashlib
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from easitrace.errors import MachineError, Problem
from easitrace.report.disclosure.sharing import Shared, Sharing
from easitrace.report.documents import write_documents
from easitrace.report.execute import (
    FIRST_PRINTED,
    Arguments,
    Execution,
    Ran,
    Tell,
    execute_chapters,
    find_chapters,
    load_papermill,
    quiet,
)
from easitrace.report.index import write_index
from easitrace.report.kernels import Kernels
from easitrace.report.manifest import write_manifest
from easitrace.report.render import Study, load_exporter, render
from easitrace.report.selfcheck import Verdict, check, keep, read_report
from easitrace.report.staging import disk_errors, put_in_place, staging


@dataclass(frozen=True)
class Request:
    """What to run and where to put it.

    Attributes
    ----------
    study : Study
        The head of the report; its name is the folder under `reports`.
    arguments : callable
        From the parameter names a chapter declares to their values.
    notebooks, reports : Path
        Folder of the chapters, folder of the studies.
    about : mapping
        More for the manifest: parameters, seed.
    sources : mapping
        Files that are read, with the SHA-256 they had when they were checked.
    show_code : bool
        Show the cells' code, folded.
    formats : sequence of str
        What is written besides the page: "pdf", "docx".
    sharing : Sharing or None
        How a report for others is made beside this one; None when none is.
    workers, time_limit : int
        Kernels at once; seconds a cell may take.
    """

    study: Study
    arguments: Arguments
    notebooks: Path
    reports: Path
    about: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[Path, str] = field(default_factory=dict)
    show_code: bool = False
    formats: Sequence[str] = ("html",)
    sharing: Sharing | None = None
    workers: int = 2
    time_limit: int = 900


def run_report(request: Request, kernels: Kernels, tell: Tell = quiet) -> Path:
    """Run a study; the old report stays as it is until the new one is whole.

    Parameters
    ----------
    request : Request
        What to run.
    kernels : Kernels
        Where kernels come from; may still be warming up.
    tell : callable
        Called with a chapter's name and its seconds (None when it starts).

    Returns
    -------
    Path
        The report, `reports/<study>/report.html`.

    Raises
    ------
    NotEstimableError, MachineError
        E4xx a chapter failed, E6xx the machine did; nothing has changed then. E407 numbers of the report contradict
        each other, E613 a document could not be made from the page; the report is there then, and says so or
        lacks that document.
    DisclosureError
        E5xx the report for others would tell too much; the report is there then, and no `share/`.
    """
    started, clock = datetime.now(UTC), time.monotonic()
    load_papermill()
    load_exporter()  # here, where the run waits for the kernels' parent anyway
    chapters = find_chapters(request.notebooks)
    target = request.reports / request.study.name
    with staging(request.reports, request.study.name) as stage, disk_errors(stage):
        execution = Execution(kernels, stage, request.arguments, request.time_limit, tell)
        ran = execute_chapters(chapters, execution, request.workers)
        _sources_unchanged(request.sources)
        verdict = _checked(stage, ran)
        study = replace(request.study, facts=(*request.study.facts, ("Self-check", str(verdict))))
        missing = _write(stage, ran, replace(request, study=study))
        shared = _share(stage, request)
        missing += shared.problems
        times = {
            "started": started.isoformat(timespec="seconds"),
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - clock, 2),
        }
        about = {"study": study.name, "title": study.title, "synthetic": study.synthetic, **request.about}
        about["sources"] = [{"path": str(path), "sha256": sha256} for path, sha256 in request.sources.items()]
        if shared.record:
            about["sharing"] = shared.record
        write_manifest(stage, about, ran, times)
        put_in_place(stage, target)
    write_index(request.reports)
    verdict.insist()
    if shared.withheld:
        raise shared.withheld
    if missing:
        raise MachineError(missing)
    return target / "report.html"


def _checked(stage: Path, ran: Sequence[Ran]) -> Verdict:
    """What the report finds when it checks itself; `results.json` keeps it."""
    verdict = check(read_report(stage, ran))
    keep(stage, verdict)
    return verdict


def _share(stage: Path, request: Request) -> Shared:
    """The report for others, when one is made."""
    if request.sharing is None:
        return Shared()
    from easitrace.report.disclosure.share import write_share

    return write_share(stage, request.study, request.sharing, request.formats)


def _sources_unchanged(sources: Mapping[Path, str]) -> None:
    """A file that changed while the chapters read it makes a report nobody can vouch for.

    Built-in data are named relative to the package, users' files by their whole path.
    """
    files = {path: sha256 for path, sha256 in sources.items() if path.is_absolute()}
    changed = [path for path, sha256 in files.items() if _sha256(path) != sha256]
    if changed:
        raise MachineError(
            Problem("E606", str(path), "changed while the report was made", "run it again") for path in changed
        )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _write(stage: Path, ran: Sequence[Ran], request: Request) -> list[Problem]:
    """Everything a reader opens: the page, its documents, the executed notebooks; what is wrong with the documents."""
    import nbformat

    shutil.rmtree(stage / "results")
    in_order = sorted(ran, key=lambda chapter: (not chapter.name.startswith(FIRST_PRINTED), chapter.name))
    page = render(in_order, request.study, show_code=request.show_code)
    (stage / "report.html").write_text(page, encoding="utf-8", newline="\n")
    notebooks = stage / "notebooks"
    notebooks.mkdir()
    for chapter in ran:
        text = nbformat.writes(chapter.notebook) + "\n"
        (notebooks / f"{chapter.name}.ipynb").write_text(text, encoding="utf-8", newline="\n")
    return write_documents(page, request.study, request.formats, stage)
