"""The paired tests against R 4.2.2, SciPy, enumeration and the published tables of the signed-rank sum."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from easitrace.errors import NotEstimableError, ParameterError
from easitrace.paired import hodges_lehmann, quartiles, signed_rank

CHANGES = [-3.1, -5.4, 1.2, -7.9, -0.6, -12.3, 2.5, -4.8, -9.7, -1.9]
CHANGES += [-6.6, 0.4, -2.2, -8.5, -11.0, 3.7, -5.1, -10.2]
tied_changes = st.lists(st.integers(-6, 6), min_size=1, max_size=10).filter(any)


def changes_with_rank_sum(n: int, statistic: int) -> list[int]:
    """Differences +-1 ... +-n whose positive ranks sum to `statistic`."""
    signs, left = [], statistic
    for rank in range(n, 0, -1):
        positive = rank <= left
        left -= rank * positive
        signs.append(rank if positive else -rank)
    return signs


def enumerated_p(changes: list[int]) -> float:
    """Two-sided P over all 2^n sign patterns of the mid-ranks."""
    changed = [change for change in changes if change]
    ranks = stats.rankdata(np.abs(changed))
    observed = sum(rank for rank, change in zip(ranks, changed, strict=True) if change > 0)
    sums = [
        sum(rank for rank, up in zip(ranks, ups, strict=True) if up)
        for ups in itertools.product([0, 1], repeat=len(ranks))
    ]
    tail = min(sum(s <= observed for s in sums), sum(s >= observed for s in sums))
    return min(1.0, 2 * tail / len(sums))


@pytest.mark.parametrize(
    ("n", "statistic", "p"),
    [
        (18, 24, 0.0055999755859375),  # R 4.2.2: 2 * psignrank(24, 18)
        (25, 56, 0.00308787822723389),  # 2 * psignrank(56, 25)
        (25, 57, 0.00341922044754028),  # 2 * psignrank(57, 25)
        (5, 0, 0.0625),  # 2 / 2^5
        (6, 0, 0.03125),
    ],
)
def test_p_is_that_of_the_null_distribution(n: int, statistic: int, p: float) -> None:
    result = signed_rank(changes_with_rank_sum(n, statistic))
    assert (result.statistic, result.n, result.ties) == (statistic, n, False)
    assert result.p == pytest.approx(p, rel=1e-13)


@pytest.mark.parametrize(
    ("n", "critical"),
    # Largest W with two-sided P <= .05: Wilcoxon & Wilcox (1964), table 2
    [(6, 0), (7, 2), (8, 3), (9, 5), (10, 8), (12, 13), (15, 25), (20, 52), (25, 89)],
)
def test_critical_values_of_the_printed_table(n: int, critical: int) -> None:
    assert signed_rank(changes_with_rank_sum(n, critical)).p <= 0.05
    assert signed_rank(changes_with_rank_sum(n, critical + 1)).p > 0.05


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=50, unique_by=abs).filter(lambda x: 0 not in x))
def test_without_ties_equals_scipy(changes: list[int]) -> None:
    ours = signed_rank(changes)
    assert ours.p == pytest.approx(stats.wilcoxon(changes, method="exact").pvalue, rel=1e-10)
    assert ours.method == "exact Wilcoxon signed-rank test"


@given(tied_changes)
def test_with_ties_equals_enumeration(changes: list[int]) -> None:
    assert signed_rank(changes).p == pytest.approx(enumerated_p(changes), rel=1e-13)


@given(tied_changes)
def test_sign_and_unit_do_not_matter(changes: list[int]) -> None:
    ours = signed_rank(changes)
    mirrored = signed_rank([-change / 10 for change in changes])
    assert mirrored.p == ours.p
    assert mirrored.statistic + ours.statistic == ours.n * (ours.n + 1) / 2


def test_large_samples_use_the_normal_approximation_of_r() -> None:
    # R 4.2.2: k <- round(20 * sin(1:80) + 6); wilcox.test(k, exact = FALSE): V = 2199, p = 0.000398901888012274
    k = np.round(20 * np.sin(np.arange(1, 81)) + 6)
    result = signed_rank(k)
    assert (result.n_pairs, result.n_zero, result.n, result.statistic) == (80, 3, 77, 2199.0)
    assert result.p == pytest.approx(0.000398901888012274, rel=1e-12)
    assert result.method == "Wilcoxon signed-rank test (normal approximation with tie and continuity correction)"


def test_floating_point_dust_neither_breaks_ties_nor_hides_zeros() -> None:
    before = np.array([0.3, 1.1, 12.8, 10.6, 5.0])
    after = np.array([0.1, 0.9, 6.2, 4.0, 5.0])
    assert len({*(after - before)}) == 5
    result = signed_rank(after - before)
    assert (result.ties, result.n_zero, result.n) == (True, 1, 4)
    assert result.p == 0.125


def test_no_change_at_all_is_not_testable() -> None:
    with pytest.raises(NotEstimableError, match="E298 signed-rank test: none of 3 pairs differs"):
        signed_rank([0.0, 0.0, 0.0])
    with pytest.raises(NotEstimableError, match="there is no pair"):
        hodges_lehmann([])


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e10])
def test_missing_and_infinite_differences_are_refused(value: float) -> None:
    with pytest.raises(ParameterError, match="E299"):
        signed_rank([1.0, value])


@pytest.mark.parametrize(
    ("level", "lower", "upper", "achieved"),
    # R 4.2.2: wilcox.test(CHANGES, conf.int = TRUE, conf.level = level); achieved: 1 - 2 * psignrank(qu - 1, 18)
    [(0.95, -7.25, -2.05, 0.95172119140625), (0.9, -6.65, -2.4, 0.9012603759765625)],
)
def test_shift_and_interval_of_r(level: float, lower: float, upper: float, achieved: float) -> None:
    shift = hodges_lehmann(CHANGES, level)
    assert (shift.estimate, shift.lower, shift.upper) == (-4.55, lower, upper)
    assert shift.achieved == pytest.approx(achieved, rel=1e-13)


def test_shift_of_the_depression_data() -> None:
    # Hollander & Wolfe (1973) p. 29, R 4.2.2 example(wilcox.test): p = 0.0390625, CI 0.010 to 0.786, estimate 0.46
    x = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    y = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    shift = hodges_lehmann(x - y)
    assert (shift.estimate, shift.lower, shift.upper) == pytest.approx((0.46, 0.010, 0.786), abs=1e-12)
    assert signed_rank(x - y).p == 0.0390625


@given(st.lists(st.integers(-720, 720), min_size=1, max_size=60))
def test_walsh_averages_by_listing_them(changes: list[int]) -> None:
    walsh = np.sort([(a + b) / 2 for i, a in enumerate(changes) for b in changes[i:]])
    shift = hodges_lehmann([change / 10 for change in changes])
    assert shift.estimate == pytest.approx(np.median(walsh) / 10, abs=1e-12)
    for limit in (shift.lower, shift.upper):
        assert np.abs(walsh / 10 - limit).min() < 1e-12


@given(st.lists(st.integers(-(10**5), 10**5), min_size=6, max_size=30, unique_by=abs).filter(lambda x: 0 not in x))
def test_interval_inverts_the_test(changes: list[int]) -> None:
    """A shift just inside the interval is not rejected at the achieved level, one just outside is."""
    shift = hodges_lehmann(changes)
    reject = 1 - shift.achieved + 1e-12
    assert signed_rank(np.array(changes) - shift.lower - 1e-4).p > reject
    assert signed_rank(np.array(changes) - shift.lower + 1e-4).p <= reject
    assert signed_rank(np.array(changes) - shift.upper + 1e-4).p > reject
    assert signed_rank(np.array(changes) - shift.upper - 1e-4).p <= reject


def test_fewer_than_six_pairs_say_what_level_they_reach() -> None:
    shift = hodges_lehmann([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (shift.lower, shift.upper, shift.achieved) == (1.0, 5.0, 0.9375)


@pytest.mark.parametrize(
    ("method", "lower", "upper"),
    # R 4.2.2: quantile(CHANGES, type = 6, 7, 5)
    [("weibull", -8.8, -0.35), ("linear", -8.35, -0.925), ("hazen", -8.5, -0.6)],
)
def test_quartile_definitions_of_r(method: str, lower: float, upper: float) -> None:
    found = quartiles([*CHANGES, np.nan], method)  # type: ignore[arg-type]
    assert (found.lower, found.median, found.upper) == pytest.approx((lower, -4.95, upper), abs=1e-12)
    assert found.n == 18


def test_an_unknown_quartile_definition_names_the_known_ones() -> None:
    with pytest.raises(ParameterError, match="weibull"):
        quartiles([1.0], "spss")  # type: ignore[arg-type]
