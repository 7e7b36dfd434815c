"""The same patients under several class rules: whose class hangs on the rule, and how many are in each class."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import get_args

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.response.classify import CLASSES, CLASSIFIED, LossRule, classify
from easitrace.response.endpoints import standard_criteria
from easitrace.response.estimands import Estimand
from easitrace.response.proportions import with_proportions

STOP_TIME = r" after \d+\.\d weeks"


@dataclass(frozen=True)
class Rule:
    """The arguments of `classify`."""

    criterion: str = "easi50"
    loss_rule: str = "strict"
    decision_week: float = 12
    estimand: str = "treatment-policy"

    def __str__(self) -> str:
        return f"{self.criterion}, {self.loss_rule}, {self.estimand}"


def alternatives(cohort: Cohort, rule: Rule) -> list[Rule]:
    """The rule itself, then every other criterion, loss rule and estimand in its place, one change at a time."""
    changed = [
        *(replace(rule, loss_rule=name) for name in get_args(LossRule)),
        *(replace(rule, criterion=text) for text in standard_criteria(cohort)),
        *(replace(rule, estimand=name) for name in get_args(Estimand)),
    ]
    return list(dict.fromkeys([rule, *changed]))


def class_table(cohort: Cohort, rules: Sequence[Rule]) -> pd.DataFrame:
    """Every patient's class under every rule.

    Returns
    -------
    DataFrame
        `rule` (in words), `criterion`, `loss_rule`, `decision_week`, `estimand`, `patient`, `class`, `reason`,
        `changed` (the class is another than under the first rule); a row per rule and patient.
    """
    first = classify(cohort, **asdict(rules[0]))["class"]
    tables = []
    for rule in rules:
        classes = classify(cohort, **asdict(rule))
        fixed = pd.DataFrame([{"rule": str(rule), **asdict(rule)}] * len(classes), columns=["rule", *asdict(rule)])
        tables.append(pd.concat([fixed, classes], axis=1).assign(changed=classes["class"] != first))
    return pd.concat(tables, ignore_index=True)


def rule_counts(table: pd.DataFrame) -> pd.DataFrame:
    """How many patients are in each class under each rule.

    Returns
    -------
    DataFrame
        `rule`, a column per class of `CLASSES`, `changed` (patients whose class differs from the first rule);
        a row per rule.
    """
    counts = table.groupby(["rule", "class"], observed=False, sort=False).size().unstack("class")
    counts = counts.reindex(columns=list(CLASSES)).rename_axis(columns=None)
    counts["changed"] = table.groupby("rule", sort=False)["changed"].sum()
    return counts.loc[list(dict.fromkeys(table["rule"]))].reset_index()


def reason_counts(classes: pd.DataFrame) -> pd.DataFrame:
    """How many patients are in a class for which reason, whatever the week in which they stopped.

    Returns
    -------
    DataFrame
        `class`, `reason`, `count`; classes in their order, frequent reasons first.
    """
    reasons = classes["reason"].str.replace(STOP_TIME, "", regex=True)
    counts = classes.assign(reason=reasons).groupby(["class", "reason"], observed=True).size()
    return (
        counts.rename("count").reset_index().sort_values(["class", "count"], ascending=[True, False], ignore_index=True)
    )


def class_counts(classes: pd.DataFrame, *, level: float = 0.95, interval: str = "wilson") -> pd.DataFrame:
    """Patients in each class, out of all patients and, for the response groups, out of those classified.

    Parameters
    ----------
    classes : DataFrame
        From `classify`.
    level, interval
        As for `easitrace.response.proportions.with_proportions`.

    Returns
    -------
    DataFrame
        `denominator` ("patients" or "classified"), `class`, `count`, `n`, `proportion`, `lower`, `upper`, `method`.
    """
    counts = classes["class"].value_counts()
    classified = int(counts[list(CLASSIFIED)].sum())
    rows = [("patients", name, int(counts[name]), len(classes)) for name in CLASSES]
    rows += [("classified", name, int(counts[name]), classified) for name in CLASSIFIED]
    table = pd.DataFrame(rows, columns=["denominator", "class", "count", "n"])
    return with_proportions(table, "count", level=level, interval=interval)
