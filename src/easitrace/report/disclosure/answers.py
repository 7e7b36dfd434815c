"""The questions a reader has first, answered from told tables alone; what is masked is said to be masked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from easitrace.cohort.arms import EVERYBODY
from easitrace.report.disclosure.derive import MASKED
from easitrace.report.disclosure.display import printed_p
from easitrace.report.disclosure.entry import ARM, REFERENCE
from easitrace.report.disclosure.registry import (
    ARM_ESTIMANDS,
    CONTRASTS,
    DIFFERENCES,
    ESTIMANDS,
    FLOW,
    RESPONDERS_BY_ARM,
    RESPONDERS_BY_RULE,
)
from easitrace.report.prose.results import MODELLED
from easitrace.report.prose.words_of_numbers import joined
from easitrace.report.style import Style

COURSE, PAIRED, RESPONDERS = "02_course_course", "02_course_paired", "04_response_endpoints"
TOO_FEW = "masked, too few patients"
STATES = {"seen": "were seen", "stopped": "had stopped treatment", "in_follow_up": "were still in follow-up"}
Frames = Mapping[str, pd.DataFrame]
Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Asked:
    """What a report is about: outcome and criterion in words, scale, visits with the one of the decision, level."""

    outcome: str
    criterion: str
    scale: str
    visits: tuple[str, ...]
    decided: str
    level: float

    @property
    def first(self) -> str:
        """The baseline visit."""
        return self.visits[0]


def answers(tables: Frames, patients: int | None, asked: Asked, style: Style) -> pd.DataFrame:
    """Question and answer: `question`, `answer`; questions that no table answers are left out.

    Parameters
    ----------
    tables : mapping of DataFrame
        As `told_table` gives them, criteria in words.
    patients : int or None
        Size of the cohort as it is told.
    asked : Asked
        What the report is about.
    style : Style
        How numbers are printed.
    """
    by_arm = DIFFERENCES in tables
    rows = {
        "Who?": _who(tables, asked, style),
        "How many?": _how_many(tables, patients, asked),
        "How long?": [f"Planned visits at {joined(asked.visits)}"],
        "What changed?": _what_changed(tables, asked, style),
        "How do the arms differ?" if by_arm else "And in the model?": _modelled(tables, asked, style),
        "How sure?": _how_sure(tables, by_arm),
        "Who responded?": _who_responded(tables, asked, style),
    }
    texts = [(question, "; ".join(parts)) for question, found in rows.items() if (parts := list(found))]
    return pd.DataFrame(texts, columns=["question", "answer"])


def _rows(tables: Frames, called: str, **labels: str) -> list[dict[Any, Any]]:
    """The rows of a table with these labels; none when the report lacks it."""
    table = tables.get(called, pd.DataFrame())
    for label, value in labels.items():
        table = table[table[label] == value] if label in table else table
    return table.to_dict("records")


def _of_arm(row: Row) -> str:
    return f" in the {row[ARM]} arm" if row.get(ARM, EVERYBODY) != EVERYBODY else ""


def _told(row: Row, *names: str) -> bool:
    return all(row[name] != MASKED and pd.notna(row[name]) for name in names)


def _interval(row: Row, asked: Asked, style: Style) -> str:
    p = printed_p(row["p"], style)
    said = f"; P {p if p.startswith('<') else f'= {p}'}" if p else ""
    return f"{asked.level:.0%} CI {style.interval(row['lower'], row['upper'])}{said}"


def _who(tables: Frames, asked: Asked, style: Style) -> Iterator[str]:
    before = f"Median {asked.outcome} at {asked.first} "
    for row in _rows(tables, COURSE, visit=asked.first):
        if _told(row, "median"):
            quartiles = f" (quartiles {style.range(row['q1'], row['q3'])})" if _told(row, "q1", "q3") else ""
            yield f"{before}{style.number(row['median'])}{quartiles}{_of_arm(row)}"
            before = ""


def _how_many(tables: Frames, patients: int | None, asked: Asked) -> Iterator[str]:
    yield "So few patients that their number is masked" if patients is None else f"About {patients} patients"
    for row in _rows(tables, FLOW, visit=asked.decided):
        told = [f"{row[name]:g} {words}" for name, words in STATES.items() if _told(row, name) and row[name]]
        if told:
            yield f"at {asked.decided} about {joined(told)}"


def _what_changed(tables: Frames, asked: Asked, style: Style) -> Iterator[str]:
    before = f"From {asked.first} to {asked.decided}, {asked.outcome} changed "
    for row in _rows(tables, PAIRED, name=f"{asked.decided} v {asked.first}"):
        said = f"({TOO_FEW})"
        if _told(row, "n_pairs", "shift", "lower", "upper"):
            interval = _interval(row, asked, style)
            said = f"by {style.number(row['shift'])} points ({interval}; about {row['n_pairs']:g} pairs)"
        yield f"{before}{said}{_of_arm(row)}"
        before = ""


def _modelled(tables: Frames, asked: Asked, style: Style) -> Iterator[str]:
    """The difference between arms of the trajectory model, or without arms its change."""
    noun, unit = MODELLED[asked.scale]
    modelled = noun.format(asked.outcome)
    rows = (
        _rows(tables, DIFFERENCES, visit=asked.decided)
        or [row for row in _rows(tables, CONTRASTS) if str(row["name"]).startswith(f"{asked.decided} v ")][:1]
    )
    for row in rows:
        said = f"({TOO_FEW})"
        if _told(row, "estimate", "lower", "upper"):
            said = f"by {style.number(row['estimate'])}{unit} ({_interval(row, asked, style)})"
        if REFERENCE in row:
            yield f"At {asked.decided}, {modelled} in the {row[ARM]} arm differed from the {row[REFERENCE]} arm {said}"
        else:
            yield f"From {asked.first} to {asked.decided}, {modelled} changed {said} in the mixed model of all patients"


def _how_sure(tables: Frames, by_arm: bool) -> Iterator[str]:
    name, what, value = (ARM_ESTIMANDS, "difference", "") if by_arm else (ESTIMANDS, "change", "change_")
    limits = {(row[f"{value}lower"], row[f"{value}upper"]) for row in _rows(tables, name)}
    told = [pair for pair in limits if MASKED not in pair and not pd.isna(pair[0])]
    if told:
        without = sum(lower > 0 or upper < 0 for lower, upper in told)
        yield (
            f"The interval of the {what} excludes zero in {without} of {len(told)} different results by estimand and "
            "missing-data rule"
        )


def _who_responded(tables: Frames, asked: Asked, style: Style) -> Iterator[str]:
    at = {"criterion": asked.criterion, "visit": asked.decided}
    before = f"{asked.criterion} was met at {asked.decided} by "
    for place, row in enumerate(_rows(tables, RESPONDERS_BY_ARM, **at)):
        if place == 0:
            yield f"{before}{_share(row, 'reference_', style)} in the {row[REFERENCE]} arm"
        yield f"by {_share(row, '', style)} in the {row[ARM]} arm"
    if RESPONDERS_BY_ARM not in tables:
        name = RESPONDERS if RESPONDERS in tables else RESPONDERS_BY_RULE
        yield from [f"{before}{_share(row, '', style)}" for row in _rows(tables, name, **at)]


def _share(row: Row, whose: str, style: Style) -> str:
    if not _told(row, f"{whose}responders", f"{whose}n") or not row[f"{whose}n"]:
        return f"({TOO_FEW})"
    k, n = (float(row[f"{whose}{name}"]) for name in ("responders", "n"))
    return f"about {k:g} of {n:g} ({style.percent(k / n)})"
