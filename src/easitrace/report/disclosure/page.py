"""The report for others: chapters made of told tables alone, laid out as the report itself is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from easitrace.report.disclosure import drawings
from easitrace.report.disclosure.answers import COURSE, Asked, answers
from easitrace.report.disclosure.derive import MASKED
from easitrace.report.disclosure.display import in_words, printed, worded
from easitrace.report.disclosure.drawings import told_rows
from easitrace.report.disclosure.entry import ARM, Entry
from easitrace.report.disclosure.profiles import BASE, Profile
from easitrace.report.disclosure.registry import (
    ARM_ESTIMANDS,
    CONTRASTS,
    DIFFERENCES,
    ESTIMANDS,
    MEANS,
    RESPONDERS_BY_RULE,
    RULES,
    SHAREABLE,
    TREATMENT_COURSE,
)
from easitrace.report.disclosure.shared_chapter import SharedChapter
from easitrace.report.disclosure.sheets import Sheets
from easitrace.report.execute import Ran
from easitrace.report.figures import change_forest, responder_shares
from easitrace.report.tables import key_table
from easitrace.report.words import ARM_DIFFERENCE_NOTES, DIFFERENCE_NOTES, SCALE_NOTES

TITLES = {
    "01_cohort": "The cohort",
    "02_course": "The observed course",
    "03_trajectory": "The estimated course",
    "04_response": "Response",
    "06_patient_reported": "Patient-reported outcomes",
    "07_treatment": "Treatment course",
    "08_sensitivity": "Sensitivity to estimand and missing data",
}
NOTE = f"{MASKED}: masked. Counts are rounded to {BASE}."
IMPUTED_NOTE = (
    "Responders are the expected number over the imputations, rounded like a count; an interval is left out, because "
    "that of the rounded number would be too narrow."
)
SCALED = {
    CONTRASTS: DIFFERENCE_NOTES,
    MEANS: SCALE_NOTES,
    ESTIMANDS: SCALE_NOTES,
    **dict.fromkeys((DIFFERENCES, ARM_ESTIMANDS), ARM_DIFFERENCE_NOTES),
}
LIMITS = ["lower", "upper"]


@dataclass(frozen=True)
class Names:
    """What a report calls things: outcome, model's scale, confidence level, numbers' style, criteria; what was done.

    `judged` are the criterion, as written, and the week of the decision.
    """

    outcome: str
    scale: str
    level: float
    style: dict[str, Any]
    criterion: Callable[[str], str] = str
    methods: str = ""
    judged: tuple[str, float] | None = None


def chapters(sheets: Sheets, profile: Profile, names: Names, folder: Path) -> list[Ran]:
    """Write tables, figures and numbers of the shared chapters; what they show is for the page.

    Parameters
    ----------
    sheets : Sheets
        The told tables.
    profile : Profile
        How counts are told.
    names : Names
        Words and style of the report.
    folder : Path
        Where `tables/`, `figures/` and `results/` go.
    """
    made = [*_key_results(sheets, names, folder), _about(sheets, profile, names, folder)]
    shown = [entry for entry in SHAREABLE if len(sheets.tables.get(entry.table, ()))]
    for name, title in TITLES.items():
        own = [entry for entry in shown if entry.table.startswith(name)]
        if own:
            chapter = SharedChapter(name, title, output=folder, style=names.style)
            for entry in own:
                _show(chapter, entry, sheets.tables[entry.table], names)
            made.append(chapter.finished())
    return made


def _key_results(sheets: Sheets, names: Names, folder: Path) -> Iterator[Ran]:
    """The reader's questions and their answers; nothing when the week of the decision is no visit of the report."""
    visits = sheets.tables.get(COURSE, pd.DataFrame(columns=["visit", "week"])).drop_duplicates("week")
    weeks = dict(zip(visits["week"], visits["visit"], strict=True))
    if names.judged and names.judged[1] in weeks:
        chapter = SharedChapter("00_key", "Key results", output=folder, style=names.style)
        in_words = names.criterion(names.judged[0])
        visit = weeks[names.judged[1]]
        asked = Asked(names.outcome, in_words, names.scale, tuple(weeks.values()), visit, names.level)
        tables = {name: worded(table, names.criterion) for name, table in sheets.tables.items()}
        found = answers(tables, sheets.patients, asked, chapter.style)
        caption, note = "Questions and answers, from rounded counts.", f"{NOTE} Percentages are of rounded counts."
        chapter.table(key_table(found), found, name="answers", caption=caption, note=note)
        yield chapter.finished()


def _about(sheets: Sheets, profile: Profile, names: Names, folder: Path) -> Ran:
    """What this report leaves out, and how its numbers are to be read."""
    chapter = SharedChapter("00_about", "What this report tells", output=folder, style=names.style)
    chapter.say(
        "This report may be passed on under the disclosure profile {profile}. Counts below {threshold:d} are masked "
        f"({MASKED}), and so are zeros that would say something about everybody; all other counts are rounded to "
        "multiples of {base:d}. Where a masked count could be found from totals, these and all their parts "
        "are masked as well. {masked:d} of {cells:d} counts are masked.",
        profile=profile.name,
        threshold=profile.least,
        base=BASE,
        masked=sheets.masked,
        cells=sheets.cells,
    )
    chapter.say(
        "Percentages and their intervals are computed from the rounded counts; with few patients they differ from "
        "those of the patients themselves by several points. A median is given when at least {median:d} patients "
        "have the value, quartiles when at least {quartiles:d} have it; medians, quartiles and estimates are rounded "
        "to two significant digits and those of scores no finer than half a point, P values to two decimals. No "
        "smallest or largest value, no single patient and no day is shown.",
        median=2 * profile.threshold,
        quartiles=4 * profile.threshold,
    )
    if names.methods:
        chapter.say("{methods}", methods=names.methods)
    _say_left_out(chapter, sheets)
    return chapter.finished()


def _say_left_out(chapter: SharedChapter, sheets: Sheets) -> None:
    if sheets.patients is None:
        chapter.say("There are so few patients that their number is masked.")
    else:
        chapter.say("The cohort has about {patients:d} patients.", patients=sheets.patients)
    if sheets.left_out:
        chapter.say(
            "{n_left_out:d} tables of the full report are left out: {left_out}.",
            n_left_out=len(sheets.left_out),
            left_out=", ".join(name.partition("_")[2].replace("_", " ") for name in sheets.left_out),
        )
    if len(sheets.tables.get(TREATMENT_COURSE, [0])) == 0:
        chapter.say("Too few patients stopped treatment for a curve of those still on it.")


def _show(chapter: SharedChapter, entry: Entry, table: pd.DataFrame, names: Names) -> None:
    """A told table, and the figure that goes with it."""
    name = entry.table.removeprefix(f"{chapter.name}_")
    named = worded(table, names.criterion)
    display = printed(named, entry, chapter.style, names.level)
    note = f"{NOTE}{_scale_note(entry, names)}{_rule_note(table)}"
    chapter.table(display, table, name=name, caption=entry.caption, note=note)
    if entry.table in DRAWN:
        DRAWN[entry.table](chapter, _arm_in(named, entry.labels[0]), names)


def _scale_note(entry: Entry, names: Names) -> str:
    notes = SCALED.get(entry.table, {})
    return f" {notes[names.scale]}" if notes else ""


def _rule_note(table: pd.DataFrame) -> str:
    imputed = "responders" in table and table["lower"].isna().all()
    return f" {IMPUTED_NOTE}" if imputed else ""


def _arm_in(table: pd.DataFrame, label: str) -> pd.DataFrame:
    """The table with the arm in its rows' names, when it is by arm."""
    if ARM not in table:
        return table
    return table.assign(**{label: [f"{arm}, {own}" for arm, own in table[[ARM, label]].itertuples(index=False)]})


def _course(chapter: SharedChapter, table: pd.DataFrame, names: Names) -> None:
    if len(told_rows(table, ["n", "median"])):
        chapter.figure(
            drawings.medians(table, f"Median {names.outcome}", chapter.style),
            name="medians",
            caption=f"Median {names.outcome} by visit, with quartiles where these are told.",
            alt=f"Median {names.outcome}: {in_words(table, 'visit', 'median', chapter.style)}.",
        )


def _means(chapter: SharedChapter, table: pd.DataFrame, names: Names) -> None:
    if len(told_rows(table, ["n", "mean", *LIMITS])):
        chapter.figure(
            drawings.means(table, f"Estimated mean {names.outcome}", chapter.style),
            name="means",
            caption=f"Estimated mean {names.outcome} by visit with {names.level:.0%} intervals.",
            alt=f"Estimated mean {names.outcome}: {in_words(table, 'visit', 'mean', chapter.style)}.",
        )


def _changes(chapter: SharedChapter, table: pd.DataFrame, names: Names) -> None:
    rows = told_rows(table, ["n_pairs", "shift", *LIMITS]).rename(columns={"n_pairs": "n", "shift": "estimate"})
    if len(rows):
        chapter.figure(
            change_forest(
                rows.astype({"n": int}).drop(columns=ARM, errors="ignore"),
                f"Shift in {names.outcome}, points",
                chapter.style,
            ),
            name="changes",
            caption=f"Paired shifts of {names.outcome} between visits with {names.level:.0%} intervals.",
            alt=f"Shift: {in_words(table, 'name', 'shift', chapter.style)}.",
        )


def _responders(chapter: SharedChapter, table: pd.DataFrame, names: Names) -> None:
    rows = told_rows(table, ["week", "responders", "n", "proportion", *LIMITS])
    if len(rows):
        said = rows.assign(at=rows["criterion"] + " at " + rows["visit"])
        chapter.figure(
            responder_shares(rows.astype({"responders": int, "n": int})),
            name="shares",
            caption=f"Responders by criterion and visit, rounded, with {names.level:.0%} intervals.",
            alt=f"Responders, %: {in_words(said, 'at', 'proportion', chapter.style, 100, 0)}.",
        )


def _rules(chapter: SharedChapter, table: pd.DataFrame, names: Names) -> None:
    rows = told_rows(table, ["count"])[lambda told: told["count"] > 0]
    if len(rows):
        said = rows.assign(at=rows["class"] + " by " + rows["rule"])
        chapter.figure(
            drawings.classes_by_rule(table),
            name="classes_by_rule",
            caption="Patients in each class by rule, rounded; masked classes are not drawn.",
            alt=f"Patients: {in_words(said, 'at', 'count', chapter.style, 1, 0)}.",
        )


def _treatment(chapter: SharedChapter, table: pd.DataFrame, names: Names) -> None:
    if len(told_rows(table, ["survival"])):
        arms = table[ARM] + " " if ARM in table else ""
        said = table.assign(at=arms + "week " + table["to_week"].map("{:g}".format))
        chapter.figure(
            drawings.still_on_treatment(table),
            name="survival",
            caption="Still on treatment (life table over groups of weeks, rounded counts).",
            alt=f"Still on treatment, %: {in_words(said, 'at', 'survival', chapter.style, 100, 0)}.",
        )


DRAWN: dict[str, Callable[[SharedChapter, pd.DataFrame, Names], None]] = {
    "02_course_course": _course,
    "02_course_paired": _changes,
    MEANS: _means,
    "04_response_endpoints": _responders,
    RESPONDERS_BY_RULE: _responders,
    RULES: _rules,
    TREATMENT_COURSE: _treatment,
}
