"""Attendance adds up; characteristics count what is known and what is missing."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from easitrace.cohort import describe
from easitrace.cohort.cohort import Cohort, Visit
from easitrace.errors import Problem
from easitrace.instruments import declare_instrument

SCHEDULE = (Visit("baseline", 0), Visit("week 4", 4), Visit("week 12", 12))


def cohort() -> Cohort:
    """Seven patients, one for each way of (not) being seen at week 12."""
    nan = np.nan
    rows = {
        "A": (20.0, 10.0, 5.0, "completed", nan, None),
        "B": (20.0, 10.0, nan, "stopped", 6.0, "inefficacy"),
        "C": (20.0, nan, nan, "stopped", 3.0, "side effects"),
        "D": (20.0, 10.0, nan, "in follow-up", nan, None),
        "E": (20.0, nan, 5.0, "completed", nan, None),
        "F": (20.0, 10.0, nan, "stopped", 13.0, "other"),
        "G": (20.0, 10.0, nan, "stopped", nan, "inefficacy"),
    }
    visits = pd.DataFrame(
        [
            (patient, visit.label, float(visit.week), 7.0 * visit.week + 1, False, scores[place], 3.0)
            for patient, scores in rows.items()
            for place, visit in enumerate(SCHEDULE)
        ],
        columns=["patient", "visit", "week", "day", "after_stop", "easi", "poem"],
    )
    visits["visit"] = pd.Categorical(visits["visit"], [v.label for v in SCHEDULE], ordered=True)
    patients = pd.DataFrame(
        [(patient, 7 * row[4], row[4], row[5], row[3]) for patient, row in rows.items()],
        columns=["patient", "stop_day", "stop_week", "stop_reason", "status"],
    ).assign(
        age=[30.0, 40.0, np.nan, 25.0, 35.0, 61.0, 20.0], sex=["female", "male", "male", None, "male", "male", "male"]
    )
    return Cohort(visits, patients, SCHEDULE, "easi", pd.DataFrame(), pd.DataFrame())


@pytest.mark.parametrize(
    ("patient", "states"),
    [
        ("A", ["seen", "seen", "seen"]),
        ("B", ["seen", "seen", "stopped"]),
        ("C", ["seen", "stopped", "stopped"]),
        ("D", ["seen", "seen", "in follow-up"]),
        ("E", ["seen", "missed", "seen"]),
        ("F", ["seen", "seen", "missed"]),
        ("G", ["seen", "seen", "stopped"]),
    ],
)
def test_state_at_each_visit(patient: str, states: list[str]) -> None:
    table = describe.attendance(cohort())
    assert table.loc[table["patient"] == patient, "state"].tolist() == states


def test_every_visit_adds_up_to_the_cohort() -> None:
    counts = describe.attendance_counts(cohort())
    assert counts.groupby("visit", observed=True)["n"].sum().tolist() == [7, 7, 7]
    at_end = counts[counts["visit"] == "week 12"].set_index(["state", "reason"])["n"].to_dict()
    assert at_end[("stopped", "inefficacy")] == 2 and at_end[("stopped", "side effects")] == 1


def test_follow_up_ends_with_the_last_recorded_outcome() -> None:
    weeks = describe.follow_up_weeks(cohort())
    assert weeks["A"] == pytest.approx(85 / 7) and weeks["C"] == pytest.approx(1 / 7)


def test_characteristics_count_known_and_missing() -> None:
    table = describe.characteristics(cohort())
    age = table[table["variable"] == "age"].iloc[0]
    assert (age["n"], age["missing"], age["median"]) == (6, 1, 32.5)
    sex = table[table["variable"] == "sex"].set_index("level")
    assert (sex.loc["male", "count"], sex.loc["male", "n"], sex.loc["male", "missing"]) == (5, 6, 1)
    assert set(table["variable"]) == {"age", "sex", "easi", "poem"}


def test_quartile_definition_matters() -> None:
    ages = [20.0, 25.0, 30.0, 35.0, 40.0, 61.0]
    for method in ("linear", "weibull"):
        row = describe.characteristics(cohort(), method).iloc[0]
        assert row["q1"] == np.quantile(ages, 0.25, method=method)


def test_missing_scores_are_counted_among_those_seen() -> None:
    table = describe.missing_counts(cohort()).set_index(["instrument", "week"])
    assert table.loc[("easi", 12.0), ["seen", "recorded", "missing"]].tolist() == [7, 2, 5]


def test_patients_without_a_baseline_are_those_of_the_flow() -> None:
    flow = pd.DataFrame(
        [("patients read", 9, ""), ("patients without a baseline score", 2, ""), ("patients analysed", 7, "")],
        columns=["step", "n", "detail"],
    )
    assert describe.patients_without_baseline(replace(cohort(), flow=flow)) == 2
    assert describe.patients_without_baseline(replace(cohort(), flow=flow.drop(index=1))) == 0


def test_labels_give_the_range_in_points() -> None:
    assert describe.labels(cohort()) == {"easi": "EASI (0–72)", "poem": "POEM (0–28)"}
    hand = declare_instrument(
        {"name": "hand", "label": "Hand", "minimum": 1, "maximum": 9.5, "grid": 0.5, "better": "lower"}
    )
    odd = replace(cohort(), visits=cohort().visits.rename(columns={"easi": "hand"}), outcome="hand", declared=hand)
    assert describe.labels(odd)["hand"] == "Hand (1–9.5)"


def test_the_log_is_a_table_of_codes_places_and_words() -> None:
    log = (Problem("F206", "x.csv", "1 blank row left out", "never mind"), Problem("W201", "x.csv row 3", "off"))
    assert describe.log_frame(replace(cohort(), log=log)).to_numpy().tolist() == [
        ["F206", "x.csv", "1 blank row left out"], ["W201", "x.csv row 3", "off"]
    ]  # fmt: skip
    assert describe.log_frame(cohort()).columns.tolist() == ["code", "where", "what"]
