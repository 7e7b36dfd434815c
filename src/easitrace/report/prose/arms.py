"""Sentences and notes about the arms of a trial."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.report.prose.words_of_numbers import joined, slug
from easitrace.report.style import Style
from easitrace.report.words import ARM_DIFFERENCE_NOTES, ARM_NUMBERS, DF_NAMES
from easitrace.response.arms import CHANGE, NO_DIFFERENCE, effects
from easitrace.response.sensitivity import distinct

EQUATIONS = {
    "common": r"g(Y_{ij}) = \mu_j + \tau_{a(i)j} + x_i^\top\beta + \varepsilon_{ij}, \qquad \tau_{a0} = 0",
    "own": r"g(Y_{ij}) = \mu_j + \tau_{a(i)j} + x_i^\top\beta + \varepsilon_{ij}",
    "covariate": r"g(Y_{ij}) = \mu_j + \tau_{a(i)j} + \gamma\, g(Y_{i0}) + x_i^\top\beta + \varepsilon_{ij}, "
    r"\qquad j \ge 1",
    "covariate-by-visit": r"g(Y_{ij}) = \mu_j + \tau_{a(i)j} + \gamma_j\, g(Y_{i0}) + x_i^\top\beta + "
    r"\varepsilon_{ij}, \qquad j \ge 1",
}
MEANINGS = {
    "common": "All arms have one mean at baseline, as randomisation makes them (constrained longitudinal data "
    "analysis), so that a difference between arms at a visit is also the difference between their changes, adjusted "
    "for the baseline. It is not for arms that were not randomised.",
    "own": "Every arm has a mean of its own at baseline too, as arms that were not randomised have; compared is "
    "the difference between their changes from baseline. It is not adjusted for the baseline score itself.",
    "covariate": "The baseline score is a covariate with the same slope at every visit, and the scores after baseline "
    "are the outcome. A patient without a score after baseline does not enter; changes are from the mean baseline, "
    "which is taken as known.",
    "covariate-by-visit": "The baseline score is a covariate with a slope of its own at every visit, and the scores "
    "after baseline are the outcome. A patient without a score after baseline does not enter; changes are from the "
    "mean baseline, which is taken as known.",
}


def of_arm(row: Mapping[Any, Any]) -> str:
    """` in placebo` for a row that is of one arm, or nothing."""
    return f" in {row['arm']}" if "arm" in row else ""


def arms_sentence(cohort: Cohort) -> str:
    """`placebo (reference, n = 80) and drug (n = 80)`."""
    counts = cohort.patients["arm"].value_counts()
    named = [f"{arm} ({'' if place else 'reference, '}n = {counts[arm]})" for place, arm in enumerate(cohort.arms)]
    return f"Arms: {joined(named)}."


def arm_counts(cohort: Cohort) -> dict[str, int]:
    """`n_patients_placebo`, ...; nothing without arms."""
    return {f"n_patients_{slug(arm)}": int((cohort.patients["arm"] == arm).sum()) for arm in cohort.arms}


def arm_model(baseline: str, *, covariance_by_arm: bool) -> str:
    """The model of arms as Markdown: its equation, what it says of the baseline, and what it is not."""
    own = " Each arm has a $\\Sigma$ of its own." if covariance_by_arm else " All arms share $\\Sigma$."
    return (
        "With arms, $\\mu_j$ is the course of the reference arm and $\\tau_{aj}$ what arm $a$ differs from it:\n\n"
        f"$${EQUATIONS[baseline]}.$$\n\n{MEANINGS[baseline]}{own}"
    )


def comparison_sentence(cohort: Cohort) -> str:
    """What the design allows to conclude."""
    if not cohort.arms:
        return (
            "There is no comparison group: the change is associated with treatment and time, regression to the mean "
            "included."
        )
    return (
        "A difference between arms is an effect of treatment only as far as the arms were randomised and the missing "
        "scores are as the model has them; the change within an arm is also one with time, regression to the mean "
        "included."
    )


def difference_numbers(differences: pd.DataFrame) -> dict[str, Any]:
    """`arm_difference_drug_v_placebo_week_12`, ...; `..._of_changes_...` where those are what compares the arms."""
    prefix = {CHANGE: "arm_difference_of_changes"}
    return {
        f"{prefix.get(row['quantity'], 'arm_difference')}{suffix}_{slug(row['name'])}_{slug(row['visit'])}": row[column]
        for row in differences.to_dict("records")
        for column, suffix in ARM_NUMBERS.items()
    }


def differences_sentence(differences: pd.DataFrame, style: Style) -> str:
    """Differences between arms with their intervals in words."""
    parts = [
        f"{row['name']} at {row['visit']}: {style.number(row['estimate'])} "
        f"({style.interval(row['lower'], row['upper'])})"
        for row in effects(differences).to_dict("records")
    ]
    return "Difference between arms with interval: " + "; ".join(parts) + "."


def differences_note(differences: pd.DataFrame, scale: str, df: str) -> str:
    """What a difference between arms is, and by which inference."""
    own = (differences["quantity"] == CHANGE).any()
    changes = " Of changes: differences between the changes from baseline, which compare the arms." if own else ""
    inference = f"{DF_NAMES[df][0].upper()}{DF_NAMES[df][1:]}"
    return f"{ARM_DIFFERENCE_NOTES[scale]}{changes} {inference}. P values are not adjusted."


def joint_template(tests: pd.DataFrame) -> str:
    """A sentence on the joint tests; its fields are those of `joint_values`."""
    parts = [
        f"{hypothesis}: F = {{joint_f_{key}:.2f}} on {{joint_df1_{key}:d}} and {{joint_df2_{key}:.1f}} degrees of "
        f"freedom, {{joint_p_{key}:p}}"
        for hypothesis, key in zip(tests["hypothesis"], _joint_keys(tests), strict=True)
    ]
    return "Joint tests, of " + "; of ".join(parts) + "."


def joint_values(tests: pd.DataFrame) -> dict[str, Any]:
    """`joint_f_none`, ... of no difference at all and `joint_f_same`, ... of the same difference at every visit."""
    return {
        f"joint_{name}_{key}": row[name]
        for key, row in zip(_joint_keys(tests), tests.to_dict("records"), strict=True)
        for name in ("f", "df1", "df2", "p")
    }


def _joint_keys(tests: pd.DataFrame) -> list[str]:
    return ["none" if hypothesis == NO_DIFFERENCE else "same" for hypothesis in tests["hypothesis"]]


def comparison_numbers(comparisons: pd.DataFrame) -> dict[str, Any]:
    """`arm_shift_drug_v_placebo_week_12`, ... of the observed scores of each arm against the reference."""
    columns = {"shift": "arm_shift", "lower": "arm_shift_lower", "upper": "arm_shift_upper", "p": "arm_shift_p"}
    return {
        f"{prefix}_{slug(row['name'])}_{slug(row['visit'])}": row[column]
        for row in comparisons.to_dict("records")
        for column, prefix in columns.items()
    }


def comparisons_note(comparisons: pd.DataFrame) -> str:
    """Which test was done and how the shift is defined."""
    methods = "; ".join(dict.fromkeys(comparisons["method"]))
    return (
        f"P: {methods}. Shift: Hodges-Lehmann estimate, the arm minus the reference, of the patients seen. "
        "P values are not adjusted."
    )


def responder_numbers(compared: pd.DataFrame) -> dict[str, Any]:
    """`risk_difference_drug_v_placebo_easi75_week_16`, ..., `odds_ratio_...`, and `share_easi75_week_16_drug`, ..."""
    shares = {
        f"{prefix}_{slug(row['criterion'])}_{slug(row['visit'])}_{slug(row[arm])}": row[column]
        for row in compared.to_dict("records")
        for arm, own in (("arm", ""), ("reference", "reference_"))
        for prefix, column in (("share", f"{own}proportion"), ("responders", f"{own}responders"), ("n", f"{own}n"))
    }
    columns = {
        "difference": "risk_difference",
        "difference_lower": "risk_difference_lower",
        "difference_upper": "risk_difference_upper",
        "odds_ratio": "odds_ratio",
        "odds_lower": "odds_ratio_lower",
        "odds_upper": "odds_ratio_upper",
        "odds_p": "odds_ratio_p",
    }
    return shares | {
        f"{prefix}_{slug(row['arm'])}_v_{slug(row['reference'])}_{slug(row['criterion'])}_{slug(row['visit'])}": value
        for row in compared.to_dict("records")
        for value, prefix in ((row[column], prefix) for column, prefix in columns.items())
    }


def responders_by_arm_note(level: float) -> str:
    """How the columns were computed."""
    return (
        f"Difference: of proportions, the arm minus the reference, with Newcombe's hybrid score {level:.0%} interval. "
        "Odds ratio and P: marginal logistic model in each arm (generalised estimating equations, exchangeable, "
        "Mancl and DeRouen's standard errors); a dash where all or none of an arm respond. Neither is adjusted for "
        "covariates or strata; P values are not adjusted."
    )


def arm_shares_sentence(shares: pd.DataFrame, names: Mapping[str, str], style: Style) -> str:
    """Responder proportions of the arms at the last visit in words."""
    last = shares[shares["week"] == shares["week"].max()]
    parts = [
        f"{names[row['criterion']]} {style.percent(row['proportion'])} in {row['arm']}"
        for row in last.to_dict("records")
    ]
    return f"Responders at {last['visit'].iloc[0]}: {', '.join(parts)}."


def pooled_arms(what: str) -> str:
    """That a part of the report is of all patients, whatever their arm."""
    return f"{what} of all arms together."


def sensitivity_note(table: pd.DataFrame) -> str:
    """What can be compared in the table of other models."""
    lacking = " Not estimable: the data do not carry the structure." if table["mean"].isna().any() else ""
    note = f"AIC compares structures on the same scale only.{lacking}"
    if "difference" not in table:
        return note
    units = "in points, in percent of 1 + score, and on the square root of the score"
    return f"{note} Difference: against {table['arm'].iloc[0]}, by scale {units}."


def arm_estimand_numbers(table: pd.DataFrame) -> dict[str, Any]:
    """`arm_difference_drug_v_placebo_composite_mi`, ... by arm, estimand and rule."""
    columns = {"estimate": "", "lower": "_lower", "upper": "_upper", "p": "_p"}
    keyed = table.assign(
        key=table["arm"] + " v " + table["reference"] + " " + table["estimand"] + " " + table["missing"]
    )
    return {
        f"arm_difference{suffix}_{slug(row['key'])}": row[column]
        for row in keyed.to_dict("records")
        for column, suffix in columns.items()
    }


def arm_estimands_note(imputations: int, baseline: str) -> str:
    """How the rows were computed."""
    adjusted = " and adjusted for the baseline" if baseline != "own" else ""
    return (
        f"Recorded only: the trajectory model of arms, with covariates{adjusted}. Last score carried and multiple "
        f"imputation ({imputations} imputations, of each arm from its own patients): difference between mean changes "
        "from baseline, not adjusted. Responders: Newcombe's hybrid score limits. A dash: the rule says nothing about "
        "scores, or there is no estimate."
    )


def arm_holds_sentence(table: pd.DataFrame) -> str:
    """In how many analyses the interval of the difference says the same."""
    known = distinct(table.dropna(subset=["estimate"])[["estimand", "missing", "arm", "estimate", "lower", "upper"]])
    parts = []
    for arm, rows in known.groupby("arm", sort=False):
        sides = {"below zero": int((rows["upper"] < 0).sum()), "above zero": int((rows["lower"] > 0).sum())}
        in_all = next((side for side, n in sides.items() if n == len(rows)), "")
        told = joined([f"lies {side} in {n}" for side, n in sides.items() if n])
        reached = f"{told} of" if told else "includes zero in all"
        reached = f"lies {in_all} in all" if in_all else reached
        parts.append(f"between {arm} and {table['reference'].iloc[0]} {reached} {len(rows)} different analyses")
    return f"The interval of the difference {'; '.join(parts)}."
