"""Figures, tables and sentences on states, class probabilities and prediction say what they were given."""

from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
import pytest

from easitrace.report import figures, prose, tables
from easitrace.report.style import Style
from easitrace.response.classify import CLASSES
from easitrace.response.prediction import BASE_RATE, METHODS, MODEL
from easitrace.response.states import RESPONSE_STATES

STATES = pd.DataFrame(
    [
        (f"P{i}", visit, state)
        for visit, states in {
            "week 4": ["response"] * 6 + ["no response"] * 5 + ["missed"],
            "week 12": ["response"] * 4
            + ["response lost"] * 2
            + ["no response"] * 3
            + ["stopped", "in follow-up", "response"],
        }.items()
        for i, state in enumerate(states)
    ],
    columns=["patient", "visit", "state"],
)
STATES["visit"] = pd.Categorical(STATES["visit"], ["week 4", "week 12"], ordered=True)
STATES["state"] = pd.Categorical(STATES["state"], RESPONSE_STATES, ordered=True)
SHARES = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.0, 0.1, 0.9]])
PATIENTS = pd.DataFrame(SHARES, columns=list(CLASSES[:3])).reindex(columns=list(CLASSES), fill_value=0.0)
PATIENTS = PATIENTS.assign(observed=list(CLASSES[:3]))
AXIS = np.linspace(1, 30, 31)
CHART = pd.DataFrame([(b, f) for b in AXIS for f in AXIS], columns=["baseline", "early"])
CHART = CHART.assign(
    probability=1 / (1 + np.exp(CHART["early"] / 4 - 3)), limit=CHART["baseline"] / 2, beyond=CHART["early"] / 15 - 1.5
)
SEEN = pd.DataFrame(
    {
        "baseline": [10.0, 20.0, 25.0],
        "early": [5.0, 12.0, 3.0],
        "response": pd.array([True, False, pd.NA], "boolean"),
        "probability": [0.6, 0.2, 0.8],
    }
)
GROUPS = pd.DataFrame({"n": [6, 6], "predicted": [0.2, 0.6], "responders": [1, 4], "proportion": [1 / 6, 4 / 6]})
GROUPS = GROUPS.assign(lower=[0.03, 0.3], upper=[0.56, 0.9])
LEFT_OUT = pd.DataFrame({"response": [True, False] * 6, MODEL: np.linspace(0.1, 0.9, 12)})
NAMES = prose.method_names("week 4")

DRAWINGS: dict[str, Any] = {
    "states": (lambda: figures.state_flow(STATES), ["n = 12", "6", "5", "week 12", "Response lost", "Missed"]),
    "classes": (lambda: figures.class_bars(PATIENTS), ["n = 1", "Temporary", "Probability, %"]),
    "many": (lambda: figures.class_bars(pd.concat([PATIENTS] * 200)), ["n = 200"]),
    "chart": (
        lambda: figures.prediction_chart(
            CHART, SEEN, ("EASI at baseline", "EASI at week 4"), "EASI-50", ("week 4", "week 12")
        ),
        ["50%", "Responder at week 12, n = 1", "Not known at week 12, n = 1", "Limit of EASI-50 at week 4"],
    ),
    "calibration": (lambda: figures.calibration_panel(GROUPS, LEFT_OUT, MODEL), ["1/6", "4/6", "n = 6", "mean"]),
}


def text_of(figure: Any) -> str:
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    buffer = StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "x"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)
    return buffer.getvalue()


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_says_what_it_was_given_and_two_drawings_are_the_same(name: str) -> None:
    draw, expected = DRAWINGS[name]
    text = text_of(draw())
    assert [part for part in expected if f">{part}" not in text and f"{part}<" not in text] == []
    assert text_of(draw()) == text


def brier(difference: float, half: float, not_estimable: int = 0) -> pd.DataFrame:
    row = {"n": 18, "responders": 7, "expected": 6.4, "brier": 0.25, "not_estimable": 0}
    table = pd.DataFrame([{"method": name, **row, "difference": 0.0, "lower": 0.0, "upper": 0.0} for name in METHODS])
    numbers = ["difference", "lower", "upper", "brier", "not_estimable"]
    table.loc[table["method"] == MODEL, numbers] = [
        difference, difference - half, difference + half, 0.25 + difference, not_estimable,
    ]  # fmt: skip
    return table.astype({"not_estimable": int})


@pytest.mark.parametrize(
    ("difference", "half", "verdict"),
    [
        (-0.1, 0.05, "It predicts better than the base rate."),
        (-0.1, 0.2, "is lower than that of the base rate, but the interval includes no difference"),
        (0.1, 0.2, "is not lower than that of the base rate, and the interval"),
        (0.1, 0.05, "It predicts worse than the base rate"),
    ],
)
def test_the_verdict_follows_the_interval(difference: float, half: float, verdict: str) -> None:
    table = brier(difference, half)
    said = Style().fill(prose.verdict_template(table), prose.verdict_values(table, 0.95, NAMES))
    assert verdict in said and "18 patients" in said
    best = "trajectory model" if difference < 0 else NAMES[BASE_RATE].lower()
    assert said.endswith(f"The lowest score of all is that of the {best}.")


def test_a_model_that_fails_without_a_patient_is_not_judged() -> None:
    table = brier(-0.1, 0.05, not_estimable=2)
    said = Style().fill(prose.verdict_template(table), prose.verdict_values(table, 0.95, NAMES))
    assert said.startswith("Without 2 of the 18 patients") and "better" not in said
    assert "Trajectory model: no prediction for 2 of 18" in prose.brier_note(table, NAMES, True)


def test_a_probability_that_does_not_exist_is_a_dash_and_the_note_says_why() -> None:
    row = {
        "criterion": "easi90",
        "visit": "week 12",
        "week": 12.0,
        "responders": 0,
        "n": 18,
        "message": "none of 18 responded",
    }
    table = pd.DataFrame([{**row, **dict.fromkeys(["se", "probability", "lower", "upper"], np.nan)}])
    names = {"easi90": "EASI-90"}
    shown = tables.marginal_table(table, Style(), 0.95, names).as_raw_html()
    assert shown.count("–</td>") == 2 and "0/18" in shown
    assert "EASI-90 at week 12: none of 18 responded." in prose.marginal_note(table, 0.95, names)
    assert prose.marginal_sentence(table, names, Style()) == "No marginal probability can be given."


def test_expected_classes_stand_beside_the_observed() -> None:
    table = pd.DataFrame(
        [("responder", 7, 1.0, 8.44, 7.0), ("responder", 7, 0.9, 7.02, 5.04), ("missing", 0, 1.0, 0.0, 0.0)],
        columns=["class", "observed", "reliability", "expected", "confirmed"],
    )
    shown = tables.expected_table(table, Style()).as_raw_html()
    assert "8.4 (7.0)" in shown and "7.0 (5.0)" in shown and "Reliability 90%" in shown and "Missing" not in shown
