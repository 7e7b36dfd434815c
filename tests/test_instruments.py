"""Exact arithmetic over whole grids, and the published bands at their borders."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easitrace.errors import ParameterError
from easitrace.instruments import (
    ADCT,
    DLQI,
    EASI,
    INSTRUMENTS,
    ITCH_NRS,
    OBJECTIVE_SCORAD,
    PATIENT_GLOBAL,
    POEM,
    SCORAD,
    at_least_as_good,
    declare_instrument,
    improved_by,
    improved_points,
    lost_more_than,
    percent_change,
    severity,
)

TENTHS = st.integers(0, 720)


@pytest.mark.parametrize(("percent", "step", "pairs"), [(75, 4, 180), (90, 10, 72), (50, 2, 360)])
def test_every_exact_pair_of_the_grid_is_a_response_and_its_neighbour_is_not(percent, step, pairs):
    baseline = np.arange(step, 721, step)
    followup = baseline * (100 - percent) // 100
    assert len(baseline) == pairs
    assert improved_by(baseline / 10, followup / 10, percent).all()
    assert not improved_by(baseline / 10, (followup + 1) / 10, percent).any()


def test_floating_point_would_get_some_exact_pairs_wrong():
    """Of the 180 exact EASI-75 pairs, 22 fall on the wrong side in floating point."""
    baseline = np.arange(4, 721, 4)
    floating = (baseline / 10 - baseline // 4 / 10) / (baseline / 10) >= 0.75
    assert (~floating).sum() == 22


@pytest.mark.parametrize("percent", [50, 75, 90, 100])
def test_the_whole_grid_agrees_with_fractions(percent):
    baseline, followup = (grid.ravel() for grid in np.meshgrid(np.arange(1, 721), np.arange(0, 721)))
    exact = (baseline - followup) * 100 >= percent * baseline
    np.testing.assert_array_equal(improved_by(baseline / 10, followup / 10, percent), exact)


@given(TENTHS, TENTHS, st.integers(1, 100_000))
def test_percentages_with_three_decimals_are_exact(baseline, followup, thousandths):
    answer = improved_by([baseline / 10], [followup / 10], thousandths / 1000)[0]
    if baseline == 0:
        assert answer is pd.NA
    else:
        assert answer == (Fraction(baseline - followup, baseline) >= Fraction(thousandths, 100_000))


@given(TENTHS, TENTHS, TENTHS)
def test_points_and_targets_are_exact(baseline, followup, points):
    assert improved_points([baseline / 10], [followup / 10], points / 10)[0] == (baseline - followup >= points)
    assert at_least_as_good([followup / 10], points / 10)[0] == (followup <= points)
    assert at_least_as_good([followup / 10], points / 10, "higher")[0] == (followup >= points)


@given(TENTHS, TENTHS, TENTHS)
def test_the_share_lost_of_the_best_improvement_is_exact(baseline, best, followup):
    answer = lost_more_than([baseline / 10], [best / 10], [followup / 10], 50)[0]
    if best >= baseline:
        assert answer is pd.NA
    else:
        assert answer == (2 * (followup - best) > baseline - best)


def test_exactly_half_lost_is_not_more_than_half():
    assert lost_more_than([20.0, 20.0], [10.0, 10.0], [15.0, 15.1], 50).tolist() == [False, True]


def test_missing_stays_missing():
    nan = np.nan
    answers = [
        improved_by([10, nan, nan, 0], [nan, 1, nan, 0], 75),
        improved_points([10, nan, nan], [nan, 1, nan], 4),
        at_least_as_good([nan], 7),
        lost_more_than([10, nan, 10], [nan, 1, 5], [3, 4, nan], 50),
    ]
    for answer in answers:
        assert answer.dtype == "boolean"
        assert answer.isna().all()


def test_answers_keep_the_index_of_the_scores():
    baseline = pd.Series([10.0, 8.0], index=["a", "b"])
    assert improved_by(baseline, pd.Series([1.0, 8.0], index=["a", "b"]), 75).to_dict() == {"a": True, "b": False}
    nullable = pd.Series([7.0, None], dtype="Float64", index=["a", "b"])
    assert at_least_as_good(nullable, 7).isna().to_dict() == {"a": False, "b": True}


def test_higher_may_be_better():
    assert improved_by([10, 10], [15, 14.9], 50, "higher").tolist() == [True, False]
    assert improved_points([10, 10], [6, 14], 4, "higher").tolist() == [False, True]
    assert lost_more_than([10], [20], [14.9], 50, "higher").tolist() == [True]


def test_percent_change():
    np.testing.assert_array_equal(percent_change([10, 0, np.nan, 20], [5, 5, 1, 25]), [-50, np.nan, np.nan, 25])


LESHEM, CHOPRA = EASI.bands
BORDERS = [
    (LESHEM, [0, 0.05, 1, 1.05, 7, 7.05, 21, 21.05, 50, 50.05, 72], [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]),
    (CHOPRA, [0, 0.05, 5.9, 5.95, 6, 22.9, 23, 72], [0, 1, 1, 1, 2, 2, 3, 3]),
    (SCORAD.bands[0], [0, 9.9, 10, 28.9, 29, 48.9, 49, 103], [0, 0, 1, 1, 2, 2, 3, 3]),
    (OBJECTIVE_SCORAD.bands[0], [7.9, 8, 23.9, 24, 37.9, 38, 83], [0, 1, 1, 2, 2, 3, 3]),
    (POEM.bands[0], [0, 2, 3, 7, 8, 16, 17, 24, 25, 28], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]),
    (DLQI.bands[0], [0, 1, 2, 5, 6, 10, 11, 20, 21, 30], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]),
    (ITCH_NRS.bands[0], [0, 3, 4, 6, 7, 10], [0, 0, 1, 1, 2, 2]),
    (PATIENT_GLOBAL.bands[0], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
    (ADCT.bands[0], [0, 6, 7, 24], [0, 0, 1, 1]),
]


@pytest.mark.parametrize(("bands", "scores", "codes"), BORDERS, ids=lambda value: getattr(value, "source", ""))
def test_bands_have_their_published_borders_and_no_gaps(bands, scores, codes):
    graded = severity(scores, bands)
    assert graded.codes.tolist() == codes
    assert graded.ordered
    assert list(graded.categories) == list(bands.labels)


def test_a_missing_score_has_no_band():
    assert severity([np.nan, 3.0], LESHEM).codes.tolist() == [-1, 2]


@pytest.mark.parametrize("instrument", INSTRUMENTS.values(), ids=lambda instrument: instrument.name)
def test_the_table_is_consistent(instrument):
    assert INSTRUMENTS[instrument.name] is instrument
    assert instrument.minimum < instrument.maximum
    assert not instrument.off_grid([instrument.minimum, instrument.maximum]).any()
    for bands in instrument.bands:
        cuts = [cut for cut, _ in bands.borders]
        assert cuts == sorted(set(cuts))
        assert len(bands.labels) == len(cuts) + 1
        assert instrument.minimum <= cuts[0] <= cuts[-1] < instrument.maximum
    for threshold in instrument.thresholds:
        assert 0 < threshold.points < instrument.maximum
        assert threshold.source


def test_the_important_changes_are_those_of_the_literature():
    points = {name: [t.points for t in instrument.thresholds] for name, instrument in INSTRUMENTS.items()}
    assert points["easi"] == [6.6]
    assert points["scorad"] == [8.7]
    assert points["oscorad"] == [8.2]
    assert points["poem"] == [3.4, 4]
    assert points["dlqi"] == points["itch_nrs"] == points["recap"] == [4]
    assert points["adct"] == [5]
    assert points["patient_global"] == [1]


def test_scores_outside_the_range_or_off_the_grid_are_found():
    scores = [0, 72, 72.1, -0.1, np.inf, -np.inf, np.nan]
    assert EASI.out_of_range(scores).tolist() == [False, False, True, True, True, True, False]
    assert (
        EASI.off_grid([0.1, 0.3, 71.9, 0.05, 12.34, np.inf, np.nan]).tolist() == [False] * 3 + [True] * 2 + [False] * 2
    )
    assert POEM.off_grid([3, 3.5]).tolist() == [False, True]


def test_no_grid_score_is_called_off_the_grid():
    assert not EASI.off_grid(np.arange(721) / 10).any()


DECLARED = {"name": "vas", "label": "VAS", "minimum": 1, "maximum": 10, "grid": 0.5, "better": "higher"}


def test_an_instrument_may_be_declared():
    vas = declare_instrument(DECLARED)
    assert (vas.name, vas.label, vas.best, EASI.best) == ("vas", "VAS", 10, 0)
    assert vas.off_grid([1.5, 1.25]).tolist() == [False, True]
    assert declare_instrument({k: v for k, v in DECLARED.items() if k != "label"}).label == "vas"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"range": 3}, 'unknown key "range"'),
        ({"minimum": 10}, "minimum must be below maximum"),
        ({"minimum": "1"}, "must be numbers"),
        ({"maximum": True}, "must be numbers"),
        ({"maximum": float("inf")}, "must be numbers"),
        ({"grid": 0}, "grid must be a number above 0"),
        ({"better": "up"}, "lower or higher"),
    ],
)
def test_a_wrong_declaration_is_refused(change, message):
    with pytest.raises(ParameterError, match=message):
        declare_instrument(DECLARED | change)


def test_a_declaration_needs_every_key():
    with pytest.raises(ParameterError) as raised:
        declare_instrument({"label": "VAS"})
    assert len(raised.value.problems) == 5
