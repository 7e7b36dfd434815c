"""The STROBE checklist for cohort studies, item by item: what it asks for, and where this report has it.

What is asked for is said in words of our own; the wording that counts is that of von Elm and others (2007).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

AUTHORS = "for the authors to write"
METHODS = "[Methods](#section-00_summary-methods-ready-to-paste)"
LIMITATIONS = "[Limitations](#section-00_summary-limitations)"
RESULTS = "[Results](#section-00_summary-results-ready-to-paste)"
RULES = "04_response-rules"
ENDPOINTS = ("04_response-endpoints", "04_response-endpoints_by_rule")
COLUMNS = ["part", "item", "asks", "where"]
Chapters = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Item:
    """One item.

    Attributes
    ----------
    number, part, asks : str
        Its number in the checklist, the part of an article it belongs to, what it asks for.
    places : tuple of str
        Chapters and their tables and figures (`<chapter>-<name>`) that answer it; those a report lacks are left out.
    fixed : str
        A place that every report has, "" when there is none.
    authors : str
        What no data can give, "" when nothing.
    otherwise : str
        What is said when the report has no place for it.
    """

    number: str
    part: str
    asks: str
    places: tuple[str, ...] = ()
    fixed: str = ""
    authors: str = ""
    otherwise: str = "Not in this report"


FRONT, START, HOW, FOUND, MEANS, REST = (
    "Title and abstract",
    "Introduction",
    "Methods",
    "Results",
    "Discussion",
    "Other",
)
ITEMS = (
    Item("1a", FRONT, "Design named in the title or abstract", authors="title and abstract"),
    Item("1b", FRONT, "Abstract of what was done and found", fixed=f"{RESULTS}, {METHODS}", authors="abstract"),
    Item("2", START, "Background and reasons", authors="background"),
    Item("3", START, "Aims and hypotheses", authors="aims"),
    Item("4", HOW, "Design, early in the text", fixed=METHODS),
    Item("5", HOW, "Setting, places, dates", ("01_cohort",), authors="sites, and dates that no file gives"),
    Item("6a", HOW, "Who was eligible, how found and followed", ("01_cohort",), authors="eligibility and recruitment"),
    Item("6b", HOW, "Matching", fixed="Not applicable: patients were not matched"),
    Item("7", HOW, "Outcomes, exposures, confounders defined", ("04_response",), METHODS, "confounders considered"),
    Item("8", HOW, "How each variable was measured", ("06_patient_reported",), METHODS, "who scored, and how trained"),
    Item("9", HOW, "What was done about bias", ("08_sensitivity",), LIMITATIONS),
    Item("10", HOW, "How the number of patients came about", authors="study size"),
    Item("11", HOW, "Handling of numeric variables", ("02_course-spaghetti",), METHODS),
    Item("12a", HOW, "Statistical methods, control of confounding", ("03_trajectory",), METHODS),
    Item("12b", HOW, "Subgroups and interactions", ("03_trajectory-differences",), otherwise="None was analysed"),
    Item("12c", HOW, "Missing data", ("08_sensitivity", "01_cohort-missing"), METHODS),
    Item("12d", HOW, "Loss to follow-up", ("01_cohort-flow", "07_treatment-survival"), METHODS),
    Item("12e", HOW, "Sensitivity analyses", ("03_trajectory-sensitivity", RULES, "08_sensitivity-estimands")),
    Item("13a", FOUND, "Numbers at each stage", ("01_cohort-flow", "01_cohort-attendance"), "", "those not enrolled"),
    Item("13b", FOUND, "Why patients were not seen", ("01_cohort-flow", "07_treatment-reasons")),
    Item("13c", FOUND, "Flow diagram", ("01_cohort-flow",)),
    Item("14a", FOUND, "Characteristics of the patients", ("01_cohort-baseline",)),
    Item("14b", FOUND, "Missing data by variable", ("01_cohort-baseline", "01_cohort-missing")),
    Item("14c", FOUND, "Follow-up time", ("01_cohort", "07_treatment"), RESULTS),
    Item("15", FOUND, "Outcomes over time", ("02_course-course", *ENDPOINTS, "07_treatment-events")),
    Item("16a", FOUND, "Estimates with precision", ("02_course-paired", "03_trajectory-contrasts", *ENDPOINTS)),
    Item("16b", FOUND, "Borders of categories", ("02_course-spaghetti", "04_response")),
    Item("16c", FOUND, "Absolute beside relative risks", fixed="Not applicable: no relative risk is estimated"),
    Item("17", FOUND, "Other analyses", ("04_response-brier", "05_classes-number", "06_patient_reported")),
    Item("18", MEANS, "Main results against the aims", fixed="[Key results](#00_summary)"),
    Item("19", MEANS, "Limitations", fixed=LIMITATIONS),
    Item("20", MEANS, "Cautious interpretation", authors="interpretation, in the light of other studies"),
    Item("21", MEANS, "Generalisability", ("02_course-context",), authors="to whom it applies"),
    Item("22", REST, "Funding and its role", authors="funding"),
)  # fmt: skip


def checklist(chapters: Chapters) -> pd.DataFrame:
    """Every item with its place in this report.

    Parameters
    ----------
    chapters : mapping
        From `easitrace.report.summary.read_chapters`.

    Returns
    -------
    DataFrame
        `part`, `item`, `asks`, `where`: links as `[Table](#anchor)`, what is left to the authors, or that the report
        has no place for it, with the reason a skipped chapter gives.
    """
    rows = [(item.part, item.number, item.asks, _where(item, chapters)) for item in ITEMS]
    return pd.DataFrame(rows, columns=COLUMNS)


def left_to_authors() -> int:
    """How many items, or parts of items, no data can give."""
    return sum(bool(item.authors) for item in ITEMS)


def _where(item: Item, chapters: Chapters) -> str:
    places = [item.fixed, *(_link(place, chapters) for place in item.places)]
    here = ", ".join(dict.fromkeys(filter(None, places)))
    absent = "; ".join(dict.fromkeys(_absent(item, chapters)))
    authors = f"{AUTHORS}: {item.authors}" if item.authors else ""
    found = "; ".join(filter(None, [here or absent, authors])) or item.otherwise
    return found[0].upper() + found[1:]


def _link(place: str, chapters: Chapters) -> str:
    """A link to a chapter, or to one of its tables and figures; "" when the report lacks it."""
    name, _, inside = place.partition("-")
    chapter = chapters.get(name, {})
    if chapter.get("status") != "complete":
        return ""
    if not inside:
        return f"[{chapter['title']}](#{name})"
    kinds = {"Table": chapter["tables"], "Figure": chapter["figures"]}
    kind = next((kind for kind, shown in kinds.items() if any(one["name"] == inside for one in shown)), "")
    return f"[{kind}](#{place})" if kind else ""


def _absent(item: Item, chapters: Chapters) -> Iterator[str]:
    """Why a skipped chapter that would have answered an item is not there."""
    for place in item.places:
        chapter = chapters.get(place.partition("-")[0], {})
        if chapter.get("status") == "skipped":
            yield f"Not in this report: {chapter['reason']}"
