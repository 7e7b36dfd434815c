"""Adverse events: exact Poisson limits against published and R's numbers, counts by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from small_cohorts import cohort_of, seen, stopped, waiting

from easitrace.cohort.cohort import Cohort
from easitrace.errors import ParameterError
from easitrace.response.events import event_rates, events_on_treatment, poisson_limits
from easitrace.response.survival import time_on_treatment

# Garwood (1936) Biometrika 28:437, table 1: exact 95 % limits of a Poisson mean.
PUBLISHED = {0: (0, 3.69), 1: (0.0253, 5.57), 5: (1.62, 11.67), 10: (4.80, 18.39), 20: (12.22, 30.89)}


@pytest.mark.parametrize("count", PUBLISHED)
def test_limits_are_the_published_ones(count: int) -> None:
    lower, upper = poisson_limits([count])
    expected = PUBLISHED[count]
    assert lower[0] == pytest.approx(expected[0], abs=0.005) and upper[0] == pytest.approx(expected[1], abs=0.005)


def test_limits_are_those_of_r() -> None:
    """poisson.test(18, 4.5), and with conf.level = .9."""
    for level, expected in ((0.95, (2.37065350676, 6.32172450390)), (0.9, (2.58540100210, 5.93150451366))):
        lower, upper = poisson_limits([18], level=level)
        assert (lower[0] / 4.5, upper[0] / 4.5) == pytest.approx(expected, abs=1e-10)


def test_the_level_is_checked() -> None:
    with pytest.raises(ParameterError, match="level"):
        poisson_limits([1], level=95)


@pytest.fixture
def cohort() -> Cohort:
    base = cohort_of(
        {
            "1": seen(20, 10, 8, 6),
            "2": waiting(20, 10, None, None),
            "3": stopped(6, "side effects", 20, 18, None, None),
            "4": stopped(None, "side effects", 20, 18, None, None),
        }
    )
    rows = [
        ("1", "acne", 10.0, False),
        ("1", "acne", 60.0, False),
        ("1", "nausea", np.nan, False),
        ("2", "acne", 28.0, False),
        ("2", "acne", 29.0, False),
        ("3", "herpes", 40.0, True),
        ("4", "acne", 5.0, False),
    ]
    return replace(base, events=pd.DataFrame(rows, columns=["patient", "event", "day", "serious"]))


def test_events_after_treatment_or_without_time_are_apart(cohort: Cohort) -> None:
    table = events_on_treatment(cohort, time_on_treatment(cohort))
    assert table["counted"].tolist() == ["yes", "yes", "yes", "yes", "after", "yes", "no time"]


def test_patients_events_and_rates_by_hand(cohort: Cohort) -> None:
    times = time_on_treatment(cohort)
    table = event_rates(events_on_treatment(cohort, times), times)
    columns = ["event", "patients", "n", "events", "serious"]
    assert table[columns].values.tolist() == [
        ["any event", 3, 3, 5, 1],
        ["any serious event", 1, 3, 1, 1],
        ["acne", 2, 3, 3, 0],
        ["herpes", 1, 3, 1, 1],
        ["nausea", 1, 3, 1, 0],
    ]
    years = (168 + 28 + 42) / 365.25
    assert table["rate"].tolist() == pytest.approx([100 * k / years for k in (5, 1, 3, 1, 1)])
    assert table.loc[0, ["rate_lower", "rate_upper"]].tolist() == pytest.approx(
        [100 * 1.6234864 / years, 100 * 11.668332 / years]
    )


def test_no_events_recorded(cohort: Cohort) -> None:
    table = events_on_treatment(replace(cohort, events=pd.DataFrame()), time_on_treatment(cohort))
    assert len(table) == 0 and "counted" in table
