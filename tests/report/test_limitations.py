"""Limitations are said where their numbers hold, and only there."""

from dataclasses import replace
from typing import Any

import pytest

from easitrace import read_cohort
from easitrace.report import prose
from easitrace.report.style import Style

COHORT = read_cohort("baricitinib")
REAL = replace(COHORT, synthetic="")
ABOUT = prose.About(REAL, "easi50", "EASI-50", 12, "observed", "sqrt", "")
COURSE = {"n_week_12": 16, "median_week_4": 5.0, "q1_week_4": 4.0, "q3_week_4": 9.0, "p_week_4_v_baseline": 0.03}
RESULTS: dict[str, dict[str, Any]] = {
    "00_summary": {"p_week_4_v_baseline": 0.03},
    "01_cohort": {"n_patients": 21, "n_seen_week_12": 16, "n_in_follow_up_week_12": 2},
    "02_course": COURSE,
    "03_trajectory": {"model_p_week_4_v_baseline": 0.2, "sensitivity_mean_us_raw": 9.4, "sensitivity_mean_cs_raw": 8.1},
    "04_response": {"n_rules": 7, "n_most_changed": 6, "n": 21},
    "05_classes": {"n_latent": 2},
    "08_sensitivity": {"worsened": 3, "tipping_point": 4.5},
}
SAID = {
    "few": "With 16 scores at week 12 all intervals are wide, and one patient moves a percentage by 6.3 points.",
    "completers": "At week 12, 16 of 21 patients (76%) were seen, 2 of the others not having reached it:",
    "skewed": "Scores are skewed, most at week 4 (median 5.0, quartiles 4.0\u20139.0): estimated means lie nearer",
    "models": "the estimated mean at week 12 runs from 8.1 to 9.4 points over 2 models.",
    "rule": "Over 7 class rules, up to 6 of 21 patients are in another class than here.",
    "latent": "The 2 latent classes describe",
    "tests": "None of the 2 P values recorded here is adjusted: if nothing changed or differed, 0.1 of them",
    "single": "There is no comparison group",
    "tipping": "if the 3 scores imputed after stopping were worse by 4.5 points.",
}


def said(results: dict[str, dict[str, Any]] = RESULTS, about: prose.About = ABOUT) -> str:
    template, numbers = prose.limitations(results, about)
    return Style().fill(template, numbers)


def changed(chapter: str, **numbers: Any) -> dict[str, dict[str, Any]]:
    return {**RESULTS, chapter: {**RESULTS[chapter], **numbers}}


@pytest.mark.parametrize("sentence", SAID.values(), ids=SAID.keys())
def test_each_limitation_is_said_with_its_numbers(sentence: str) -> None:
    assert sentence in said()


@pytest.mark.parametrize(
    ("name", "results"),
    [
        ("few", changed("02_course", n_week_12=50)),
        ("completers", changed("01_cohort", n_seen_week_12=21)),
        ("skewed", changed("02_course", median_week_4=6.5)),
        ("models", changed("03_trajectory", sensitivity_mean_cs_raw=None)),
        ("rule", changed("04_response", n_most_changed=0)),
        ("latent", changed("05_classes", n_latent=1)),
        ("tests", changed("03_trajectory", model_p_week_4_v_baseline=None)),
        ("tipping", changed("08_sensitivity", worsened=0)),
    ],
)
def test_a_limitation_that_does_not_hold_is_not_said(name: str, results: dict[str, dict[str, Any]]) -> None:
    text = said(results)
    assert SAID[name] not in text and all(other in text for key, other in SAID.items() if key != name)


def test_other_cases_have_other_words() -> None:
    assert "did not change the conclusion" in said(changed("08_sensitivity", tipping_point=None))
    assert "takes them for normal" in said(about=replace(ABOUT, scale="raw"))
    without = {name: own for name, own in RESULTS.items() if name != "03_trajectory"}
    assert "No trajectory model could be estimated" in said(without)
    assert "not having reached it" not in said(changed("01_cohort", n_in_follow_up_week_12=0))
    assert "came into their arm" in said(about=replace(ABOUT, cohort=replace(REAL, arms=("a", "b"))))
    assert "not the data of patients" not in said()
    assert "not the data of patients" in said(about=replace(ABOUT, cohort=COHORT))


def test_every_kind_of_p_is_counted() -> None:
    more = {"arm_difference_p_b_v_a_week_12": 0.01, "joint_p_none": 0.2, "pairs_week_4": 3, "poem_p": None}
    assert "None of the 4 P values recorded" in said(changed("03_trajectory", **more))


def test_without_results_only_what_always_holds_is_said() -> None:
    assert said({}).startswith("No trajectory model") and "  " not in said({})
