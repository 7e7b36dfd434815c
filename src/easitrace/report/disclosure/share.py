"""Writing `share/`: the part of a run that may be passed on."""

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from easitrace.errors import DisclosureError, Problem
from easitrace.report.disclosure.flow import flow_tables
from easitrace.report.disclosure.page import Names, chapters
from easitrace.report.disclosure.scan import scan
from easitrace.report.disclosure.sharing import FOLDER, Shared, Sharing
from easitrace.report.disclosure.sheets import Sheets, shared_sheets
from easitrace.report.execute import merge_results
from easitrace.report.render import Study, render
from easitrace.report.words import written_month

UNSEEN = re.compile(r"<!--.*?-->\s*|<metadata>.*?</metadata>\s*", re.DOTALL)


def write_share(stage: Path, study: Study, sharing: Sharing, formats: Sequence[str]) -> Shared:
    """Write `share/` beside the tables it is made from; nothing is there when it could not be made safe.

    Parameters
    ----------
    stage : Path
        The finished report, with its `tables/`.
    study : Study
        Its head; of the facts none is shared.
    sharing : Sharing
        How it is shared.
    formats : sequence of str
        As for the report itself.

    Returns
    -------
    Shared
        What was written, or why nothing was: E501, E502, E503 from the gate, E504, E506 from the scanner.
    """
    folder = stage / FOLDER
    record = {"profile": sharing.profile.name, "threshold": sharing.profile.threshold}
    further = {} if sharing.flow is None else flow_tables(sharing.flow)
    try:
        sheets = shared_sheets(stage / "tables", sharing.profile, sharing.interval, further)
        problems = _write(sheets, folder, study, sharing, formats)
        outcome = scan(folder, sharing.identifiers)
        outcome.clean()
    except DisclosureError as error:
        shutil.rmtree(folder, ignore_errors=True)
        return Shared(record=record | {"withheld": [problem.code for problem in error.problems]}, withheld=error)
    record |= {"masked": sheets.masked, "counts": sheets.cells, "warnings": [str(one) for one in outcome.warnings]}
    return Shared(problems, record)


def _write(sheets: Sheets, folder: Path, study: Study, sharing: Sharing, formats: Sequence[str]) -> list[Problem]:
    from easitrace import __version__
    from easitrace.report.documents import write_documents

    about = (sharing.outcome, sharing.scale, sharing.interval.level, sharing.style)
    names = Names(*about, sharing.criterion, sharing.methods, sharing.judged)
    made = chapters(sheets, sharing.profile, names, folder)
    shutil.rmtree(folder / "results")
    for drawing in folder.glob("figures/*.svg"):
        drawing.write_text(UNSEEN.sub("", drawing.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    merge_results(made, folder)
    patients = "masked" if sheets.patients is None else f"about {sheets.patients} patients"
    facts = (
        ("Cohort", patients),
        *([("Data cut", written_month(sharing.cut))] if sharing.cut else []),
        ("Outcome", sharing.outcome),
        ("Disclosure", f"{sharing.profile.name}: {sheets.masked} of {sheets.cells} counts masked"),
        ("Analysis", f"easitrace {__version__}"),
    )
    head = replace(study, facts=facts)
    page = render(made, head)
    (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
    return write_documents(page, head, formats, folder)
