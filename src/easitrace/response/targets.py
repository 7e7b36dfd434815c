"""Composite targets: what a consensus asks of several outcomes at once, and how many patients meet it.

A target holds when every one of its groups holds; a group holds when one of its components does. A component is a
response criterion. Components about instruments that the study did not record are no part of the rule; without any
component of a group the target is not assessable. Within a patient the logic is three-valued: one component that is
met decides a group, a component that is not known leaves it open, and so does a group the target.

Figures of the targets that could not be read in their source are left out, and `Target.left_out` says so.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from easitrace.cohort.cohort import Cohort, Visit
from easitrace.response.criteria import met
from easitrace.response.endpoints import endpoints
from easitrace.response.estimands import recorded_under
from easitrace.response.expression import atoms, parse_criterion

WEEKS_PER_MONTH = 52.18 / 12
WITHIN_WEEKS = 4
ASSESSED = "assessed"
STATES = ("met", "not met", "not known")


@dataclass(frozen=True)
class Group:
    """Components of which one must be met; `label` says so in words."""

    label: str
    criteria: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """A composite rule and its source; `months` is None for a target judged in the decision week."""

    label: str
    source: str
    groups: tuple[Group, ...]
    months: float | None = None
    left_out: str = ""


TREAT_TO_TARGET = "De Bruin-Weller 2021, doi 10.2340/00015555-3751"
LIMITS_RESTATED = "Wang 2025, doi 10.1007/s13555-025-01508-w"
AHEAD = "AHEAD 2024, PMID 38989857"
TARGETS = (
    Target(
        "Treat-to-target, acceptable at 3 months",
        TREAT_TO_TARGET,
        (
            Group("patient global", ("patient_global drop>=1",)),
            Group(
                "at least one domain",
                ("easi50", "scorad50", "itch_nrs drop>=3", "dlqi drop>=4", "poem drop>=4"),
            ),
        ),
        months=3,
    ),
    Target(
        "Treat-to-target, optimal at 6 months",
        f"{TREAT_TO_TARGET}, with the limits of patient global and POEM at 6 months as in {LIMITS_RESTATED}",
        (
            Group("patient global", ("patient_global<=2",)),
            Group("at least one domain", ("easi75", "easi<=7", "itch_nrs<=4", "dlqi<=5", "poem<=7")),
        ),
        months=6,
        left_out="the SCORAD domain",
    ),
    Target(
        "AHEAD minimal disease activity",
        AHEAD,
        (
            Group("an optimal clinician target", ("easi90", "viga_ad<=1", "iga<=1")),
            Group("an optimal patient target", ("itch_nrs<=1", "dlqi<=1", "poem<=2")),
        ),
        left_out="the EASI score as such",
    ),
    Target(
        "NICE, continue treatment",
        "NICE stopping rule",
        (Group("EASI", ("easi50",)), Group("DLQI", ("dlqi drop>=4",))),
    ),
)


def visit_of(cohort: Cohort, target: Target, decision_week: float) -> Visit | None:
    """The planned visit at which a target is judged: the nearest one after baseline, at most 4 weeks off; or None."""
    wanted = decision_week if target.months is None else WEEKS_PER_MONTH * target.months
    nearest = min(cohort.schedule[1:], key=lambda visit: abs(visit.week - wanted), default=None)
    return nearest if nearest and abs(nearest.week - wanted) <= WITHIN_WEEKS else None


def recorded(cohort: Cohort, group: Group) -> list[str]:
    """The components of a group whose instrument the study recorded."""
    return [criterion for criterion in group.criteria if _instrument(criterion) in cohort.measured]


def not_recorded(cohort: Cohort, target: Target) -> list[str]:
    """The instruments of a target that the study did not record, each once."""
    names = [_instrument(criterion) for group in target.groups for criterion in group.criteria]
    return [name for name in dict.fromkeys(names) if name not in cohort.measured]


def status(cohort: Cohort, target: Target, decision_week: float) -> str:
    """`ASSESSED`, or why the target cannot be assessed."""
    if visit_of(cohort, target, decision_week) is None:
        return "not assessable: no visit was planned near that time"
    absent = [group.label for group in target.groups if not recorded(cohort, group)]
    return f"not assessable: {' and '.join(absent)} was not recorded" if absent else ASSESSED


def rule(cohort: Cohort, target: Target) -> str:
    """The target as one response criterion, of the components that were recorded."""
    return " and ".join(f"({' or '.join(recorded(cohort, group))})" for group in target.groups)


def assess(
    cohort: Cohort, decision_week: float, *, estimand: str, level: float = 0.95, interval: str = "wilson"
) -> pd.DataFrame:
    """Every target with its groups and components: how many patients met it, did not, or cannot be said to.

    Returns
    -------
    DataFrame
        `target`, `kind` ("target", "group" of several components, "component"), `label`, `criterion` ("" when there
        is none), `visit`, `week`, `status`, `met`, `not_met`, `undefined` (out of reach from the baseline),
        `not_known`, which add up to the patients; `n` (`met` + `not_met`), `proportion`, `lower`, `upper`. Counts are
        missing when the row cannot be assessed.
    """
    rows = [row for target in TARGETS for row in _rows(cohort, target, decision_week)]
    table = pd.DataFrame(rows)
    wanted = list(dict.fromkeys(filter(None, table["criterion"])))
    if not wanted:
        return table
    counts = endpoints(cohort, wanted, estimand=estimand, level=level, interval=interval)
    counts = counts.assign(not_met=counts["n"] - counts["responders"], met=counts["responders"])
    counts["not_known"] = counts["left_out"] - counts["undefined"]
    whole = ["met", "not_met", "undefined", "not_known", "n"]
    columns = ["criterion", "week", *whole, "proportion", "lower", "upper"]
    return table.merge(counts[columns], on=["criterion", "week"], how="left").astype(dict.fromkeys(whole, "Int64"))


def drawn(cohort: Cohort, decision_week: float) -> Target | None:
    """The first target with a visit at its time and at least two recorded components."""
    for target in TARGETS:
        size = sum(len(recorded(cohort, group)) for group in target.groups)
        if size > 1 and visit_of(cohort, target, decision_week):
            return target
    return None


def together(cohort: Cohort, target: Target, decision_week: float, estimand: str) -> pd.DataFrame:
    """Which components are met together: every combination that occurs, and in how many patients.

    Patients of whom no component is known are left out.

    Returns
    -------
    DataFrame
        A column per component with one of `STATES`, then `patients`; frequent combinations first.
    """
    visit = visit_of(cohort, target, decision_week)
    counted = recorded_under(cohort, estimand)
    criteria = [criterion for group in target.groups for criterion in recorded(cohort, group)]
    answers = pd.DataFrame({criterion: met(counted, criterion)[visit.week] for criterion in criteria if visit})
    known = answers[answers.notna().any(axis=1)]
    states = known.apply(lambda column: column.map({True: STATES[0], False: STATES[1]}).fillna(STATES[2]))
    table: pd.DataFrame = states.groupby(criteria).size().rename("patients").reset_index()
    table["order"] = (table[criteria] == STATES[0]).sum(axis=1)
    keys = ["patients", "order", *criteria]
    table = table.sort_values(keys, ascending=[False, False, *[True] * len(criteria)], ignore_index=True)
    return table[[*criteria, "patients"]]


def _rows(cohort: Cohort, target: Target, decision_week: float) -> list[dict[str, Any]]:
    visit, verdict = visit_of(cohort, target, decision_week), status(cohort, target, decision_week)
    place = {
        "target": target.label,
        "visit": visit.label if visit else "",
        "week": visit.week if visit else float("nan"),
    }
    criterion = rule(cohort, target) if verdict == ASSESSED else ""
    rows = [{**place, "kind": "target", "label": target.label, "criterion": criterion, "status": verdict}]
    for group in target.groups if visit else ():
        parts = recorded(cohort, group)
        if len(parts) > 1:
            rows.append(
                {**place, "kind": "group", "label": group.label, "criterion": " or ".join(parts), "status": ASSESSED}
            )
        rows += [{**place, "kind": "component", "label": part, "criterion": part, "status": ASSESSED} for part in parts]
    return rows


def _instrument(criterion: str) -> str:
    return atoms(parse_criterion(criterion))[0].instrument
