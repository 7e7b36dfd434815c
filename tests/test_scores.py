"""Scores from their parts: worked by hand, at their ends, with what is missing and what is wrong."""

import numpy as np
import pytest

from easitrace.errors import DataError
from easitrace.instruments import EASI, OBJECTIVE_SCORAD, SCORAD
from easitrace.scores import easi_from_regions, objective_scorad, scorad

WORST = np.full((1, 4, 4), 3.0)


def test_easi_by_hand() -> None:
    signs = np.array([[[1, 1, 0, 0], [2, 1, 1, 0.5], [1, 2, 1, 0], [3, 2, 2, 1]]], dtype=float)
    areas = np.array([[1, 2, 3, 4]], dtype=float)
    # adult: .1 x 1 x 2 + .2 x 2 x 4.5 + .3 x 3 x 4 + .4 x 4 x 8 = .2 + 1.8 + 3.6 + 12.8
    assert easi_from_regions(signs, areas).tolist() == [18.4]
    # below 8 years: .2 x 1 x 2 + .2 x 2 x 4.5 + .3 x 3 x 4 + .3 x 4 x 8 = .4 + 1.8 + 3.6 + 9.6
    assert easi_from_regions(signs, areas, below_8_years=True).tolist() == [15.4]


def test_the_ends_are_those_of_the_instruments() -> None:
    for young in (False, True):
        assert easi_from_regions(WORST, [[6, 6, 6, 6]], young).tolist() == [EASI.maximum]
    assert easi_from_regions(WORST * 0, [[0, 0, 0, 0]]).tolist() == [EASI.minimum]
    assert scorad([100], [18], [20]).tolist() == [SCORAD.maximum]
    assert objective_scorad([100], [18]).tolist() == [OBJECTIVE_SCORAD.maximum]


def test_scorad_by_hand() -> None:
    assert scorad([40.0], [9], [7.5]).tolist() == [8 + 31.5 + 7.5]


def test_every_score_is_on_the_grid() -> None:
    rng = np.random.default_rng(3)
    signs, areas = rng.integers(0, 4, (500, 4, 4)).astype(float), rng.integers(0, 7, (500, 4)).astype(float)
    assert not EASI.off_grid(easi_from_regions(signs, areas)).any()


def test_signs_are_needed_only_where_there_is_eczema() -> None:
    signs = WORST.copy()
    signs[0, 1] = np.nan
    assert easi_from_regions(signs, [[6, 0, 6, 6]]).tolist() == [pytest.approx(72 * 0.8)]
    assert np.isnan(easi_from_regions(signs, [[6, 1, 6, 6]])).all()
    assert np.isnan(easi_from_regions(WORST, [[6, np.nan, 6, 6]])).all()


def test_a_part_out_of_range_is_located() -> None:
    signs = WORST.copy()
    signs[0, 2, 1] = 3.5
    with pytest.raises(DataError, match=r"E217 row 1, trunk, sign: 3\.5 is not between 0 and 3 in steps of 0\.5"):
        easi_from_regions(signs, [[1, 1, 1, 1]])
    with pytest.raises(DataError, match=r"lower limbs, area: 1\.5"):
        easi_from_regions(WORST, [[1, 1, 1, 1.5]])
    with pytest.raises(DataError, match="row 2, intensity"):
        objective_scorad([10, 10], [3, 19])
