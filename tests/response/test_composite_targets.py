"""Composite targets: three-valued logic worked out by hand."""

from typing import Any

import pandas as pd
import pytest
from small_cohorts import cohort_of

from easitrace.cohort.builtin import load_builtin
from easitrace.cohort.cohort import Cohort
from easitrace.response import targets

WEEKS = (0.0, 4.0, 12.0)
COUNTS = ["met", "not_met", "undefined", "not_known"]


def patient(**scores: tuple[float | None, float | None]) -> dict[str, Any]:
    """Baseline and week 12 of every instrument; week 4 is not recorded."""
    return {name: (first, None, last) for name, (first, last) in scores.items()}


# Minimal disease activity = EASI-90 and (itch <= 1 or DLQI <= 1); "?" is a missing score.
#     EASI-90  itch  DLQI   target
# A   yes      yes   ?      met: one component decides the group
# B   yes      no    no     not met
# C   yes      no    ?      not known
# D   no       ?     ?      not met: one group decides the target
# E   ?        yes   no     not known
# F   ?        no    no     not met
# G   ?        ?     ?      not known
AHEAD = cohort_of(
    {
        "A": patient(easi=(20, 2), itch_nrs=(8, 1), dlqi=(10, None)),
        "B": patient(easi=(20, 2), itch_nrs=(8, 5), dlqi=(10, 6)),
        "C": patient(easi=(20, 2), itch_nrs=(8, 5), dlqi=(10, None)),
        "D": patient(easi=(20, 10), itch_nrs=(8, None), dlqi=(10, None)),
        "E": patient(easi=(20, None), itch_nrs=(8, 1), dlqi=(10, 6)),
        "F": patient(easi=(20, None), itch_nrs=(8, 5), dlqi=(10, 6)),
        "G": patient(easi=(20, None), itch_nrs=(8, None), dlqi=(10, None)),
    },
    weeks=WEEKS,
)
# Acceptable target = patient global a step better and EASI-50.
#     global     EASI-50   target
# A   yes        yes       met
# B   no         yes       not met
# C   ?          yes       not known
# D   yes        no        not met
# E   ?          no        not met
# F   no room    yes       out of reach: the patient starts at the best patient global
TREAT = cohort_of(
    {
        "A": patient(patient_global=(3, 2), easi=(20, 10)),
        "B": patient(patient_global=(3, 3), easi=(20, 2)),
        "C": patient(patient_global=(3, None), easi=(20, 2)),
        "D": patient(patient_global=(3, 1), easi=(20, 15)),
        "E": patient(patient_global=(3, None), easi=(20, 15)),
        "F": patient(patient_global=(0, 0), easi=(20, 2)),
    },
    weeks=WEEKS,
    outcome="patient_global",
)
# Optimal target = patient global <= 2 and one of EASI-75, EASI <= 7, itch <= 4, DLQI <= 5, POEM <= 7.
#     global     a domain          target
# A   yes        only POEM         met
# B   yes        none              not met
# C   yes        none, POEM ?      not known
# D   no         POEM              not met
# E   yes        only EASI <= 7    met
OPTIMAL = cohort_of(
    {
        "A": patient(easi=(40, 20), poem=(20, 7), patient_global=(4, 2)),
        "B": patient(easi=(40, 20), poem=(20, 8), patient_global=(4, 2)),
        "C": patient(easi=(40, 20), poem=(20, None), patient_global=(4, 2)),
        "D": patient(easi=(40, 20), poem=(20, 7), patient_global=(4, 3)),
        "E": patient(easi=(10, 7), poem=(20, 8), patient_global=(4, 0)),
    },
    weeks=(0.0, 4.0, 26.0),
)


def whole(cohort: Cohort, start: str, **options: Any) -> pd.Series:  # type: ignore[type-arg]
    table = targets.assess(cohort, 12, estimand="treatment-policy", **options)
    return table[(table["kind"] == "target") & table["target"].str.startswith(start)].iloc[0]


@pytest.mark.parametrize(
    ("cohort", "start", "counts"),
    [
        (AHEAD, "AHEAD", [1, 3, 0, 3]),
        (TREAT, "Treat-to-target, acceptable", [1, 3, 1, 1]),
        (OPTIMAL, "Treat-to-target, optimal", [2, 2, 0, 1]),
    ],
    ids=["AHEAD", "treat-to-target, 3 months", "treat-to-target, 6 months"],
)
def test_a_target_is_met_not_met_or_not_known(cohort: Cohort, start: str, counts: list[int]) -> None:
    row = whole(cohort, start)
    assert row["status"] == targets.ASSESSED
    assert row[COUNTS].tolist() == counts
    assert row["n"] == counts[0] + counts[1]


def test_every_row_adds_up_to_the_patients() -> None:
    table = targets.assess(load_builtin("baricitinib"), 12, estimand="while-on-treatment")
    known = table[table["status"] == targets.ASSESSED]
    assert len(known) > 10 and (known[COUNTS].sum(axis=1) == 25).all()


def test_without_patient_global_the_components_are_still_shown() -> None:
    table = targets.assess(load_builtin("baricitinib"), 12, estimand="while-on-treatment")
    first = table[table["target"] == targets.TARGETS[0].label]
    assert first["status"].iloc[0] == "not assessable: patient global was not recorded"
    assert first["criterion"].tolist()[2:] == ["easi50", "itch_nrs drop>=3", "dlqi drop>=4", "poem drop>=4"]
    assert (first["status"].iloc[1:] == targets.ASSESSED).all() and first["met"].isna().tolist()[0]


def test_a_target_without_a_visit_near_its_time_is_not_assessable() -> None:
    assert "no visit" in whole(AHEAD, "Treat-to-target, optimal")["status"]


@pytest.mark.parametrize(("week", "near"), [(8, False), (10, True), (16, True), (18, False)])
def test_three_months_is_the_nearest_visit_within_four_weeks(week: float, near: bool) -> None:
    cohort = cohort_of({"A": patient(easi=(20, 10))}, weeks=(0, 4, week))
    visit = targets.visit_of(cohort, targets.TARGETS[0], 12)
    assert (visit.week if visit else None) == (week if near else None)


def test_which_components_are_met_together() -> None:
    """G, of whom nothing is known, is left out."""
    target = targets.TARGETS[2]
    table = targets.together(AHEAD, target, 12, "treatment-policy")
    states = {tuple(row[:-1]): row[-1] for row in table.to_numpy().tolist()}
    assert list(table.columns) == ["easi90", "itch_nrs<=1", "dlqi<=1", "patients"]
    assert states == {
        ("met", "met", "not known"): 1,
        ("met", "not met", "not met"): 1,
        ("met", "not met", "not known"): 1,
        ("not met", "not known", "not known"): 1,
        ("not known", "met", "not met"): 1,
        ("not known", "not met", "not met"): 1,
    }
    assert table.iloc[0, :-1].tolist() == ["met", "met", "not known"]


def test_only_figures_that_were_verified_are_in_the_rules() -> None:
    criteria = {criterion for target in targets.TARGETS for group in target.groups for criterion in group.criteria}
    assert not criteria & {"scorad75", "scorad<=24", "easi<=3"}


def test_what_was_not_recorded_is_listed() -> None:
    assert targets.not_recorded(load_builtin("baricitinib"), targets.TARGETS[0]) == ["patient_global", "scorad"]


@pytest.mark.parametrize(("decision_week", "label"), [(60, "AHEAD"), (40, "")])
def test_no_target_is_drawn_without_a_visit(decision_week: float, label: str) -> None:
    cohort = cohort_of({"A": patient(easi=(20, 10), dlqi=(9, 2))}, weeks=(0, 1, 60))
    target = targets.drawn(cohort, decision_week)
    assert (target.label if target else "").split(" ")[0] == label
