"""Response classes against a table worked out by hand from the rules, and properties of any such rules."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_cohorts import cohort_of, seen, stopped, waiting

from easitrace.errors import ParameterError
from easitrace.response.classify import CLASSES, classify

# Baseline, week 4, week 12, week 24; EASI-50, loss rule strict, judged at week 12, treatment policy.
TABLE = {
    "01": (seen(20, 10, 10, 10), "responder", "EASI-50 met at week 4, week 12 and week 24"),
    "02": (seen(20, 15, 8, None), "responder", "EASI-50 met at week 12"),
    "03": (seen(20, 15, 15, 9), "responder", "EASI-50 met at week 24"),
    "04": (seen(20, 8, 15, 9), "responder", "EASI-50 met at week 4 and week 24"),
    "05": (seen(20, None, 10, None), "responder", "EASI-50 met at week 12"),
    "06": (seen(20, 8, None, 9), "responder", "EASI-50 met at week 4 and week 24"),
    "07": (seen(20, 8, 10.1, None), "temporary responder", "EASI-50 met at week 4, no longer met at week 12"),
    "08": (seen(20, 8, 9, 25), "temporary responder", "EASI-50 met at week 4 and week 12, no longer met at week 24"),
    "09": (seen(20, 15, 12, 11), "non-responder", "EASI-50 not met at week 4, week 12 and week 24"),
    "10": (seen(20, None, 12, None), "non-responder", "EASI-50 not met at week 12; not known at week 4"),
    "11": (stopped(8, "inefficacy", 20, 15, None, None), "non-responder", "stopped for inefficacy after 8.0 weeks"),
    "12": (
        stopped(9.5, "inefficacy and side effects", 20, 8, None, None),
        "non-responder",
        "stopped for inefficacy and side effects after 9.5 weeks",
    ),
    "13": (
        stopped(6, "side effects", 20, 8, None, None),
        "stopped for side effects",
        "stopped for side effects after 6.0 weeks, before week 12",
    ),
    "14": (
        stopped(5, "other", 20, 8, None, None),
        "stopped, other reason",
        "stopped for another reason after 5.0 weeks, before week 12",
    ),
    "15": (
        stopped(None, None, 20, 8, None, None),
        "stopped, other reason",
        "stopped for a reason not recorded at a time not recorded, before week 12",
    ),
    "16": (waiting(20, 8, None, None), "not classifiable yet", "in follow-up, week 12 is not due yet"),
    "17": (waiting(20, 8, 10, None), "responder", "EASI-50 met at week 4 and week 12"),
    "18": (seen(20, 8, None, None), "not classifiable, visit missing", "not seen at week 12"),
    "19": (
        seen(None, 8, 7, 6),
        "not classifiable, visit missing",
        "seen at week 12, but EASI-50 is not known there; baseline missing",
    ),
    "20": (
        seen(0, 0, 1, 2),
        "not classifiable, visit missing",
        "seen at week 12, but EASI-50 is not known there; no percentage of a baseline of 0",
    ),
    "21": (
        stopped(20, "side effects", 20, 15, 12, None),
        "non-responder",
        "EASI-50 not met at week 4 and week 12",
    ),
    "22": (
        stopped(14, "side effects", 20, 15, None, None),
        "not classifiable, visit missing",
        "not seen at week 12",
    ),
    "23": (
        stopped(8, "inefficacy", 0, 1, None, None),
        "not classifiable, visit missing",
        "stopped for inefficacy after 8.0 weeks; no percentage of a baseline of 0",
    ),
    "24": (stopped(6, "side effects", 20, 15, 9, None), "responder", "EASI-50 met at week 12"),
}


@pytest.fixture(scope="module")
def worked() -> pd.DataFrame:
    return classify(cohort_of({patient: row[0] for patient, row in TABLE.items()})).set_index("patient")


@pytest.mark.parametrize("patient", TABLE)
def test_class_and_reason_are_those_worked_by_hand(worked: pd.DataFrame, patient: str) -> None:
    _, name, reason = TABLE[patient]
    assert (worked.loc[patient, "class"], worked.loc[patient, "reason"]) == (name, reason)


def test_every_class_is_in_the_table_and_in_order(worked: pd.DataFrame) -> None:
    assert set(worked["class"]) == set(CLASSES)
    assert tuple(worked["class"].cat.categories) == CLASSES


def class_of(patient: dict[str, object], **rule: object) -> str:
    return str(classify(cohort_of({"1": patient}), **rule)["class"][0])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("patient", "strict", "half_of_best"),
    [
        (seen(20, 4, 12, None), "temporary responder", "responder"),  # 8 of 16 points lost: exactly half
        (seen(20, 4, 12.1, None), "temporary responder", "temporary responder"),
        (seen(20, 10, 11, None), "temporary responder", "responder"),
        (seen(20, 2, 10, None), "responder", "responder"),
        (seen(20, 15, 12, None), "non-responder", "non-responder"),
        (seen(20, 10, 0, 11), "temporary responder", "temporary responder"),  # best is at week 12
    ],
)
def test_loss_rules(patient: dict[str, object], strict: str, half_of_best: str) -> None:
    assert class_of(patient, loss_rule="strict") == strict
    assert class_of(patient, loss_rule="half_of_best") == half_of_best


def test_half_of_best_can_lose_a_response_that_strict_keeps() -> None:
    patient = seen(10, 0, 6, None)
    assert class_of(patient, criterion="easi<=7") == "responder"
    assert class_of(patient, criterion="easi<=7", loss_rule="half_of_best") == "temporary responder"


def test_half_of_best_without_any_improvement_is_strict() -> None:
    patient = seen(5, 6, 8, None)
    assert class_of(patient, criterion="easi<=7", loss_rule="half_of_best") == "temporary responder"


def test_loss_seen_before_stopping_for_inefficacy_is_temporary() -> None:
    patient = {"easi": (20, 8, 15, None), "status": "stopped", "stop_week": 14.0, "stop_reason": "inefficacy"}
    found = classify(cohort_of({"1": patient}), decision_week=24)
    assert found["class"][0] == "temporary responder"
    assert found["reason"][0] == (
        "EASI-50 met at week 4, no longer met at week 12; then stopped for inefficacy after 14.0 weeks"
    )


ESTIMANDS = ("treatment-policy", "while-on-treatment", "composite", "hypothetical")


@pytest.mark.parametrize(
    ("patient", "expected"),
    [
        # a score after stopping counts under the treatment policy only
        (
            stopped(6, "side effects", 20, 15, 9, None),
            ("responder", "stopped for side effects", "non-responder", "stopped for side effects"),
        ),
        (stopped(6, "inefficacy", 20, 15, 9, None), ("responder", "non-responder", "non-responder", "non-responder")),
        # composite: a stop before the decision week is non-response, whatever was reached before
        (
            stopped(6, "side effects", 20, 5, None, None),
            ("stopped for side effects", "stopped for side effects", "non-responder", "stopped for side effects"),
        ),
        # composite: a later stop loses the response
        (
            stopped(20, "side effects", 20, 5, 5, None),
            ("responder", "responder", "temporary responder", "responder"),
        ),
        (stopped(20, "inefficacy", 20, 15, 15, None), ("non-responder",) * 4),
        # another reason is no failure under any estimand
        (stopped(6, "other", 20, 5, None, None), ("stopped, other reason",) * 4),
        # administrative: never a non-response
        (waiting(20, 15, None, None), ("not classifiable yet",) * 4),
        # an undefined criterion is never a non-response
        (stopped(6, "inefficacy", 0, 0, None, None), ("not classifiable, visit missing",) * 4),
    ],
)
def test_estimands(patient: dict[str, object], expected: tuple[str, ...]) -> None:
    assert tuple(class_of(patient, estimand=estimand) for estimand in ESTIMANDS) == expected


def test_composite_says_what_counts() -> None:
    patients = {
        "1": stopped(6, "side effects", 20, 5, None, None),
        "2": stopped(20, "inefficacy", 20, 5, 5, None),
    }
    assert list(classify(cohort_of(patients), estimand="composite")["reason"]) == [
        "stopped for side effects after 6.0 weeks, which counts as non-response",
        "EASI-50 met at week 4 and week 12; stopped for inefficacy after 20.0 weeks, which counts as loss",
    ]


def test_in_follow_up_is_never_a_non_response_under_any_rule() -> None:
    cohort = cohort_of({"1": waiting(20, 19, None, None), "2": waiting(20, None, None, None)})
    for estimand in ESTIMANDS:
        for criterion in ("easi50", "easi<=7", "drop>=6.6", "easi50 or drop>=6.6"):
            found = classify(cohort, criterion, "half_of_best", 12, estimand)
            assert set(found["class"]) == {"not classifiable yet"}


def test_decision_week_moves_the_judgement() -> None:
    patient = seen(20, 8, 15, None)
    assert class_of(patient, decision_week=4) == "temporary responder"
    assert class_of(seen(20, 8, None, None), decision_week=4) == "responder"
    assert class_of(patient, decision_week=24) == "not classifiable, visit missing"


@pytest.mark.parametrize(
    ("rule", "word"),
    [
        ({"criterion": "easi"}, "not a response criterion"),
        ({"criterion": "poem50"}, "poem was not recorded"),
        ({"criterion": "easi>=7"}, "change for the worse"),
        ({"loss_rule": "half"}, "no loss rule"),
        ({"decision_week": 11}, "not a planned week"),
        ({"decision_week": 0}, "not a planned week"),
        ({"estimand": "itt"}, "no estimand"),
    ],
)
def test_arguments_are_checked(rule: dict[str, object], word: str) -> None:
    with pytest.raises(ParameterError, match=word):
        class_of(seen(20, 8, 15, None), **rule)


scores = st.one_of(st.none(), st.integers(0, 720).map(lambda tenths: tenths / 10))
reasons = st.sampled_from(["inefficacy", "side effects", "inefficacy and side effects", "other"])
courses = st.one_of(
    st.tuples(scores, scores, scores, scores).map(lambda s: seen(*s)),
    st.tuples(scores, scores, scores, scores).map(lambda s: waiting(*s)),
    st.builds(lambda week, why, s: stopped(week, why, *s), st.sampled_from([2.0, 6.0, 14.0]), reasons,
              st.tuples(scores, scores, scores, scores)),
)  # fmt: skip
rules = st.tuples(
    st.sampled_from(["easi50", "easi75", "easi<=7", "drop>=6.6", "easi90 or drop>=6.6"]),
    st.sampled_from(["strict", "half_of_best"]),
    st.sampled_from([4, 12, 24]),
    st.sampled_from(ESTIMANDS),
)


@settings(max_examples=30, deadline=None)
@given(patients=st.lists(courses, min_size=1, max_size=6), rule=rules, order=st.randoms(use_true_random=False))
def test_names_and_order_of_patients_do_not_matter(patients, rule, order) -> None:  # type: ignore[no-untyped-def]
    shuffled = list(patients)
    order.shuffle(shuffled)
    first = classify(cohort_of({f"a{i}": patient for i, patient in enumerate(patients)}), *rule)
    again = classify(cohort_of({f"z{i}": patient for i, patient in enumerate(shuffled)}), *rule)
    assert sorted(first["class"]) == sorted(again["class"])
    alone = [class_of(patient, **dict(zip(RULE_NAMES, rule, strict=True))) for patient in patients]
    assert list(first["class"]) == alone


RULE_NAMES = ("criterion", "loss_rule", "decision_week", "estimand")


@settings(max_examples=60, deadline=None)
@given(patient=courses, rule=rules, factor=st.integers(2, 10))
def test_a_percentage_criterion_does_not_know_the_scale(patient, rule, factor) -> None:  # type: ignore[no-untyped-def]
    criterion = {"easi<=7": "easi50", "drop>=6.6": "easi75"}.get(rule[0], rule[0]).replace(" or drop>=6.6", "")
    smaller = patient | {"easi": [None if s is None else round(s / factor, 4) for s in patient["easi"]]}
    exact = patient | {"easi": [None if s is None else s * factor for s in smaller["easi"]]}
    choices = dict(zip(RULE_NAMES[1:], rule[1:], strict=True))
    assert class_of(smaller, criterion=criterion, **choices) == class_of(exact, criterion=criterion, **choices)


@settings(max_examples=100, deadline=None)
@given(patient=courses, rule=rules)
def test_what_a_class_means(patient, rule) -> None:  # type: ignore[no-untyped-def]
    name = class_of(patient, **dict(zip(RULE_NAMES, rule, strict=True)))
    if patient.get("status") != "stopped":
        assert not name.startswith("stopped")
    if patient["easi"][1:] == (None, None, None) and patient.get("status") == "in follow-up":
        assert name == "not classifiable yet"
    if name in ("responder", "temporary responder"):
        assert any(score is not None for score in patient["easi"][1:])
    if patient["easi"][0] == 0 and rule[0] != "easi<=7":
        assert name != "non-responder"
