"""The key results of a report: every number is taken from the results of the other chapters."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from easitrace.cohort.cohort import Cohort, Visit
from easitrace.errors import MachineError, Problem
from easitrace.report.prose import joined, slug
from easitrace.report.style import Style
from easitrace.report.words import COVARIANCE_NAMES, DF_NAMES, ESTIMAND_NAMES, INTERVAL_NAMES, LOSS_NAMES, SCALE_NAMES

COURSE, TRAJECTORY, RESPONSE = "02_course", "03_trajectory", "04_response"


def read_results(output: str | Path | None, study: str) -> dict[str, dict[str, Any]]:
    """The numbers of every finished chapter, by chapter; of this run, or of the study's last report.

    Parameters
    ----------
    output : str, Path or None
        Folder the chapters wrote into; None looks for `reports/<study>/` here and in the folder above.

    Raises
    ------
    MachineError
        E620 when there are no results.
    """
    places = [Path(output)] if output else [Path("reports", study), Path("..", "reports", study)]
    for place in places:
        if (place / "results.json").is_file():
            chapters = json.loads((place / "results.json").read_text(encoding="utf-8"))
            return {name: chapter["numbers"] for name, chapter in chapters.items() if chapter["status"] == "complete"}
    tried = joined([str(place / "results.json") for place in places])
    raise MachineError(Problem("E620", tried, "no results to summarise", "run the other chapters first"))


def glance(results: Mapping[str, Mapping[str, Any]], cohort: Cohort, criterion: str) -> pd.DataFrame:
    """The course at a glance, one row per visit.

    Returns
    -------
    DataFrame
        `visit`, `week`, `n`, `median`; `mean`, `lower`, `upper` (estimated); `responders`, `n_known`. Missing where
        a chapter has nothing to say.
    """
    return pd.DataFrame([_at_visit(results, visit, slug(criterion)) for visit in cohort.schedule])


def _at_visit(results: Mapping[str, Mapping[str, Any]], visit: Visit, criterion: str) -> dict[str, Any]:
    course, model, response = (results.get(name, {}) for name in (COURSE, TRAJECTORY, RESPONSE))
    here = slug(visit.label)
    return {
        "visit": visit.label,
        "week": visit.week,
        "n": course.get(f"n_{here}"),
        "median": course.get(f"median_{here}"),
        "mean": model.get(f"estimated_mean_{here}"),
        "lower": model.get(f"estimated_lower_{here}"),
        "upper": model.get(f"estimated_upper_{here}"),
        "responders": response.get(f"responders_{criterion}_{here}"),
        "n_known": response.get(f"n_{criterion}_{here}"),
    }


def last_change(results: Mapping[str, Mapping[str, Any]], cohort: Cohort, week: float) -> dict[str, Any]:
    """Paired shift and estimated change between baseline and a week, under fixed names; None when not there."""
    visit = next(visit for visit in cohort.schedule if visit.week == week)
    pair = slug(f"{visit.label} v {cohort.baseline.label}")
    course, model = results.get(COURSE, {}), results.get(TRAJECTORY, {})
    names = ("pairs", "shift", "shift_lower", "shift_upper", "p")
    found = {name: course.get(f"{name}_{pair}") for name in names}
    for name in ("model_change", "model_change_lower", "model_change_upper", "model_p"):
        found[name] = model.get(f"{name}_{pair}")
    return found


def class_numbers(results: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Patients by response group, in all, and not in any group."""
    response = results[RESPONSE]
    groups = {name: response[f"n_{name}"] for name in ("responder", "temporary_responder", "non_responder")}
    everyone = sum(value for key, value in response.items() if key.startswith("n_") and key[2:] in _CLASS_KEYS)
    classified = sum(groups.values())
    return {**groups, "classified": classified, "not_classified": everyone - classified}


_CLASS_KEYS = {
    "responder",
    "temporary_responder",
    "non_responder",
    "stopped_for_side_effects",
    "stopped_other_reason",
    "not_classifiable_yet",
    "not_classifiable_visit_missing",
}


def methods(cohort: Cohort, choices: Mapping[str, Any], style: Style) -> str:
    """The methods paragraph: data, estimand, model, tests, classes, intervals, as they were chosen."""
    from importlib.metadata import version

    visits = joined([visit.label for visit in cohort.schedule])
    level = style.percent(choices["level"])
    covariates = [name.replace("_", " ") for name in choices["covariates"]]
    adjusted = f" and {joined(covariates)}" if covariates else ""
    return (
        f"{cohort.instrument().label} was recorded at {visits}. The estimand follows the strategy "
        f"{ESTIMAND_NAMES[choices['estimand']]}. Observed scores are summarised by median and quartiles; changes "
        f"between visits were tested by the Wilcoxon signed-rank test and estimated by the Hodges-Lehmann shift with "
        f"{level} confidence intervals. The mean course was estimated by a mixed model for repeated measures on the "
        f"scale of {SCALE_NAMES[choices['scale']]}, with visit{adjusted} as fixed effects and "
        f"{COVARIANCE_NAMES[choices['covariance']]} covariance, by restricted maximum likelihood, with "
        f"{DF_NAMES[choices['df']]}; missing scores were assumed missing at random. Response was "
        f"{choices['criterion_label']}, judged at week {choices['decision_week']:g}; it was lost when "
        f"{LOSS_NAMES[choices['loss_rule']]}. Proportions have {INTERVAL_NAMES[choices['interval']]} {level} "
        f"confidence intervals. P values are two-sided and not adjusted for multiple testing. Analyses were done with "
        f"easitrace {version('easitrace')} and statsmodels {version('statsmodels')}."
    )
