"""Sentences and captions that are made from results, so that no number is typed into a text."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.report.style import Style
from easitrace.response.expression import Combined, Expression, Percent, Reached, parse_criterion

LEAST, MOST = "\u2264", "\u2265"
QUARTILE_NAMES = {
    "linear": "linear interpolation (R type 7, NumPy's default)",
    "weibull": "(n + 1)p (R type 6, SPSS and Minitab)",
    "hazen": "Hazen (R type 5)",
    "median_unbiased": "median-unbiased (R type 8)",
    "normal_unbiased": "normal-unbiased (R type 9)",
}
SCALE_NAMES = {
    "raw": "the scores as they are",
    "log1p": "the natural logarithm of 1 + score",
    "sqrt": "the square root of the score",
}
COVARIANCE_NAMES = {
    "us": "unstructured",
    "toeph": "heterogeneous Toeplitz",
    "toep": "Toeplitz",
    "ar1h": "heterogeneous first-order autoregressive",
    "ar1": "first-order autoregressive",
    "csh": "heterogeneous compound symmetry",
    "cs": "compound symmetry",
    "adh": "heterogeneous ante-dependence",
    "ad": "ante-dependence",
}
DF_NAMES = {
    "satterthwaite": "Satterthwaite degrees of freedom",
    "kenward-roger": "Kenward-Roger degrees of freedom and standard errors",
    "kenward-roger-linear": "linear Kenward-Roger degrees of freedom and standard errors",
    "between-within": "between-within degrees of freedom",
    "residual": "residual degrees of freedom",
}
ESTIMAND_NAMES = {
    "treatment-policy": "treatment policy: every recorded score counts, also after treatment was stopped",
    "while-on-treatment": "while on treatment: scores count until treatment was stopped",
    "composite": "composite: stopping for inefficacy or side effects counts as non-response, "
    "and as the baseline score from then on",
    "hypothetical": "hypothetical: scores after stopping are set missing and modelled, as if treatment had continued",
}
LOSS_NAMES = {
    "strict": "the criterion is no longer met",
    "half_of_best": "more than half of the best improvement is lost",
}
COURSE_NUMBERS = {
    "n": "n",
    "median": "median",
    "q1": "q1",
    "q3": "q3",
    "change_of_median": "change_of_median",
    "median_change": "median_change",
}
CHANGE_NUMBERS = {"n_pairs": "pairs", "shift": "shift", "lower": "shift_lower", "upper": "shift_upper", "p": "p"}
INTERVAL_NAMES = {"wilson": "Wilson", "clopper-pearson": "Clopper-Pearson (exact)"}


def attendance_numbers(counts: pd.DataFrame) -> dict[str, int]:
    """`n_seen_week_12`, `n_stopped_week_12`, ... for every visit and state."""
    table = counts.groupby(["visit", "state"], observed=True)["n"].sum().reset_index()
    return {f"n_{slug(row['state'])}_{slug(row['visit'])}": int(row["n"]) for row in table.to_dict("records")}


def flow_sentence(counts: pd.DataFrame) -> str:
    """The flow in words, for readers who cannot see the diagram."""
    parts = []
    for visit, rows in counts.groupby("visit", observed=True, sort=False):
        states = ", ".join(
            f"{n} {state}{f' ({reason})' if reason else ''}"
            for state, reason, n in rows[["state", "reason", "n"]].values
        )
        parts.append(f"{visit}: {states}")
    return f"Of {int(counts.groupby('visit', observed=True)['n'].sum().iloc[0])} patients, at " + "; ".join(parts) + "."


def baseline_caption(cohort: Cohort) -> str:
    """`Characteristics at baseline, n = 25.`"""
    return f"Characteristics of the patients at baseline, n = {len(cohort.patients)}."


def quartile_note(quartiles: str) -> str:
    """Which quartiles were used; definitions differ between SPSS, SAS, R and NumPy."""
    return f"Median [first\u2013third quartile], by {QUARTILE_NAMES.get(quartiles, quartiles + ' (NumPy method)')}."


def points_label(cohort: Cohort) -> str:
    """The axis label of the outcome: `EASI (0\u201372), points`."""
    outcome = cohort.instrument()
    return f"{outcome.label} ({outcome.minimum:g}\u2013{outcome.maximum:g}), points"


def bands(cohort: Cohort) -> list[tuple[str, float, float]]:
    """The severity bands of the outcome as (label, lower, upper) in points; none when the instrument has none."""
    outcome = cohort.instrument()
    if not outcome.bands:
        return []
    first = outcome.bands[0]
    cuts = [outcome.minimum, *(border for border, _ in first.borders), outcome.maximum]
    return list(zip(first.labels, cuts[:-1], cuts[1:], strict=True))


def spaghetti_caption(cohort: Cohort) -> str:
    """Caption of the individual courses, with the source of the severity bands."""
    outcome = cohort.instrument()
    shaded = f" Severity bands: {outcome.bands[0].source}." if outcome.bands else ""
    return f"{outcome.label} of every patient (thin) and medians with quartiles (heavy) at the planned visits.{shaded}"


def course_note(quartiles: str, level: float) -> str:
    """How the columns of the course table were computed."""
    return (
        f"{quartile_note(quartiles)} Change of the median: median at the visit against the median at baseline, of the "
        f"patients seen at either; {level:.0%} CI by percentile bootstrap of patients. Median of the changes: of the "
        f"patients seen at both visits with a baseline above zero; {level:.0%} CI between order statistics."
    )


def paired_note(changes: pd.DataFrame) -> str:
    """Which test was done and how the shift is defined."""
    methods = "; ".join(dict.fromkeys(changes["method"]))
    return f"P: {methods}. Shift: Hodges-Lehmann estimate, later minus earlier. P values are not adjusted."


def changes_sentence(changes: pd.DataFrame, style: Style) -> str:
    """Paired shifts with their intervals in words."""
    parts = [
        f"{row['name']}: {style.number(row['shift'])} ({style.interval(row['lower'], row['upper'])}), "
        f"{row['n_pairs']} pairs"
        for row in changes.to_dict("records")
    ]
    return "Shift with interval, points: " + "; ".join(parts) + "."


def criterion_label(criterion: str, cohort: Cohort) -> str:
    """A criterion as a journal writes it: `easi50` is EASI-50, `easi<=7` is EASI \u2264 7."""
    return _in_words(parse_criterion(criterion, cohort.outcome), cohort)


def course_sentence(course: pd.DataFrame, label: str, style: Style) -> str:
    """The observed course in words: n and median at each visit."""
    parts = [f"{style.number(row['median'])} at {row['visit']} (n = {row['n']})" for row in course.to_dict("records")]
    return f"Median {label}: " + ", ".join(parts) + "."


def means_sentence(means: pd.DataFrame, label: str, style: Style) -> str:
    """Estimated means with their intervals in words."""
    parts = [
        f"{style.number(row['mean'])} ({style.interval(row['lower'], row['upper'])}) at {row['visit']}"
        for row in means.to_dict("records")
    ]
    return f"Estimated mean {label} with interval: " + ", ".join(parts) + "."


def shares_sentence(endpoints: pd.DataFrame, style: Style) -> str:
    """Responder proportions in words."""
    parts = [
        f"{row['criterion']} at {row['visit']}: {style.count(int(row['responders']), int(row['n']))}"
        for row in endpoints.to_dict("records")
    ]
    return "; ".join(parts) + "."


def classes_sentence(counts: pd.DataFrame) -> str:
    """Class sizes in words."""
    return "Patients by class: " + ", ".join(f"{name} {n}" for name, n in counts[["class", "count"]].values) + "."


def number_keys(table: pd.DataFrame, key: str, columns: Mapping[str, str]) -> dict[str, Any]:
    """Cells of a tidy table as named numbers: column `median`, row `week 4` -> `median_week_4`."""
    return {
        f"{prefix}_{slug(row[key])}": row[column]
        for row in table.to_dict("records")
        for column, prefix in columns.items()
    }


def slug(text: Any) -> str:
    """A visit, state or class as part of a number's name: `week 12` -> `week_12`."""
    return "_".join("".join(sign if sign.isalnum() else " " for sign in str(text).lower()).split())


def _in_words(expression: Expression, cohort: Cohort) -> str:
    if isinstance(expression, Combined):
        parts = [_in_words(part, cohort) for part in expression.parts]
        return f" {expression.word} ".join(
            f"({words})" if isinstance(part, Combined) else words
            for part, words in zip(expression.parts, parts, strict=True)
        )
    label = cohort.instrument(expression.instrument).label
    if isinstance(expression, Percent):
        return f"{label}-{expression.percent}"
    if isinstance(expression, Reached):
        return f"{label} {expression.relation.replace('<=', LEAST).replace('>=', MOST)} {expression.score}"
    return f"{label} {expression.direction} {MOST} {expression.points} points"
