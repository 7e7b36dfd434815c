"""Figures: what is printed in them is what was given, they say n, and two drawings are the same bytes."""

from io import BytesIO, StringIO
from typing import Any

import numpy as np
import pandas as pd
import pytest

from easitrace.report import figures
from easitrace.report.figures.canvas import canvas, in_house_style
from easitrace.report.style import Style

RNG = np.random.default_rng(20210604)
VISITS = pd.DataFrame(
    [(f"P{i}", week, score) for i in range(12) for week, score in zip((0, 4, 12), RNG.uniform(1, 30, 3), strict=True)],
    columns=["patient", "week", "easi"],
)
COURSE = pd.DataFrame(
    {"week": [0, 4, 12], "n": [12, 11, 9], "median": [12.8, 6.2, 9.6], "q1": [9.0, 3.0, 4.0], "q3": [20.0, 9.0, 15.0]}
)
COUNTS = pd.DataFrame(
    [
        ("baseline", "seen", "", 12),
        ("week 12", "seen", "", 8),
        ("week 12", "stopped", "side effects", 3),
        ("week 12", "missed", "", 1),
    ],
    columns=["visit", "state", "reason", "n"],
)
CHANGES = pd.DataFrame(
    {"name": ["Week 4 v baseline"], "n": [11], "estimate": [-6.25], "lower": [-9.0], "upper": [-1.0]}
)
SHARES = pd.DataFrame(
    {
        "criterion": ["EASI-50"],
        "visit": ["week 4"],
        "week": [4],
        "responders": [5],
        "n": [11],
        "proportion": [5 / 11],
        "lower": [0.2],
        "upper": [0.7],
    }
)
RESIDUALS = pd.DataFrame(
    {"visit": ["baseline", "week 4"] * 10, "fitted": RNG.normal(size=20), "standardised": RNG.normal(size=20)}
)
CLASSES = pd.DataFrame(
    {
        "patient": [f"P{i}" for i in range(12)],
        "class": pd.Categorical(["responder"] * 7 + ["non-responder"] * 5, ["responder", "non-responder"]),
    }
)
MEANS = COURSE.rename(columns={"median": "mean", "q1": "lower", "q3": "upper"})
BANDS = [("mild", 0, 7), ("moderate", 7, 21), ("severe", 21, 50)]

DRAWINGS: dict[str, Any] = {
    "flow": (
        lambda: figures.flow_diagram(COUNTS),
        ["n = 12", "n = 8", "stopped, side effects: n = 3", "missed: n = 1"],
    ),
    "attendance": (lambda: figures.attendance_bars(COUNTS), ["8", "3", "1", "Patients, n"]),
    "spaghetti": (
        lambda: figures.spaghetti(VISITS, COURSE, "easi", "EASI (0–72), points", BANDS, Style()),
        ["12.8", "6.2", "9.6", "12\nn = 9", "moderate", "EASI (0–72), points"],
    ),
    "changes": (
        lambda: figures.change_forest(CHANGES, "Shift", Style()),
        ["Week 4 v baseline  (n = 11)", "−6.3 (−9.0 to −1.0)"],
    ),
    "means": (
        lambda: figures.estimated_means(MEANS, VISITS, "easi", "EASI", Style(decimal=",")),
        ["12,8", "4\nn = 11"],
    ),
    "residuals": (lambda: figures.residual_panel(RESIDUALS), ["Normal quantile", "week 4"]),
    "shares": (lambda: figures.responder_shares(SHARES), ["5/11", "EASI-50"]),
    "classes": (
        lambda: figures.class_courses(VISITS, CLASSES, "easi", "EASI"),
        ["Responder, n = 7", "Non-responder, n = 5"],
    ),
}


def texts(figure: Any) -> set[str]:
    import matplotlib.text

    return {item.get_text() for item in figure.findobj(matplotlib.text.Text)}


def svg(figure: Any) -> str:
    import matplotlib as mpl

    buffer = StringIO()
    with mpl.rc_context({"svg.hashsalt": "x"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def closed() -> Any:
    yield
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_says_what_it_was_given(name: str) -> None:
    draw, expected = DRAWINGS[name]
    said = " | ".join(texts(draw()))
    assert [text for text in expected if text not in said] == []


@pytest.mark.parametrize("name", DRAWINGS)
def test_two_drawings_are_the_same_bytes(name: str) -> None:
    draw, _ = DRAWINGS[name]
    assert svg(draw()) == svg(draw())


def test_the_callers_own_settings_stay_as_they_were() -> None:
    import matplotlib as mpl

    before = mpl.rcParams["font.size"]
    figures.attendance_bars(COUNTS)
    assert mpl.rcParams["font.size"] == before


def test_courses_of_many_patients_are_drawn_as_one_picture() -> None:
    many = pd.concat([VISITS.assign(patient=VISITS["patient"] + str(k)) for k in range(30)])
    drawn = svg(figures.estimated_means(MEANS, many, "easi", "EASI", Style()))
    assert "<image" in drawn and len(drawn) < 300_000


def test_fonts_that_stand_in_are_not_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """Bold text looks for bold fonts of every family; the last of them, which comes with matplotlib, has none."""

    @in_house_style
    def bold() -> Any:
        figure, ax = canvas(2)
        ax.text(0.5, 0.5, "Patients \u60a3\u8005", weight="bold")
        return figure

    bold().savefig(BytesIO(), format="svg")
    assert [record.getMessage() for record in caplog.records if "findfont" in record.getMessage()] == []
