"""Drug survival against a published example, R's survival package, and identities."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_cohorts import cohort_of, seen, stopped, waiting

from easitrace.cohort.cohort import Cohort
from easitrace.response.survival import (
    NO_REASON,
    REASONS,
    at_weeks,
    cumulative_incidence,
    exposure,
    kaplan_meier,
    median_time,
    stop_reasons,
    time_on_treatment,
)

# 6-MP arm of Freireich et al. (1963) Blood 21:699: weeks in remission, 9 relapses and 12 censored of 21 patients.
RELAPSED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
CENSORED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
# Kaplan-Meier estimates as printed by Klein & Moeschberger (2003), Survival Analysis, 2nd edition, table 4.1.
PUBLISHED = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
# R 4.2.2, survival 3: survfit(Surv(t, e) ~ 1, conf.type = "log-log"), columns std.err, lower, upper.
FROM_R = {
    6: (0.0763603548321, 0.619717955266, 0.951551747647),
    13: (0.1068147077750, 0.431610222486, 0.849065963349),
    23: (0.1345914567558, 0.188052005959, 0.680142628495),
}


def times(stops: dict[str, list[float]], censored: list[float]) -> pd.DataFrame:
    rows = [(day, True, reason) for reason, days in stops.items() for day in days] + [(d, False, "") for d in censored]
    return pd.DataFrame(rows, columns=["days", "stopped", "reason"]).astype({"days": "float64"})


GEHAN = times({"other": RELAPSED}, CENSORED)
# R: survfit(Surv(t, factor(status)) ~ 1), pstate, std.err; t = 5 5 8 12 12 12 20 25 30 30, status 1 2 0 1 1 2 0 2 0 0
COMPETING = times({"inefficacy": [5, 12, 12], "side effects": [5, 12, 25]}, [8, 20, 30, 30])
COMPETING_R = {
    ("inefficacy", 5): (0.1, 0.0948683298051),
    ("inefficacy", 25): (0.328571428571, 0.1561844614737),
    ("side effects", 12): (0.214285714286, 0.1350412959191),
    ("side effects", 25): (0.366666666667, 0.1721391797451),
}


def random_times(seed: int, censor: bool = True) -> pd.DataFrame:
    """Tied days, every reason."""
    random = np.random.default_rng(seed)
    codes = random.integers(0 if censor else 1, len(REASONS) + 1, size=80)
    reason = np.array(["", *REASONS])[codes]
    return pd.DataFrame({"days": random.integers(1, 15, size=80).astype(float), "stopped": codes > 0, "reason": reason})


def test_kaplan_meier_is_the_published_one() -> None:
    curve = kaplan_meier(GEHAN).set_index("day")
    assert {day: round(curve.loc[day, "survival"], 3) for day in PUBLISHED} == PUBLISHED
    assert list(curve["at_risk"]) == [21, 21, 17, 15, 12, 11, 7, 6]
    assert list(curve["stopped"]) == [0, 3, 1, 1, 1, 1, 1, 1]


def test_its_errors_limits_and_median_are_those_of_r() -> None:
    curve = kaplan_meier(GEHAN)
    rows = curve.set_index("day")
    for day, expected in FROM_R.items():
        assert rows.loc[day, ["se", "lower", "upper"]].tolist() == pytest.approx(expected, abs=1e-11)
    assert curve.iloc[0][["survival", "lower"]].fillna(-1).tolist() == [1, -1]
    half = median_time(curve)
    assert (half["median"], half["lower"]) == (23, 13) and np.isnan(half["upper"])


def test_the_level_sets_the_width() -> None:
    narrow, wide = (kaplan_meier(GEHAN, level=level).iloc[-1] for level in (0.8, 0.99))
    assert wide["lower"] < narrow["lower"] < narrow["upper"] < wide["upper"]


def test_cumulative_incidence_is_that_of_r() -> None:
    table = cumulative_incidence(COMPETING).set_index(["reason", "day"])
    for place, expected in COMPETING_R.items():
        assert table.loc[place, ["incidence", "se"]].tolist() == pytest.approx(expected, abs=1e-11)


@pytest.mark.parametrize("seed", range(5))
def test_the_reasons_add_up_to_one_minus_kaplan_meier(seed: int) -> None:
    data = random_times(seed)
    curve, table = kaplan_meier(data), cumulative_incidence(data)
    total = table.groupby("day")["incidence"].sum()
    assert list(total.index) == list(curve["day"])
    assert total.to_numpy() == pytest.approx(1 - curve["survival"].to_numpy(), abs=1e-14)


@pytest.mark.parametrize("seed", range(5))
def test_a_second_program_agrees_on_the_incidence_and_its_error(seed: int) -> None:
    from statsmodels.duration.survfunc import CumIncidenceRight

    data = random_times(seed).assign(days=lambda frame: frame["days"].where(frame["stopped"], frame["days"] + 20))
    codes = data["reason"].map({name: code for code, name in enumerate(REASONS, start=1)}).fillna(0).to_numpy(int)
    theirs = CumIncidenceRight(data["days"].to_numpy(), codes)
    ours = cumulative_incidence(data)
    for place, reason in enumerate(REASONS):
        own = ours[ours["reason"] == reason].iloc[1:]
        at = np.isin(theirs.times, own["day"])
        assert own["incidence"].to_numpy() == pytest.approx(theirs.cinc[place][at], abs=1e-13)
        assert own["se"].to_numpy() == pytest.approx(theirs.cinc_se[place][at], abs=1e-13)


def test_without_censoring_both_are_plain_proportions() -> None:
    data = random_times(7, censor=False)
    curve, table = kaplan_meier(data), cumulative_incidence(data)
    still = [(data["days"] > day).mean() for day in curve["day"]]
    assert curve["survival"].to_numpy() == pytest.approx(still, abs=1e-13)
    ends = table.groupby("reason", sort=False).last()
    share = data["reason"].value_counts(normalize=True)[list(ends.index)]
    assert ends["incidence"].to_numpy() == pytest.approx(share.to_numpy(), abs=1e-13)
    assert ends["se"].to_numpy() == pytest.approx(np.sqrt(share * (1 - share) / len(data)).to_numpy(), abs=1e-8)


def test_weeks_count_every_patient_and_end_with_the_follow_up() -> None:
    data = times({"other": [14, 30]}, [28, 40, 56])
    table = at_weeks(kaplan_meier(data), data, [0, 4, 8, 12]).set_index("week")
    assert table["at_risk"].tolist() == [5, 4, 1, 0]
    assert table["stopped"].tolist() == [0, 1, 2, 2]
    assert table["censored"].tolist() == [0, 1, 3, 3]
    assert table.loc[8, "survival"] == pytest.approx(0.8 * 2 / 3)
    assert np.isnan(table.loc[12, "survival"])


def test_nobody_is_left_when_all_have_stopped() -> None:
    data = times({"other": [7, 14]}, [])
    curve = kaplan_meier(data)
    assert curve["survival"].tolist() == [1, 0.5, 0] and curve["se"].notna().all()
    assert at_weeks(curve, data, [4])["survival"].tolist() == [0]
    assert median_time(curve)["median"] == 7


@pytest.fixture
def cohort() -> Cohort:
    return cohort_of(
        {
            "1": seen(20, 10, 8, 6),
            "2": waiting(20, 10, None, None),
            "3": stopped(6, "inefficacy", 20, 18, 17, None),
            "4": stopped(None, "side effects", 20, 18, None, None),
            "5": stopped(9, None, 20, 18, None, None),
        }
    )


def test_time_runs_to_the_stop_or_the_last_visit(cohort: Cohort) -> None:
    table = time_on_treatment(cohort).set_index("patient")
    assert table["days"].fillna(-1).tolist() == [168, 28, 42, -1, 63]
    assert table["reason"].tolist() == ["", "", "inefficacy", "side effects", NO_REASON]


def test_a_visit_without_a_day_counts_on_its_planned_day(cohort: Cohort) -> None:
    cohort.visits["day"] = np.nan
    assert time_on_treatment(cohort)["days"].tolist()[:2] == [168, 28]


def test_a_patient_seen_before_the_start_only_has_no_time(cohort: Cohort) -> None:
    cohort.visits.loc[(cohort.visits["patient"] == "2") & (cohort.visits["week"] == 4), "easi"] = np.nan
    cohort.visits.loc[cohort.visits["week"] == 0, "day"] = -10.0
    assert time_on_treatment(cohort)["days"].tolist()[1] == 0


def test_exposure_adds_up(cohort: Cohort) -> None:
    table = exposure(time_on_treatment(cohort))
    assert (table["followed"], table["without_time"]) == (4, 1)
    assert table["patient_years"] == pytest.approx((168 + 28 + 42 + 63) / 365.25)
    assert (table["shortest_days"], table["median_days"], table["longest_days"]) == (28, 52.5, 168)


def test_reasons_are_counted_out_of_all_patients(cohort: Cohort) -> None:
    table = stop_reasons(time_on_treatment(cohort))
    assert table[["reason", "stopped", "n"]].values.tolist() == [
        ["inefficacy", 1, 5],
        ["side effects", 1, 5],
        [NO_REASON, 1, 5],
        ["any reason", 3, 5],
    ]


@pytest.mark.parametrize("function", [kaplan_meier, cumulative_incidence])
def test_nobody_stopped(function: Any) -> None:
    table = function(times({}, [28, 84]))
    assert list(table.get("survival", [])) == ([1] if function is kaplan_meier else [])
