"""Sentences and notes about the cohort."""

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.describe import BOOKKEEPING, labels
from easitrace.report.prose.words_of_numbers import joined, slug
from easitrace.report.tables.journal import capital
from easitrace.report.words import QUARTILE_NAMES, written_day

UNITS_OF_COLUMNS = {"age": "age, years"}


def attendance_numbers(counts: pd.DataFrame) -> dict[str, int]:
    """`n_seen_week_12`, `n_stopped_week_12`, ... for every visit and state."""
    table = counts.groupby(["visit", "state"], observed=True)["n"].sum().reset_index()
    return {f"n_{slug(row['state'])}_{slug(row['visit'])}": int(row["n"]) for row in table.to_dict("records")}


def flow_sentence(counts: pd.DataFrame) -> str:
    """The flow in words, for readers who cannot see the diagram; with `arm` that of each."""
    if "arm" in counts:
        by_arm = counts.groupby("arm", observed=True, sort=False)
        return " ".join(f"{arm}: {flow_sentence(rows.drop(columns='arm'))}" for arm, rows in by_arm)
    parts = []
    for visit, rows in counts.groupby("visit", observed=True, sort=False):
        states = ", ".join(
            f"{n} {state}{f' ({reason})' if reason else ''}"
            for state, reason, n in rows[["state", "reason", "n"]].values
        )
        parts.append(f"{visit}: {states}")
    return f"Of {int(counts.groupby('visit', observed=True)['n'].sum().iloc[0])} patients, at " + "; ".join(parts) + "."


def baseline_caption(cohort: Cohort) -> str:
    """`Characteristics at baseline, n = 25.`"""
    return f"Characteristics of the patients at baseline, n = {len(cohort.patients)}."


def baseline_note(cohort: Cohort, quartiles: str) -> str:
    """Which quartiles, and for a synthetic cohort which columns nobody published."""
    untested = ""
    if cohort.arms:
        untested = " The arms are not tested against each other at baseline, where randomised arms differ by chance."
    if cohort.dictionary.empty:
        return f"{quartile_note(quartiles)}{untested}"
    invented = cohort.dictionary[(cohort.dictionary["origin"] == "invented")]
    shown = [name for name in invented["column"] if name in (*cohort.measured, *cohort.patients.columns)]
    known = [name for name in dict.fromkeys(shown) if name not in BOOKKEEPING]
    names = joined([printed_name(name, cohort) for name in known])
    return f"{quartile_note(quartiles)}{untested} Invented, because the publication is silent: {names}."


def printed_name(name: str, cohort: Cohort) -> str:
    """An instrument by its label, a patient-level column by the data dictionary, else by its own name."""
    if name in cohort.measured:
        return cohort.instrument(name).label
    if not cohort.dictionary.empty:
        rows = cohort.dictionary[(cohort.dictionary["file"] == "patients") & (cohort.dictionary["column"] == name)]
        if len(rows):
            row = rows.iloc[0]
            return f"{row['meaning']}, {row['unit']}" if row["unit"] else str(row["meaning"])
    return UNITS_OF_COLUMNS.get(name, name.replace("_", " "))


def baseline_names(cohort: Cohort) -> dict[str, str]:
    """The rows of Table 1 by their printed names."""
    names = [*cohort.patients.columns, *cohort.measured]
    return {name: printed_name(name, cohort) for name in names} | labels(cohort)


def quartile_note(quartiles: str) -> str:
    """Which quartiles were used; definitions differ between SPSS, SAS, R and NumPy."""
    return f"Median [first\u2013third quartile], by {QUARTILE_NAMES.get(quartiles, quartiles + ' (NumPy method)')}."


def points_label(cohort: Cohort) -> str:
    """The axis label of the outcome: `EASI (0\u201372), points`."""
    outcome = cohort.instrument()
    return f"{outcome.label} ({outcome.minimum:g}\u2013{outcome.maximum:g}), points"


def bands(cohort: Cohort) -> list[tuple[str, float, float]]:
    """The severity bands of the outcome as (label, lower, upper) in points; none when the instrument has none."""
    outcome = cohort.instrument()
    if not outcome.bands:
        return []
    first = outcome.bands[0]
    cuts = [outcome.minimum, *(border for border, _ in first.borders), outcome.maximum]
    return list(zip(first.labels, cuts[:-1], cuts[1:], strict=True))


def treated_with(drug: str) -> str:
    """` treated with baricitinib`, or nothing."""
    return f" treated with {drug}" if drug else ""


def calendar_sentence(cohort: Cohort) -> str:
    """When treatment started, who was last seen when, and the data cut; "" where neither files nor parameters tell."""
    calendar, said = cohort.calendar, []
    if calendar.first_start and calendar.last_start:
        first, last = written_day(calendar.first_start), written_day(calendar.last_start)
        seen = f", and the last visit was on {written_day(calendar.last_visit)}" if calendar.last_visit else ""
        said.append(f"treatment started {f'on {first}' if first == last else f'between {first} and {last}'}{seen}")
    if calendar.cut:
        said.append(f"the data were cut on {written_day(calendar.cut)}")
    return capital("; ".join(said)) + "." if said else ""
