"""The same patients under several rules."""

import pandas as pd
import pytest
from small_cohorts import cohort_of, seen, stopped, waiting

from easitrace.response.classify import CLASSES, classify
from easitrace.response.rules import Rule, alternatives, class_counts, class_table, reason_counts, rule_counts

PATIENTS = {
    "1": seen(20, 4, 4, None),
    "2": seen(20, 4, 11, None),
    "3": seen(20, 15, 9, None),
    "4": seen(20, 15, 15, None),
    "5": stopped(6, "side effects", 20, 4, None, None),
    "6": waiting(20, 4, None, None),
}
MAIN = Rule()
RULES = [MAIN, Rule(loss_rule="half_of_best"), Rule(criterion="easi75"), Rule(estimand="composite")]


def test_classes_under_every_rule_and_who_changes() -> None:
    table = class_table(cohort_of(PATIENTS), RULES)
    assert len(table) == len(RULES) * len(PATIENTS)
    changed = table[table["changed"]].groupby("rule", sort=False)["patient"].agg("".join)
    assert changed.to_dict() == {str(RULES[1]): "2", str(RULES[2]): "3", str(RULES[3]): "5"}


def test_a_patient_under_a_rule_has_the_class_of_that_rule_alone() -> None:
    cohort = cohort_of(PATIENTS)
    table = class_table(cohort, RULES)
    for rule in RULES:
        alone = classify(cohort, rule.criterion, rule.loss_rule, rule.decision_week, rule.estimand)
        assert table.loc[table["rule"] == str(rule), "class"].tolist() == alone["class"].tolist()


def test_counts_by_rule_add_up_and_keep_the_order() -> None:
    counts = rule_counts(class_table(cohort_of(PATIENTS), RULES))
    assert counts["rule"].tolist() == [str(rule) for rule in RULES]
    assert list(counts.columns) == ["rule", *CLASSES, "changed"]
    assert (counts[list(CLASSES)].sum(axis=1) == len(PATIENTS)).all()
    assert counts["changed"].tolist()[0] == 0


def test_alternatives_begin_with_the_rule_and_change_one_thing() -> None:
    main = Rule("easi75", "half_of_best", 12, "composite")
    rules = alternatives(cohort_of(PATIENTS), main)
    assert rules[0] == main
    assert len(set(rules)) == len(rules)
    for rule in rules[1:]:
        assert sum(getattr(rule, name) != getattr(main, name) for name in vars(main)) == 1
    assert {rule.criterion for rule in rules} == {"easi50", "easi75", "easi90", "easi<=7", "drop>=6.6"}
    assert {rule.estimand for rule in rules} == {
        "treatment-policy", "while-on-treatment", "composite", "hypothetical",
    }  # fmt: skip


def test_counts_have_two_denominators() -> None:
    counts = class_counts(classify(cohort_of(PATIENTS)))
    of_all = counts[counts["denominator"] == "patients"]
    of_classified = counts[counts["denominator"] == "classified"]
    assert of_all["class"].tolist() == list(CLASSES)
    assert of_all["count"].tolist() == [2, 1, 1, 1, 0, 1, 0]
    assert of_all["n"].eq(6).all() and of_classified["n"].eq(4).all()
    assert of_classified["count"].tolist() == [2, 1, 1]
    assert of_classified["proportion"].sum() == pytest.approx(1)


def test_nobody_classified_gives_no_proportion() -> None:
    counts = class_counts(classify(cohort_of({"1": waiting(20, None, None, None)})))
    assert counts.loc[counts["denominator"] == "classified", ["proportion", "lower"]].isna().all(axis=None)


def test_reasons_are_counted_whatever_the_week_of_the_stop() -> None:
    names = ["non-responder", "responder", "non-responder"]
    reasons = ["stopped for inefficacy after 6.1 weeks", "EASI-50 met", "stopped for inefficacy after 11.0 weeks"]
    classes = pd.DataFrame({"class": pd.Categorical(names, ["responder", "non-responder"]), "reason": reasons})
    counts = reason_counts(classes)
    assert counts["reason"].tolist() == ["EASI-50 met", "stopped for inefficacy"]
    assert counts["count"].tolist() == [1, 2]
