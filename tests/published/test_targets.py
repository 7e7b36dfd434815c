"""What the search aims at is what the response rules later say."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easitrace.cohort.builtin import cohort_from_files
from easitrace.cohort.cohort import Cohort
from easitrace.instruments import EASI, Instrument, at_least_as_good, improved_by, improved_points
from easitrace.published.course import COURSES, Fates
from easitrace.published.draws import normal, shuffled
from easitrace.published.margins import margin_of
from easitrace.published.summary import Summary
from easitrace.published.targets import targets_of
from easitrace.response.classify import classify

Integers = npt.NDArray[np.int64]
WEEKS = [0, 4, 12, 24]
BETTER_HIGHER = Instrument("qol", "quality of life", 0, 100, 1, "higher")


def whole_grid() -> tuple[Integers, Integers]:
    before, after = np.meshgrid(np.arange(1, 721, 7), np.arange(0, 721), indexing="ij")
    return before.ravel(), after.ravel()


@pytest.mark.parametrize("percent", [50, 75, 90, 33])
def test_margin_of_a_percentage_is_the_criterion_on_the_grid(percent: int) -> None:
    before, after = whole_grid()
    met = improved_by(before / 10, after / 10, percent).to_numpy(dtype=bool)
    assert ((margin_of(f"easi{percent}", EASI)(before, after) <= 0) == met).all()


def test_margins_of_scores_and_points() -> None:
    before, after = whole_grid()
    low = at_least_as_good(after / 10, 7).to_numpy(dtype=bool)
    drop = improved_points(before / 10, after / 10, 6.6).to_numpy(dtype=bool)
    assert ((margin_of("easi<=7", EASI)(before, after) <= 0) == low).all()
    assert ((margin_of("drop>=6.6", EASI)(before, after) <= 0) == drop).all()
    assert ((margin_of("drop>=6.55", EASI)(before, after) <= 0) == drop).all()
    assert ((margin_of("easi<=7.05", EASI)(before, after) <= 0) == low).all()
    assert ((margin_of("easi<=7 and drop>=6.6", EASI)(before, after) <= 0) == (low & drop)).all()
    assert ((margin_of("easi<=7 or drop>=6.6", EASI)(before, after) <= 0) == (low | drop)).all()


def test_margins_where_higher_is_better() -> None:
    before, after = (x.ravel() for x in np.meshgrid(np.arange(1, 101), np.arange(0, 101)))
    gain = improved_by(before, after, 50, "higher").to_numpy(dtype=bool)
    rise = improved_points(before, after, 10, "higher").to_numpy(dtype=bool)
    good = at_least_as_good(after, 60, "higher").to_numpy(dtype=bool)
    assert ((margin_of("qol50", BETTER_HIGHER)(before, after) <= 0) == gain).all()
    assert ((margin_of("rise>=10", BETTER_HIGHER)(before, after) <= 0) == rise).all()
    assert ((margin_of("qol>=60", BETTER_HIGHER)(before, after) <= 0) == good).all()


def as_cohort(scores: Integers, seen: npt.NDArray[np.bool_]) -> Cohort:
    rows = ["patient,visit,week,day,after_stop,easi"]
    rows += [
        f"P{patient:02d},week {week},{week},{7 * week},False,{scores[patient, k] / 10:.1f}"
        for patient in range(len(scores))
        for k, week in enumerate(WEEKS)
        if seen[patient, k]
    ]
    people = ["patient,stop_day,stop_reason,status", *(f"P{patient:02d},,,completed" for patient in range(len(scores)))]
    files = {"visits.csv": rows, "patients.csv": people, "events.csv": ["patient,event,day,serious"]}
    files["dictionary.csv"] = ["file,column,unit,origin,meaning"]
    return cohort_from_files({name: "\n".join(lines).encode() for name, lines in files.items()}, "test")


def summary_of(loss_rule: str, n: int) -> Summary:
    visits = {f"week {week}": {"week": week, "n": n} for week in WEEKS}
    classes: dict[str, Any] = {
        "criterion": "easi50",
        "loss_rule": loss_rule,
        "decision_week": 12,
        "estimand": "treatment-policy",
        "counts": {"responder": n},
    }
    return Summary.model_validate(
        {"study": "s", "source": "", "seed": 0, "patients": n, "visits": visits, "classes": classes}
    )


@pytest.mark.parametrize("loss_rule", ["strict", "half_of_best"])
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_distance_from_a_class_means_that_class(loss_rule: str, seed: int) -> None:
    """For random courses with gaps: the distance to a class is 0 exactly when `classify` gives that class."""
    rng = np.random.default_rng(seed)
    n = 12
    scores = rng.integers(1, 60, size=(n, 4)) * 5
    seen = rng.random((n, 4)) < 0.8
    seen[:, 0] = True
    seen[:, 2] |= ~seen[:, 3]
    given_class = classify(as_cohort(scores, seen), "easi50", loss_rule, 12)["class"].tolist()
    summary = summary_of(loss_rule, n)
    fates = Fates(seen, ("",) * n, np.zeros(n, dtype=bool))
    for patient in range(n):
        for wanted in COURSES:
            classes = tuple(wanted if k == patient else "" for k in range(n))
            (target,) = targets_of(summary, fates, classes)
            assert (target.distance(scores) == 0) == (given_class[patient] == wanted)


def test_draws_are_standard_normal_and_orders_are_complete() -> None:
    rng = np.random.default_rng(5)
    z = normal(rng, 20_000)
    assert abs(z.mean()) < 0.03
    assert abs(z.std() - 1) < 0.03
    assert abs((np.abs(z) < 1.96).mean() - 0.95) < 0.01
    assert sorted(shuffled(rng, 50).tolist()) == list(range(50))
