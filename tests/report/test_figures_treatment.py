"""Figures of further measures, the treatment course and published cohorts: what they say, and equal bytes."""

from io import StringIO
from typing import Any

import pandas as pd
import pytest

from easitrace.cohort.builtin import load_builtin
from easitrace.cohort.published_cohorts import published_course, published_shares
from easitrace.report import figures, prose
from easitrace.report.figures.treatment import apart
from easitrace.report.style import Style
from easitrace.response import patient_reported, survival, targets
from easitrace.response.swimmer import swimmer

COHORT = load_builtin("baricitinib")
NAMES = patient_reported.other_instruments(COHORT)
COURSES = patient_reported.courses(COHORT, NAMES)
GAINS = prose.gains(patient_reported.changes(COHORT, NAMES), COHORT)
TOGETHER = pd.DataFrame({"easi50": ["met", "not met"], "dlqi": ["not known", "met"], "patients": [7, 3]})
TIMES = survival.time_on_treatment(COHORT)
CURVE = survival.kaplan_meier(TIMES)
WEEKS = survival.at_weeks(CURVE, TIMES, [0, 4, 12])
LANES = swimmer(COHORT, TIMES, "easi50", "while-on-treatment")
OURS = pd.DataFrame(
    {
        "visit": ["baseline", "week 4"],
        "week": [0, 4],
        "n": [25, 24],
        "value": [12.8, 6.2],
        "lower": [9, 4],
        "upper": [19, 11],
    }
)

DRAWINGS: dict[str, Any] = {
    "courses": (
        lambda: figures.instrument_courses(COHORT.visits, COURSES, prose.instrument_titles(COHORT, NAMES), Style()),
        ["POEM, 0–28 points", "19.0", "12\nn = 17", "Peak pruritus NRS, 0–10 points"],
    ),
    "important": (
        lambda: figures.important_changes(GAINS, prose.instrument_names(COHORT, NAMES), Style(decimal=",")),
        ["POEM (3.4 points), week 4, n = 24", "4,5 (1,5 to 7,0)", "important\nchange"],
    ),
    "together": (
        lambda: figures.components_together(TOGETHER, {"easi50": "EASI-50", "dlqi": "DLQI"}),
        ["EASI-50  (7/10)", "DLQI  (3/3)", " 7", " 3", "Not known"],
    ),
    "survival": (
        lambda: figures.drug_survival(CURVE, TIMES, WEEKS, Style(), 0.95),
        ["82%\n(95% CI 59 to 93)", "12\n7 at risk\n4 stopped", "On treatment, %"],
    ),
    "incidence": (
        lambda: figures.stopping_incidence(survival.cumulative_incidence(TIMES), 88.0, [0, 4, 12], Style()),
        ["Inefficacy, 9%", "Side effects, 9%", "Stopped, %"],
    ),
    "swimmer": (
        lambda: figures.swimmer_plot(LANES.bars, LANES.visits, "EASI-50", [0, 4, 12]),
        [
            "Patients, n = 25, longest on treatment first",
            "EASI-50 not met",
            "Stopped: side effects",
            "Still in follow-up",
        ],
    ),
    "course in context": (
        lambda: figures.course_in_context(OURS, published_course("EASI", "median"), "Median EASI, points", Style()),
        ["Milan 2020, dupilumab, n = 117", "This cohort", "4\nn = 24", "16", "12.8"],
    ),
    "shares in context": (
        lambda: figures.shares_in_context(OURS, published_shares("EASI-75"), "EASI-75, %", Style()),
        ["This cohort, week 4, n = 24", "13% (9 to 19)", "BREEZE-AD1, baricitinib 4 mg, week 16", "73%"],
    ),
}


def texts(figure: Any) -> str:
    import matplotlib.text

    return " | ".join(item.get_text() for item in figure.findobj(matplotlib.text.Text))


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
    said = texts(draw())
    assert [text for text in expected if text not in said] == []


@pytest.mark.parametrize("name", DRAWINGS)
def test_two_drawings_are_the_same_bytes(name: str) -> None:
    draw, _ = DRAWINGS[name]
    assert svg(draw()) == svg(draw())


def test_labels_are_moved_apart() -> None:
    assert apart([1, 1.1, 5], 0.5) == [1, 1.5, 5]


def test_rare_combinations_are_left_out_and_counted() -> None:
    table = pd.DataFrame({"easi50": ["met"] * 20, "patients": [2] * 20})
    figure = figures.components_together(table, {"easi50": "EASI-50"})
    assert texts(figure).count(" 2 |") == figures.MOST_COMBINATIONS
    note = prose.together_note(table, 45, figures.MOST_COMBINATIONS)
    assert "Shown: 32 patients. 8 patients with rarer combinations" in note and "Not shown: 5 patients" in note


def test_improvements_turn_the_limits_of_a_drop() -> None:
    first = GAINS.iloc[0]
    assert (first["gain"], first["gain_lower"], first["gain_upper"]) == (4.5, 1.5, 7)


def test_the_median_in_words() -> None:
    nothing = dict.fromkeys(["median", "lower", "upper"], float("nan"))
    assert prose.median_sentence(nothing) == "The median time on treatment was not reached."
    open_ended = prose.median_sentence({**nothing, "median": 23.0, "lower": 13.0})
    assert "{median_time:.0f} days" in open_ended and open_ended.endswith("to not reached).")


def test_a_caption_names_every_source_once() -> None:
    caption = prose.context_caption("EASI-75", published_shares("EASI-75"))
    assert caption.count("doi 10.3390/jcm9030791") == 1 and "BREEZE-AD7: doi 10.3390/healthcare9111575" in caption


def test_targets_in_words_say_what_is_missing() -> None:
    table = targets.assess(COHORT, 12, estimand="while-on-treatment")
    assert "acceptable at 3 months: not assessable, patient global was not recorded." in prose.targets_sentence(
        table, Style()
    )
    note = prose.targets_note(COHORT, "wilson", 0.95)
    assert "Not recorded, and so in no rule: patient global assessment, SCORAD and vIGA-AD." in note


def test_the_reasons_table_adds_up_to_the_curve() -> None:
    reasons = survival.stop_reasons(TIMES)
    table = prose.stops_with_incidence(reasons, survival.cumulative_incidence(TIMES), CURVE).set_index("reason")
    whole = table.loc["any reason"]
    assert table["incidence"].iloc[:-1].sum() == pytest.approx(whole["incidence"])
    assert whole["incidence_lower"] < whole["incidence"] < whole["incidence_upper"]
    assert (table["incidence_lower"] < table["incidence"]).all()
