"""Responders by arm: proportions and what they differ in, marginal odds ratios, response classes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from easitrace.cohort.arms import ARM, by_arm, each_arm
from easitrace.cohort.cohort import Cohort
from easitrace.response.by_rule import endpoints_by_rule
from easitrace.response.marginal_endpoints import marginal_endpoints
from easitrace.response.proportions import limits
from easitrace.response.rules import Rule, class_counts
from easitrace.response.sensitivity import Case

KEYS = ["criterion", "visit", "week"]
SHARE = ["proportion", "lower", "upper"]


def endpoints_by_arm(case: Case, criteria: Sequence[str], missing: str) -> pd.DataFrame:
    """`by_rule.endpoints_by_rule` in each arm; scores are imputed from the arm's own patients.

    Where an arm cannot be imputed, "observed" takes the place of "mi" in all, and `missing` says so.
    """
    plan = replace(case.plan, covariates=[name for name in case.plan.covariates if name != ARM])
    arms = {arm: replace(case, cohort=part, plan=plan) for arm, part in each_arm(case.cohort).items()}
    used = "observed" if missing == "mi" and any(own.failure() for own in arms.values()) else missing
    tables = [endpoints_by_rule(own, criteria, used).assign(arm=arm) for arm, own in arms.items()]
    table = pd.concat(tables, ignore_index=True)
    return table[[ARM, *(name for name in table.columns if name != ARM)]]


def risk_differences(endpoints: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Each other arm less the reference, in the proportion of responders.

    The limits are Newcombe's hybrid score limits (1998, Stat Med 17:873, method 10), from Wilson's limits of the two
    proportions; of imputed responses from the pooled ones (Zou & Donner 2008, Stat Med 27:1693).

    Parameters
    ----------
    endpoints : DataFrame
        From `endpoints_by_arm`.

    Returns
    -------
    DataFrame
        `criterion`, `visit`, `week`, `arm`, `reference`, `responders`, `n`, `proportion`, the same of the reference as
        `reference_...`, `difference`, `difference_lower`, `difference_upper` (proportions; missing where an arm has no
        known response).
    """
    reference = endpoints[ARM].iloc[0]
    table = endpoints[[ARM, *KEYS, "responders", "n", *SHARE]].copy()
    counted = table["responders"].notna()
    wilson = limits(table["responders"].fillna(0), table["n"], level=level, interval="wilson")
    for name, limit in zip(("lower", "upper"), wilson, strict=True):
        table[name] = table[name].where(~counted, limit)
    named = {name: f"reference_{name}" for name in ("responders", "n", *SHARE)}
    base = table[table[ARM] == reference].drop(columns=ARM).rename(columns=named)
    both = table[table[ARM] != reference].merge(base, on=KEYS, how="left").assign(reference=reference)
    below = np.hypot(both["proportion"] - both["lower"], both["reference_upper"] - both["reference_proportion"])
    above = np.hypot(both["upper"] - both["proportion"], both["reference_proportion"] - both["reference_lower"])
    both["difference"] = both["proportion"] - both["reference_proportion"]
    both = both.assign(difference_lower=both["difference"] - below, difference_upper=both["difference"] + above)
    limited = ["difference_lower", "difference_upper"]
    theirs = [f"reference_{name}" for name in ("responders", "n", "proportion")]
    shown: pd.DataFrame = both[
        [*KEYS, ARM, "reference", "responders", "n", "proportion", *theirs, "difference", *limited]
    ]
    return shown


def odds_ratios(
    cohort: Cohort, criteria: Sequence[str], rule: Rule, *, working: str = "exchangeable", level: float = 0.95
) -> pd.DataFrame:
    """Marginal probability of response in each arm, and its odds against those of the reference.

    The marginal model is fitted in each arm, which is the model with visit, arm and their interaction, the answers of
    a patient correlated by arm. The arms are independent, so that variances of logits add up.

    Returns
    -------
    DataFrame
        `criterion`, `visit`, `week`, `arm`, `reference`, `probability`, `reference_probability`, `odds_ratio`,
        `lower`, `upper`, `p` (normal); missing where all or none of an arm respond.
    """
    from scipy.stats import norm

    table = by_arm(marginal_endpoints, cohort, criteria, rule, working=working, level=level)
    base = table[table[ARM] == cohort.arms[0]][[*KEYS, "estimate", "se", "probability"]]
    others = table[table[ARM] != cohort.arms[0]]
    both = others.merge(base, on=KEYS, how="left", suffixes=("", "_reference"))
    apart, se = both["estimate"] - both["estimate_reference"], np.hypot(both["se"], both["se_reference"])
    half = norm.ppf((1 + level) / 2) * se
    moved = {"odds_ratio": np.exp(apart), "lower": np.exp(apart - half), "upper": np.exp(apart + half)}
    both = both.assign(reference=cohort.arms[0], **moved, p=2 * norm.sf(np.abs(apart / se)))
    both = both.rename(columns={"probability_reference": "reference_probability"})
    shown = ["probability", "reference_probability", "odds_ratio", "lower", "upper", "p"]
    return both[[*KEYS, ARM, "reference", *shown]]


def compared_endpoints(
    case: Case, criteria: Sequence[str], rule: Rule, missing: str, *, level: float = 0.95
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`endpoints_by_arm`, and `risk_differences` with the `odds_ratios` beside them as `odds_...`."""
    shares = endpoints_by_arm(case, criteria, missing)
    odds = odds_ratios(case.cohort, criteria, rule, level=level)
    named = {"odds_ratio": "odds_ratio", "lower": "odds_lower", "upper": "odds_upper", "p": "odds_p"}
    odds = odds[[*KEYS, ARM, *named]].rename(columns=named)
    return shares, risk_differences(shares, level).merge(odds, on=[*KEYS, ARM], how="left")


def classes_by_arm(
    cohort: Cohort, classes: pd.DataFrame, *, level: float = 0.95, interval: str = "wilson"
) -> pd.DataFrame:
    """`rules.class_counts` of each arm, `arm` first."""
    tables = []
    for arm, part in each_arm(cohort).items():
        own = classes[classes["patient"].isin(part.patients["patient"])]
        tables.append(class_counts(own, level=level, interval=interval).assign(arm=arm))
    table = pd.concat(tables, ignore_index=True)
    return table[[ARM, *(name for name in table.columns if name != ARM)]]
