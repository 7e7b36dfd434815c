"""What the options of a report are called in print, and under which names its numbers are kept."""

import datetime

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
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
    "hypothetical": "hypothetical: scores after stopping, or after rescue medication where it was recorded, are set "
    "missing and modelled, as if treatment had continued",
}
MISSING_NAMES = {
    "observed": "recorded scores only",
    "nri": "non-responder imputation",
    "locf": "last observation carried forward",
    "mi": "multiple imputation",
}
SHORT_MISSING = {
    "observed": "Recorded only",
    "nri": "Stopped = non-response",
    "locf": "Last score carried",
    "mi": "Multiple imputation",
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
CLASS_NUMBERS = {"count": "n", "proportion": "share", "lower": "share_lower", "upper": "share_upper"}
ENDPOINT_NUMBERS = {
    "responders": "responders",
    "n": "n",
    "proportion": "share",
    "lower": "share_lower",
    "upper": "share_upper",
}
INTERVAL_NAMES = {"wilson": "Wilson", "clopper-pearson": "Clopper-Pearson (exact)"}
MEAN_NUMBERS = {"mean": "estimated_mean", "lower": "estimated_lower", "upper": "estimated_upper"}
CONTRAST_NUMBERS = {
    "estimate": "model_change",
    "lower": "model_change_lower",
    "upper": "model_change_upper",
    "p": "model_p",
}
SCALE_NOTES = {
    "raw": "Means and limits are on the scale of the scores.",
    "log1p": "Means of log(1 + score) and their limits, transformed back by exp(m) \u2212 1: nearer to the median than "
    "to the arithmetic mean of skewed scores.",
    "sqrt": "Means of the square root of the scores and their limits, squared.",
}
DIFFERENCE_NOTES = {
    "raw": "Differences of means, later minus earlier, in points.",
    "log1p": "Differences of means of log(1 + score) as percent change of 1 + score, later against earlier.",
    "sqrt": "Differences of means of the square root of the score, later minus earlier.",
}
ARM_DIFFERENCE_NOTES = {
    "raw": "Differences of means, the arm named first minus the other, in points.",
    "log1p": "Differences of means of log(1 + score) as percent difference of 1 + score, the arm named first against "
    "the other.",
    "sqrt": "Differences of means of the square root of the score, the arm named first minus the other.",
}
ARM_UNITS = {
    "raw": "Difference, points",
    "log1p": "Difference of 1 + score, %",
    "sqrt": "Difference of the square root",
}
ARM_NUMBERS = {"estimate": "", "lower": "_lower", "upper": "_upper", "p": "_p"}
QUANTITY_NAMES = {"score": "", "change": ", difference of changes"}
UNITS = {"raw": " points", "log1p": "% in 1 + score", "sqrt": " in the square root of the score"}
SHORT_SCALES = {"raw": "score", "log1p": "log(1 + score)", "sqrt": "square root"}
SHORT_CLASSES = {
    "responder": "Responder",
    "temporary responder": "Temporary",
    "non-responder": "Non-responder",
    "stopped for side effects": "Stopped, side effects",
    "stopped, other reason": "Stopped, other",
    "not classifiable yet": "Not yet",
    "not classifiable, visit missing": "Visit missing",
}
PROGRAMS = {
    "mmrm": "R mmrm, polished to its optimum",
    "kenward_roger": "Kenward-Roger standard errors, natural and other parameters",
    "lmm": "R lme4 with lmerTest and pbkrtest",
}


def written_day(day: datetime.date) -> str:
    """A day in print: 3 May 2021."""
    return f"{day.day} {written_month(day)}"


def written_month(day: datetime.date) -> str:
    """Its month in print: May 2021."""
    return f"{MONTHS[day.month - 1]} {day.year}"
