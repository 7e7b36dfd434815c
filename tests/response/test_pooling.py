"""Rubin's rules and the interval for imputed proportions, against published numbers."""

import numpy as np
import pytest

from easitrace.response.pooling import pool, pool_proportion
from easitrace.response.proportions import limits

# Printed in the help page of mice::pool.scalar (R package mice 2.x), after Rubin (1987) with infinite complete-data df.
MICE_Q = np.array([26.764, 26.748, 27.024, 27.340, 26.436])
MICE_U = np.array([17.85490, 19.11677, 20.61440, 21.05750, 15.16990])


def test_the_worked_example_of_mice() -> None:
    pooled = pool(MICE_Q, MICE_U, np.inf)
    assert pooled.estimate == pytest.approx(26.8624, abs=5e-5)
    assert pooled.se**2 == pytest.approx(18.90033, abs=5e-6)
    assert pooled.df == pytest.approx(75422.96, rel=1e-6)
    assert pooled.missing / (1 - pooled.missing) == pytest.approx(0.007335885, abs=5e-10)


def test_five_imputations_that_add_ten_percent_have_484_degrees_of_freedom() -> None:
    # SAS/STAT User's Guide, PROC MIANALYZE, "Combining Inferences from Imputed Data Sets": m = 5, r = 10 %: 484.
    q = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    within = 1.2 * float(q.var(ddof=1)) / 0.1
    assert pool(q, np.full(5, within), np.inf).df == pytest.approx(484)


def test_barnard_and_rubin_with_few_patients() -> None:
    # With hardly any missing information mice:::barnard.rubin gives 56.098 for 58 complete-data degrees of freedom.
    almost_equal = np.array([1.0, 1.0 + 1e-9])
    assert pool(almost_equal, np.ones(2), 58).df == pytest.approx(56.098, abs=5e-4)
    assert pool(np.array([0.0, 1.0, 2.0]), np.ones(3), 20).df < 20


def test_with_nothing_missing_the_complete_analysis_comes_back() -> None:
    pooled = pool(np.full(20, 3.3), np.full(20, 0.49), 24)
    assert pooled[:4] == pytest.approx((3.3, 0.7, 24, 3.3 - 2.0638985616 * 0.7), rel=1e-9)
    assert pooled.missing == 0


def test_the_worked_examples_of_miwilson() -> None:
    # README of R package MIWilson 1.0.1; it takes the 95 % quantile for both sides, which makes its intervals 90 %.
    proportions = np.array([0.2, 0.23, 0.22])
    pooled = pool_proportion(proportions, 200, level=0.9)
    assert pooled.df == pytest.approx(27.7539107780612, rel=1e-12)
    assert (pooled.lower, pooled.upper) == pytest.approx((0.1645113, 0.2798191), abs=5e-8)
    pooled = pool_proportion(proportions, 10, level=0.9)
    assert (pooled.lower, pooled.upper) == pytest.approx((0.07684304, 0.47892199), abs=5e-9)


@pytest.mark.parametrize("k", [0, 1, 7, 20])
def test_imputations_that_agree_have_wilsons_interval(k: int) -> None:
    pooled = pool_proportion(np.full(50, k / 20), 20)
    lower, upper = limits([k], [20], level=0.95, interval="wilson")
    assert (pooled.lower, pooled.upper) == pytest.approx((lower[0], upper[0]), abs=1e-12)


def test_a_proportion_of_which_nothing_is_known() -> None:
    pooled = pool_proportion(np.array([0.0, 1.0, 0.0, 1.0]), 1)
    assert (pooled.estimate, pooled.lower, pooled.upper) == (0.5, 0.0, 1.0)
