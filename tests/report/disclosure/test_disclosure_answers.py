"""The first table of the report for others: questions answered from told cells, and nothing of masked ones."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pytest

from easitrace.report.disclosure.answers import Asked, answers
from easitrace.report.disclosure.display import printed_p
from easitrace.report.style import Style

ASKED = Asked("EASI", "EASI-50", "log1p", ("start", "week 4", "week 12"), "week 12", 0.95)
COURSE = {
    "visit": ["start", "week 12"],
    "week": [0, 12],
    "median": [13.0, 9.5],
    "q1": [9.5, "[c]"],
    "q3": [19.0, "[c]"],
}
PAIRED = {"name": ["week 4 v start", "week 12 v start"], "n_pairs": [25, 20], "shift": [-5.8, -4.0], "lower": -7.0,
          "upper": -1.0, "p": [0.03, "<0.01"]}  # fmt: skip
CONTRASTS = {"name": ["week 4 v baseline", "week 12 v baseline", "week 12 v week 4"], "estimate": [-41.0, -32.0, 17.0],
             "lower": -48.0, "upper": -10.0, "p": [0.02, 0.01, 0.29]}  # fmt: skip
ENDPOINTS = {"criterion": ["EASI-50", "EASI-75"], "visit": "week 12", "responders": [5, 10], "n": 20}
ESTIMANDS = {"estimand": ["a", "b", "c", "d"], "missing": "observed", "change_lower": [-48, -48, -43, -9],
             "change_upper": [-10, -10, -11, 2]}  # fmt: skip
FLOW = {"visit": ["start", "week 12"], "seen": [25, 20], "stopped": ["[c]", 5], "in_follow_up": [0, 0]}
TABLES: Mapping[str, Mapping[str, Any]] = {
    "02_course_course": COURSE,
    "02_course_paired": PAIRED,
    "03_trajectory_contrasts": CONTRASTS,
    "04_response_endpoints": ENDPOINTS,
    "08_sensitivity_estimands": ESTIMANDS,
    "01_cohort_flow": FLOW,
}
BY_ARM: Mapping[str, Mapping[str, Any]] = {
    "02_course_course": COURSE | {"arm": "low", "visit": "start"},
    "02_course_paired": PAIRED | {"arm": ["low", "high"], "name": "week 12 v start"},
    "03_trajectory_differences": {"arm": ["high"], "reference": "low", "visit": "week 12", "estimate": -16.0,
                                  "lower": -30.0, "upper": 2.0, "p": 0.08},
    "04_response_endpoints_by_arm": {"arm": ["high"], "reference": "low", "criterion": "EASI-50", "visit": "week 12",
                                     "responders": 35, "n": 40, "reference_responders": "[c]", "reference_n": 45},
}  # fmt: skip


def answered(tables: Mapping[str, Mapping[str, Any]], patients: int | None = 25, **changes: Any) -> dict[str, str]:
    frames = {name: pd.DataFrame({**columns, **changes.get(name[3:], {})}) for name, columns in tables.items()}
    found = answers(frames, patients, ASKED, Style())
    return dict(found.itertuples(index=False, name=None))


def test_every_question_has_its_told_answer() -> None:
    assert answered(TABLES) == {
        "Who?": "Median EASI at start 13.0 (quartiles 9.5\u201319.0)",
        "How many?": "About 25 patients; at week 12 about 20 were seen and 5 had stopped treatment",
        "How long?": "Planned visits at start, week 4 and week 12",
        "What changed?": "From start to week 12, EASI changed by \u22124.0 points (95% CI \u22127.0 to \u22121.0; "
        "P < .01; about 20 pairs)",
        "And in the model?": "From start to week 12, 1 + EASI changed by \u221232.0% (95% CI \u221248.0 to \u221210.0; "
        "P = .01) in the mixed model of all patients",
        "How sure?": "The interval of the change excludes zero in 2 of 3 different results by estimand and "
        "missing-data rule",
        "Who responded?": "EASI-50 was met at week 12 by about 5 of 20 (25%)",
    }


def test_arms_are_told_apart() -> None:
    found = answered(BY_ARM)
    assert found["Who?"].startswith(
        "Median EASI at start 13.0 (quartiles 9.5\u201319.0) in the low arm; 9.5 in the low"
    )
    assert (
        "points (95% CI \u22127.0 to \u22121.0; P = .03; about 25 pairs) in the low arm; by \u22124"
        in found["What changed?"]
    )
    assert found["How do the arms differ?"] == (
        "At week 12, 1 + EASI in the high arm differed from the low arm by \u221216.0% (95% CI \u221230.0 to 2.0; "
        "P = .08)"
    )
    assert found["Who responded?"] == (
        "EASI-50 was met at week 12 by (masked, too few patients) in the low arm; by about 35 of 40 (88%) in the high "
        "arm"
    )
    assert "And in the model?" not in found and "How sure?" not in found


@pytest.mark.parametrize(
    ("question", "changes"),
    [
        ("What changed?", {"course_paired": {"shift": "[c]", "lower": "[c]", "upper": "[c]"}}),
        ("What changed?", {"course_paired": {"n_pairs": "[c]"}}),
        ("And in the model?", {"trajectory_contrasts": {"estimate": "[c]", "lower": "[c]", "upper": "[c]"}}),
        ("Who responded?", {"response_endpoints": {"responders": "[c]"}}),
    ],
)
def test_what_is_masked_is_said_to_be(question: str, changes: dict[str, Any]) -> None:
    found = answered(TABLES, **changes)[question]
    assert "(masked, too few patients)" in found and "[c]" not in found


def test_a_change_without_a_test_has_no_p_value() -> None:
    found = answered(TABLES, course_paired={"p": [None, None]})["What changed?"]
    assert found.endswith("points (95% CI \u22127.0 to \u22121.0; about 20 pairs)")


def test_a_masked_cohort_has_no_size() -> None:
    masked = {"cohort_flow": {"seen": "[c]", "stopped": "[c]", "in_follow_up": "[c]"}}
    assert answered(TABLES, None, **masked)["How many?"] == "So few patients that their number is masked"


@pytest.mark.parametrize(
    ("p", "style", "text"),
    [
        ("<0.01", Style(), "< .01"),
        ("<0.01", Style(p_leading_zero=True, decimal=","), "< 0,01"),
        (0.09, Style(), ".09"),
        (1.0, Style(), "1.00"),
        ("[c]", Style(), "[c]"),
        (float("nan"), Style(), ""),
    ],
)
def test_a_told_p_value_is_printed_as_the_style_has_it(p: Any, style: Style, text: str) -> None:
    assert printed_p(p, style) == text
