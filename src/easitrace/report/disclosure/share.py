"""Writing `share/`: the part of a run that may be passed on."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from easitrace.errors import Problem
from easitrace.report.disclosure.derive import Interval
from easitrace.report.disclosure.page import Names, chapters
from easitrace.report.disclosure.profiles import Profile
from easitrace.report.disclosure.scan import scan
from easitrace.report.disclosure.sheets import shared_sheets
from easitrace.report.execute import merge_results
from easitrace.report.render import Study, render

FOLDER = "share"


@dataclass(frozen=True)
class Sharing:
    """How a run is shared.

    Attributes
    ----------
    profile : Profile
        Which counts are masked.
    identifiers : sequence of str
        The patients' identifiers, which no shared file may hold.
    outcome : str
        Label of the outcome.
    interval : Interval
        Of proportions.
    style : dict
        Fields of `Style`.
    """

    profile: Profile
    identifiers: Sequence[str]
    outcome: str
    interval: Interval
    style: dict[str, Any]


def write_share(stage: Path, study: Study, sharing: Sharing, formats: Sequence[str]) -> list[Problem]:
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
    list of Problem
        What is wrong with the documents, and W501 when identifiers are too short to be searched.

    Raises
    ------
    DisclosureError
        E501, E502, E503 from the gate; E504, E506 from the scanner.
    """
    folder = stage / FOLDER
    try:
        found = _write(stage / "tables", folder, study, sharing, formats)
        outcome = scan(folder, sharing.identifiers)
        outcome.clean()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return [*found, *outcome.warnings]


def _write(tables: Path, folder: Path, study: Study, sharing: Sharing, formats: Sequence[str]) -> list[Problem]:
    from easitrace import __version__
    from easitrace.report.documents import write_documents

    sheets = shared_sheets(tables, sharing.profile, sharing.interval)
    names = Names(sharing.outcome, sharing.interval.level, sharing.style)
    made = chapters(sheets, sharing.profile, names, folder)
    shutil.rmtree(folder / "results")
    merge_results(made, folder)
    patients = "masked" if sheets.patients is None else f"about {sheets.patients} patients"
    facts = (
        ("Cohort", patients),
        ("Outcome", sharing.outcome),
        ("Disclosure", f"{sharing.profile.name}: {sheets.masked} of {sheets.cells} counts masked"),
        ("Analysis", f"easitrace {__version__}"),
    )
    head = replace(study, facts=facts)
    page = render(made, head)
    (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
    return write_documents(page, head, formats, folder)
