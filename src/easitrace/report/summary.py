"""The key results of a report: every number is taken from the results of the other chapters."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from easitrace.cohort.cohort import Cohort, Visit
from easitrace.errors import MachineError, Problem
from easitrace.report.prose import joined, slug

COURSE, TRAJECTORY, RESPONSE = "02_course", "03_trajectory", "04_response"


def read_chapters(output: str | Path | None, study: str) -> dict[str, dict[str, Any]]:
    """What every finished chapter left, by chapter; of this run, or of the study's last report.

    Parameters
    ----------
    output : str, Path or None
        Folder the chapters wrote into; None looks for `reports/<study>/` here and in the folder above.

    Returns
    -------
    dict
        Chapter to `title`, `status` ("complete" or "skipped", then with `reason`), `numbers`, `tables`, `figures`.

    Raises
    ------
    MachineError
        E620 when there are no results.
    """
    places = [Path(output)] if output else [Path("reports", study), Path("..", "reports", study)]
    for place in places:
        if (place / "results.json").is_file():
            return dict(json.loads((place / "results.json").read_text(encoding="utf-8")))
    tried = joined([str(place / "results.json") for place in places])
    raise MachineError(Problem("E620", tried, "no results to summarise", "run the other chapters first"))


def numbers_of(chapters: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The numbers of every complete chapter."""
    return {name: chapter["numbers"] for name, chapter in chapters.items() if chapter["status"] == "complete"}


def reasons_of(chapters: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Why a chapter has nothing to show, of every skipped chapter."""
    return {name: chapter["reason"] for name, chapter in chapters.items() if chapter["status"] == "skipped"}


def glance(results: Mapping[str, Mapping[str, Any]], cohort: Cohort, criterion: str) -> pd.DataFrame:
    """The course at a glance, one row per visit, and per arm when there are arms.

    Returns
    -------
    DataFrame
        `arm` (when there are arms), `visit`, `week`, `n`, `median`, `q1`, `q3`; `mean`, `lower`, `upper` (estimated);
        `responders`, `n_known`. Missing where a chapter has nothing to say.
    """
    arms: tuple[str, ...] = cohort.arms or ("",)
    rows = [_at_visit(results, visit, slug(criterion), arm) for arm in arms for visit in cohort.schedule]
    return pd.DataFrame(rows)


def _at_visit(results: Mapping[str, Mapping[str, Any]], visit: Visit, criterion: str, arm: str) -> dict[str, Any]:
    course, model, response = (results.get(name, {}) for name in (COURSE, TRAJECTORY, RESPONSE))
    here = slug(f"{visit.label} {arm}")
    return {
        **({"arm": arm} if arm else {}),
        "visit": visit.label,
        "week": visit.week,
        "n": course.get(f"n_{here}"),
        **{name: course.get(f"{name}_{here}") for name in ("median", "q1", "q3")},
        "mean": model.get(f"estimated_mean_{here}"),
        "lower": model.get(f"estimated_lower_{here}"),
        "upper": model.get(f"estimated_upper_{here}"),
        "responders": response.get(f"responders_{criterion}_{here}"),
        "n_known": response.get(f"n_{criterion}_{here}"),
    }
