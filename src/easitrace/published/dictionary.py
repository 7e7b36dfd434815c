"""The data dictionary of a reconstructed cohort: what each column is, and whether anything about it was published."""

import pandas as pd

from easitrace.published.summary import Statistics, Summary

COLUMNS = ["file", "column", "unit", "origin", "meaning"]
PUBLISHED, INVENTED = "published", "invented"
Row = tuple[str, str, str, str, str]


def dictionary(summary: Summary) -> pd.DataFrame:
    """One row per column of the CSV files.

    Returns
    -------
    DataFrame
        `file`, `column`, `unit`, `origin` ("published": its figures are those of the publication; "invented"),
        `meaning`.
    """
    return pd.DataFrame([*_visits(summary), *_patients(summary), *_events()], columns=COLUMNS)


def _visits(summary: Summary) -> list[Row]:
    outcome = summary.measure()
    rows = [
        ("visits", "patient", "", INVENTED, "identifier of a synthetic patient"),
        ("visits", "visit", "", PUBLISHED, "planned visit"),
        ("visits", "week", "weeks", PUBLISHED, "planned time since the start of treatment"),
        ("visits", "day", "days", INVENTED, "actual time since the start of treatment"),
        ("visits", "after_stop", "", INVENTED, "whether the visit took place after treatment was stopped"),
        (
            "visits",
            summary.outcome,
            "points",
            PUBLISHED,
            f"{outcome.label}, {outcome.minimum:g} to {outcome.maximum:g}",
        ),
    ]
    for name in (*summary.invented.related, *summary.invented.banded):
        scale = summary.measure(name)
        meaning = f"{scale.label}, {scale.minimum:g} to {scale.maximum:g}"
        rows.append(("visits", name, "points", INVENTED, meaning))
    return rows


def _patients(summary: Summary) -> list[Row]:
    stops = PUBLISHED if summary.stopped else INVENTED
    rows = [
        ("patients", "patient", "", INVENTED, "identifier of a synthetic patient"),
        ("patients", "stop_day", "days", INVENTED, "time from the start to the stop of treatment"),
        ("patients", "stop_reason", "", stops, "why treatment was stopped"),
        ("patients", "status", "", stops, "completed, stopped, or in follow-up (visit not due yet)"),
    ]
    rows += [("patients", k, e.unit, _origin(e), e.label) for k, e in summary.numbers.items()]
    for name, category in summary.categories.items():
        known = any(not count.assumed for count in category.levels.values())
        rows.append(("patients", name, "", PUBLISHED if known else INVENTED, category.label))
    return rows


def _origin(entry: Statistics) -> str:
    return PUBLISHED if any(not figure.assumed for figure in entry.given().values()) else INVENTED


def _events() -> list[Row]:
    return [
        ("events", "patient", "", INVENTED, "identifier of a synthetic patient"),
        ("events", "event", "", INVENTED, "adverse event"),
        ("events", "day", "days", INVENTED, "time from the start of treatment to the event"),
        ("events", "serious", "", INVENTED, "whether the event was serious"),
    ]
