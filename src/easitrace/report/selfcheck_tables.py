"""What belongs together in the tables and numbers of a report: sums, estimates and limits, sentences and cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from easitrace.report.prose.sensitivity import SENSITIVITY_NUMBERS
from easitrace.report.prose.words_of_numbers import slug
from easitrace.report.words import (
    CHANGE_NUMBERS,
    CLASS_NUMBERS,
    CONTRAST_NUMBERS,
    COURSE_NUMBERS,
    ENDPOINT_NUMBERS,
    MEAN_NUMBERS,
)
from easitrace.response.classify import CLASSES
from easitrace.response.endpoints import LEFT_OUT

PATIENTS = "patients of the cohort"


@dataclass(frozen=True)
class Sum:
    """Columns of a table that add up to another one, or to the patients of the cohort.

    Attributes
    ----------
    table : str
        `<chapter>_<name>`.
    parts : tuple of str
        Columns that are added.
    total : str
        A column, or `PATIENTS`.
    by : tuple of str
        Columns within which rows are added too.
    added : bool
        Whether rows are added (within `by`, or all of them).
    """

    table: str
    parts: tuple[str, ...]
    total: str
    by: tuple[str, ...] = ()
    added: bool = False


@dataclass(frozen=True)
class Said:
    """Numbers of a chapter's sentences that are cells of a table: `median_week_4` is column `median` of a row.

    Attributes
    ----------
    chapter, table : str
        Whose numbers; `<chapter>_<name>` of the table.
    keys : tuple of str
        Columns that name the row.
    columns : mapping
        Column to the first part of the number's name.
    before : str
        A word put before the keys.
    only : mapping
        Rows that are meant: column to value.
    """

    chapter: str
    table: str
    keys: tuple[str, ...]
    columns: Mapping[str, str]
    before: str = ""
    only: tuple[tuple[str, str], ...] = ()

    def names(self, row: Mapping[Any, Any]) -> dict[str, str]:
        """Column to the name its cell in this row has among the numbers; nothing for rows that are not meant."""
        if any(row[column] != value for column, value in self.only):
            return {}
        named = [*self.keys, *(["arm"] if "arm" in row else [])]
        keys = [f"{row[key]:g}" if isinstance(row[key], float) else str(row[key]) for key in named]
        return {column: f"{first}_{slug(' '.join([self.before, *keys]))}" for column, first in self.columns.items()}


MARGINAL_NUMBERS = {"probability": "marginal", "lower": "marginal_lower", "upper": "marginal_upper"}
SURVIVAL_NUMBERS = {"survival": "on_treatment", "at_risk": "at_risk", "stopped": "stopped_by"}
INSTRUMENT_COURSES = {"n": "n", "median": "median"}
INSTRUMENT_CHANGES = {"n_pairs": "pairs", "shift": "shift", "lower": "shift_lower", "upper": "shift_upper", "p": "p"}

COUNTS = ("n", "n_pairs", "n_change", "n_known", "at_risk", "recorded", "recorded_n", "seen", "responders", "patients")
NUMERATORS = ("count", "responders", "met", "patients", "stopped")
SHARES = ("p", "proportion", "share", "probability", "survival")
LIMITS = ("lower", "upper")
ESTIMATES = (
    *((name, *LIMITS) for name in ("probability", "survival", "proportion", "shift", "rho", "mean")),
    *((name, *LIMITS) for name in ("estimate", "difference")),
    *((name, f"{name}_lower", f"{name}_upper") for name in ("mean", "change", "share", "rate", "incidence")),
    ("median_change", "median_change_lower", "median_change_upper"),
    ("recorded_proportion", "recorded_lower", "recorded_upper"),
)
SUMS = (
    Sum("01_cohort_missing", ("recorded", "missing"), "seen"),
    Sum("01_cohort_baseline", ("n", "missing"), PATIENTS),
    Sum("01_cohort_baseline", ("count",), "n", by=("variable",), added=True),
    Sum("02_course_course", ("n", "missing"), PATIENTS),
    Sum("04_response_classes", ("count",), "n", by=("denominator",), added=True),
    Sum("04_response_classes_by_arm", ("count",), "n", by=("arm", "denominator"), added=True),
    Sum("04_response_rules", CLASSES, PATIENTS),
    Sum("04_response_reasons", ("count",), PATIENTS, added=True),
    Sum("04_response_expected_classes", ("expected",), PATIENTS, by=("reliability",), added=True),
    *(Sum(f"04_response_{name}", ("n", "left_out"), PATIENTS) for name in ("endpoints", "endpoints_by_rule")),
    Sum("04_response_endpoints_by_rule", ("known", "by_rule"), "n"),
    Sum("08_sensitivity_estimands", ("n", "left_out"), PATIENTS),
    *(Sum(name, LEFT_OUT, "left_out") for name in ("04_response_endpoints", "06_patient_reported_responders")),
    Sum("06_patient_reported_by_visit", ("n", "missing"), PATIENTS),
    Sum("06_patient_reported_responders", ("n", "left_out"), PATIENTS),
    Sum("06_patient_reported_targets", ("met", "not_met"), "n"),
    Sum("06_patient_reported_targets", ("n", "undefined", "not_known"), PATIENTS),
    Sum("08_sensitivity_estimands", ("known", "failures", "decided"), "n"),
)
SAID = (
    Said("02_course", "02_course_course", ("visit",), COURSE_NUMBERS),
    Said("02_course", "02_course_paired", ("name",), CHANGE_NUMBERS),
    Said("03_trajectory", "03_trajectory_mean_estimates", ("visit",), MEAN_NUMBERS),
    Said("03_trajectory", "03_trajectory_contrasts", ("name",), CONTRAST_NUMBERS),
    Said("04_response", "04_response_classes", ("class",), CLASS_NUMBERS, only=(("denominator", "patients"),)),
    Said("04_response", "04_response_endpoints", ("criterion", "visit"), ENDPOINT_NUMBERS),
    Said("04_response", "04_response_marginal", ("criterion", "visit"), MARGINAL_NUMBERS),
    Said("06_patient_reported", "06_patient_reported_by_visit", ("instrument", "visit"), INSTRUMENT_COURSES),
    Said("06_patient_reported", "06_patient_reported_changes", ("instrument", "to"), INSTRUMENT_CHANGES),
    Said("07_treatment", "07_treatment_by_week", ("week",), SURVIVAL_NUMBERS, before="week"),
    Said("08_sensitivity", "08_sensitivity_estimands", ("estimand", "missing"), SENSITIVITY_NUMBERS),
    Said("02_course", "00_summary_glance", ("visit",), {"n": "n", "median": "median", "q1": "q1", "q3": "q3"}),
    Said("03_trajectory", "00_summary_glance", ("visit",), MEAN_NUMBERS),
)
