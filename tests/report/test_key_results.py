"""The first page: answers and paragraphs made from what the chapters recorded, and from nothing else."""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from easitrace import read_cohort
from easitrace.errors import MachineError
from easitrace.report import prose, summary, tables
from easitrace.report.prose.results import Results
from easitrace.report.references import cited_keys, numbered
from easitrace.report.style import Style

COHORT = read_cohort("baricitinib")
ABOUT = prose.About(COHORT, "easi50", "EASI-50", 12, "observed", "log1p", "upadacitinib")
CHOICES = prose.Choices([], "composite", "us", "kenward-roger", "strict", "wilson", "weibull", 40, 7, None)
VISITS = ("baseline", "week_4", "week_12")
PAIRS = ("week_4_v_baseline", "week_12_v_baseline", "week_12_v_week_4")


def keyed(first: str, keys: Iterable[str], start: float, step: float = 1.5) -> dict[str, Any]:
    return {f"{first}_{key}": start + step * place for place, key in enumerate(keys)}


RESULTS: Results = {
    "01_cohort": {
        "n_patients": 31,
        "follow_up_median": 11.3,
        "follow_up_min": 3.2,
        "follow_up_max": 13.8,
        "n_seen_week_12": 22,
        "n_stopped_week_12": 5,
        "n_missed_week_12": 4,
    },
    "02_course": {
        **{f"n_{visit}": n for visit, n in zip(VISITS, (31, 29, 22), strict=True)},
        **keyed("median", VISITS, 17.3, -4.2),
        **keyed("q1", VISITS, 12.1, -3.1),
        **keyed("q3", VISITS, 25.4, -2.7),
        **keyed("shift", PAIRS, -6.1),
        **keyed("shift_lower", PAIRS, -9.7),
        **keyed("shift_upper", PAIRS, -2.9),
        **keyed("p", PAIRS, 0.0004, 0.02),
        **{f"pairs_{pair}": n for pair, n in zip(PAIRS, (28, 21, 20), strict=True)},
    },
    "03_trajectory": {
        "n_scores": 82,
        "n_patients": 30,
        "covariance": "unstructured",
        **keyed("estimated_mean", VISITS, 16.2, -3.3),
        **keyed("estimated_lower", VISITS, 13.1, -3.3),
        **keyed("estimated_upper", VISITS, 19.9, -3.3),
        **keyed("model_change", PAIRS, -44.4, 9.9),
        **keyed("model_change_lower", PAIRS, -58.8, 9.9),
        **keyed("model_change_upper", PAIRS, -27.7, 9.9),
        **keyed("model_p", PAIRS, 0.0007, 0.03),
    },
    "04_response": {
        "n": 31,
        "n_most_changed": 13,
        **{f"n_{name}": n for name, n in (("responder", 9), ("temporary_responder", 6), ("non_responder", 11))},
        **{
            f"share_{name}": n / 31 for name, n in (("responder", 9), ("temporary_responder", 6), ("non_responder", 11))
        },
        "responders_easi50_week_12": 9,
        "n_easi50_week_12": 22,
        "share_easi50_week_12": 9 / 22,
        "share_lower_easi50_week_12": 0.23,
        "share_upper_easi50_week_12": 0.61,
        "marginal_easi50_week_12": 0.4,
    },
    "05_classes": {"n_latent": 2, "n_starts": 30, "n_tried": 4},
    "06_patient_reported": {
        "shift_poem_week_12": -3.6,
        "shift_lower_poem_week_12": -6.2,
        "shift_upper_poem_week_12": -0.7,
        "p_poem_week_12": 0.018,
        "pairs_poem_week_12": 19,
    },
    "07_treatment": {
        "on_treatment_week_12": 0.83,
        "on_treatment_lower_week_12": 0.64,
        "on_treatment_upper_week_12": 0.93,
        "at_risk_week_12": 14,
        "n_stopped": 5,
        "n_events": 1,
    },
    "08_sensitivity": {},
}
PARAGRAPH = [
    "The cohort had 31 patients treated with upadacitinib, with a median follow-up of 11.3 weeks (range 3.2 to 13.8).",
    "At week 12, 22 were seen, 5 had stopped treatment and 4 had missed the visit.",
    "The median EASI was 17.3 (quartiles 12.1\u201325.4; n = 31) at baseline,",
    "EASI changed by \u22126.1 points (95% CI \u22129.7 to \u22122.9; P < .001; n = 28) from baseline to week 4,",
    "and by \u22123.1 points (95% CI \u22126.7 to 0.1; P = .040; n = 20) from week 4 to week 12.",
    "In the mixed model of the 82 scores of 30 patients, 1 + EASI changed by \u221244.4%",
    "9 of the 22 patients whose response was known met EASI-50 (41%; 95% CI 23% to 61%).",
    "9 (29%) were classified as responders, 6 (19%) as temporary responders and 11 (35%) as non-responders.",
    "the one with 2 classes had the smallest BIC.",
    "from baseline to week 12: POEM by \u22123.6 points (95% CI \u22126.2 to \u22120.7; P = .018; n = 19).",
    "After 12 weeks 83% of the patients were still on treatment by the Kaplan-Meier estimate (95% CI 64% to 93%; 14 at",
    "In all, 5 patients stopped treatment and 1 adverse event on treatment was recorded.",
]


def paragraph(results: Results, about: prose.About = ABOUT) -> str:
    template, numbers = prose.results_paragraphs(results, about)
    return Style().fill(template, {**numbers, "level": 0.95})


def methods(
    results: Results = RESULTS, about: prose.About = ABOUT, choices: prose.Choices = CHOICES, **reasons: str
) -> str:
    template, numbers = prose.methods_paragraphs(results, about, choices, reasons)
    return Style().fill(template, {**numbers, "level": 0.95})


@pytest.mark.parametrize("sentence", PARAGRAPH)
def test_the_results_paragraph_has_every_result(sentence: str) -> None:
    assert sentence in paragraph(RESULTS)


def test_every_number_of_the_paragraph_is_a_number_of_a_chapter_by_its_name() -> None:
    known = {name: value for numbers in RESULTS.values() for name, value in numbers.items()}
    _, said = prose.results_paragraphs(RESULTS, ABOUT)
    assert {name: value for name, value in said.items() if known.get(name) != value} == {
        "n_modelled": RESULTS["03_trajectory"]["n_patients"],
        "n_patients": RESULTS["01_cohort"]["n_patients"],
    }


@pytest.mark.parametrize("chapter", sorted(RESULTS))
def test_a_missing_chapter_falls_away_and_leaves_no_gap(chapter: str) -> None:
    rest = {name: numbers for name, numbers in RESULTS.items() if name != chapter}
    said = paragraph(rest)
    assert not re.search(r"\{|\u2013 |  |None|\(\)|, \.|; \)", said) and said.endswith(".")
    assert chapter == "08_sensitivity" or len(said) < len(paragraph(RESULTS))


def test_of_nothing_nothing_is_said() -> None:
    assert paragraph({}) == ""


def test_missing_numbers_fall_away_with_their_part() -> None:
    course = {**RESULTS["02_course"], "p_week_12_v_baseline": None, "shift_week_4_v_baseline": None}
    said = paragraph({"02_course": course})
    assert "from baseline to week 4" not in said and "(95% CI \u22128.2 to \u22121.4; n = 21) from baseline" in said
    treatment = {**RESULTS["07_treatment"], "on_treatment_lower_week_12": None}
    assert "estimate (14 at risk)" in paragraph({"07_treatment": treatment})


def test_a_missing_data_rule_stands_beside_the_recorded_proportion() -> None:
    ruled = {"rule_share_easi50_week_12": 1 / 3, "rule_share_lower_easi50_week_12": 0.19}
    ruled |= {"rule_share_upper_easi50_week_12": 0.52, "rule_n_easi50_week_12": 27}
    results = {**RESULTS, "04_response": {**RESULTS["04_response"], **ruled}}
    said = paragraph(results, replace(ABOUT, missing="nri"))
    assert "61%); with non-responder imputation, 33% of 27 (95% CI 19% to 52%)." in said


def test_more_visits_are_compared_with_baseline_and_once_among_themselves() -> None:
    longer = tuple(replace(visit, week=2 * visit.week) for visit in COHORT.schedule)
    schedule = (*COHORT.schedule, *(replace(visit, label=f"month {visit.week:g}") for visit in longer[2:]))
    about = replace(ABOUT, cohort=replace(COHORT, schedule=schedule))
    names = [(earlier.label, later.label) for earlier, later in about.pairs]
    assert names == [("baseline", "week 4"), ("baseline", "week 12"), ("baseline", "month 24"), ("week 4", "week 12")]


def test_braces_in_a_name_are_text() -> None:
    assert "treated with {x}" in paragraph(RESULTS, replace(ABOUT, drug="{x}"))


def test_six_questions_have_six_answers() -> None:
    held = {"side": -1, "n_same": 5, "n_changes": 7}
    rows = prose.key_results(RESULTS, ABOUT, held)
    table = prose.answers(rows, Style(), 0.9)
    answers = dict(table.to_numpy().tolist())
    assert answers["How many?"].startswith("31 patients; at week 12, 22 were seen, 5 had stopped treatment and 4")
    assert "90% CI \u22128.2 to \u22121.4" in answers["What changed?"] and "mixed model" in answers["What changed?"]
    assert answers["How sure?"].startswith("The interval of the change lies below zero in 5 of 7 analyses")
    assert "9 of 22 met EASI-50 at week 12 (41%" in answers["Who responded?"]
    assert prose.numbers_in(rows)["n_most_changed"] == 13
    waiting = {
        **RESULTS,
        "04_response": {**RESULTS["04_response"], "n_not_classifiable_yet": 3, "n_stopped_other_reason": 1},
    }
    (_, (template, numbers)) = prose.key_results(waiting, ABOUT, held)[5]
    assert template.endswith("and {n_not_classified:d} could not be classified") and numbers["n_not_classified"] == 4
    nothing = prose.answers(prose.key_results({}, replace(ABOUT, drug=""), {"side": 0, "n_changes": 0}), Style(), 0.9)
    assert list(nothing["answer"]) == ["Patients", *["Not known from these data"] * 5]


def test_methods_say_what_was_done_and_cite_it() -> None:
    said = methods()
    assert "SPSS" in said and "40 imputations" in said and "30 random starts" in said and "random numbers was 7" in said
    assert "[@kenward1997]" in said and "[@wilson1927]" in said and "[@clopper1934]" not in said
    assert numbered(said).count("](#") >= 25


@pytest.mark.parametrize(
    ("change", "there", "gone"),
    [
        ({"df": "satterthwaite"}, "[@satterthwaite1946]", "[@kenward1997]"),
        ({"interval": "clopper-pearson"}, "[@clopper1934]", "[@wilson1927]"),
        ({"covariates": ["age", "prior_drugs"]}, "visit (as a factor), age and prior drugs, and", "nothing"),
        ({"published": "baricitinib"}, "[@dewijs]", "nothing"),
        ({"estimand": "treatment-policy"}, "strategy treatment policy", "strategy composite"),
        ({"loss_rule": "half_of_best"}, "more than half of the best improvement", "no longer met"),
    ],
)
def test_methods_follow_the_choices(change: dict[str, Any], there: str, gone: str) -> None:
    said = methods(choices=replace(CHOICES, **change))
    assert there in said and gone not in said


@pytest.mark.parametrize(
    ("chapter", "key"),
    [
        ("05_classes", "muthen1999"),
        ("06_patient_reported", "debruinweller2021"),
        ("07_treatment", "kaplan1958"),
        ("08_sensitivity", "rubin1987"),
        ("04_response", "liang1986"),
    ],
)
def test_what_was_not_done_is_not_in_the_methods(chapter: str, key: str) -> None:
    assert key in cited_keys(methods())
    assert key not in cited_keys(methods({name: own for name, own in RESULTS.items() if name != chapter}))


def test_methods_say_when_the_model_was_not_estimable_or_another_structure_was_used() -> None:
    without = {name: own for name, own in RESULTS.items() if name != "03_trajectory"}
    said = methods(without, **{"03_trajectory": "The trajectory model is not estimable: {x}."})
    assert "gave no result (The trajectory model is not estimable: {x})" in said and "REML" not in said
    assert "restricted maximum likelihood" not in said
    fallen = {**RESULTS, "03_trajectory": {**RESULTS["03_trajectory"], "covariance": "compound symmetry"}}
    said = methods(fallen)
    assert "and compound symmetry covariance of the errors within a patient [@jennrich1986] in place of unst" in said


def test_methods_name_the_arms_and_the_kind_of_file() -> None:
    from pathlib import Path

    from easitrace.cohort.cohort import Source

    cohort = replace(COHORT, synthetic="", sources=(Source(Path("a.csv"), ""),), arms=("low", "high"))
    said = methods(about=replace(ABOUT, cohort=cohort))
    assert "cohort with the arms low and high" in said and "Data: read from one CSV file" in said
    assert "single-arm" in methods() and "Data: synthetic cohort" in methods()


def test_with_arms_every_arm_has_its_sentence_and_its_rows() -> None:
    about = replace(ABOUT, cohort=replace(COHORT, arms=("low", "high")))
    course = {f"{name}_{arm}": value for name, value in RESULTS["02_course"].items() for arm in about.cohort.arms}
    model = {
        f"{name}_{arm}": value
        for name, value in RESULTS["03_trajectory"].items()
        if "week" in name or "baseline" in name
        for arm in about.cohort.arms
    }
    results = {"02_course": course, "03_trajectory": {"n_scores": 82, "n_patients": 30, **model}}
    said = paragraph(results, about)
    for arm in ("low", "high"):
        assert f"The median EASI in the {arm} arm was 17.3" in said and f"1 + EASI in the {arm} arm changed by" in said
        assert f"at both visits, EASI in the {arm} arm changed by \u22126.1 points" in said
    glance = summary.glance(results, about.cohort, "easi50")
    assert glance.groupby("arm", sort=False)["median"].apply(list).to_dict() == {
        arm: [pytest.approx(17.3), pytest.approx(13.1), pytest.approx(8.9)] for arm in ("low", "high")
    }
    markup = tables.glance_table(glance, Style(), 0.95, "EASI-50").as_raw_html()
    assert "high" in markup and "None" not in markup


def test_arms_are_set_against_each_other_before_the_classes() -> None:
    about = replace(ABOUT, cohort=replace(COHORT, arms=("low", "high dose arm")))
    here, pair = "week_12", "high_dose_arm_v_low_week_12"
    model = {"estimated_mean_week_12_low": 9.4, "estimated_mean_week_12_high_dose_arm": 6.3}
    model |= keyed("arm_difference_of_changes", (pair,), -17.7) | keyed("arm_difference_of_changes_lower", (pair,), -31)
    model |= keyed("arm_difference_of_changes_upper", (pair,), -2.9) | {f"arm_difference_of_changes_p_{pair}": 0.021}
    risk = f"high_dose_arm_v_low_easi50_{here}"
    response = {f"risk_difference_{risk}": 0.284, f"risk_difference_lower_{risk}": 0.021}
    response |= {f"risk_difference_upper_{risk}": 0.513, f"responders_easi50_{here}_low": 3}
    response |= {f"n_easi50_{here}_low": 12, f"share_easi50_{here}_low": 0.25, f"responders_easi50_{here}_high": None}
    response |= {f"n_easi50_{here}_high_dose_arm": 13, f"share_easi50_{here}_high_dose_arm": 0.534}
    said = paragraph({"03_trajectory": model, "04_response": response}, about)
    assert said == (
        "In the mixed model, the change of 1 + EASI from baseline to week 12 in high dose arm differed from that in "
        "the low arm by \u221217.7% (95% CI \u221231.0 to \u22122.9; P = .021); the estimated means at week 12 were "
        "6.3 and 9.4 points.\n\nEASI-50 was met at week 12 by 53% of 13 patients in high dose arm and 3 of 12 "
        "patients (25%) in the low arm, a difference of 28 percentage points (95% CI 2 to 51)."
    )


def test_one_patient_is_not_several() -> None:
    alone = {"01_cohort": {**RESULTS["01_cohort"], "n_patients": 1, "n_seen_week_12": 1}}
    assert "The cohort had 1 patient treated" in paragraph(alone) and "At week 12, 1 was seen, 5 had" in paragraph(
        alone
    )


def test_when_the_first_visit_decides_it_is_set_against_the_last() -> None:
    about = replace(ABOUT, decision_week=4)
    assert [(one.label, other.label) for one, other in about.pairs][-1] == ("week 4", "week 12")
    assert "from week 4 to week 12" in paragraph(RESULTS, about)


def test_without_results_of_the_chapters_the_folders_tried_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MachineError, match=r"E620 .*out.results\.json: no results to summarise; run the other"):
        summary.read_chapters(tmp_path / "out", "mine")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    with pytest.raises(MachineError, match=r"E620 reports.mine.results\.json and \.\..reports.mine.results\.json"):
        summary.read_chapters(None, "mine")
    (tmp_path / "reports" / "mine").mkdir(parents=True)
    (tmp_path / "reports" / "mine" / "results.json").write_text('{"01_cohort": {"status": "complete"}}')
    assert summary.read_chapters(None, "mine") == {"01_cohort": {"status": "complete"}}
