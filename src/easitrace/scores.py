"""Scores from their parts: EASI from the four regions, SCORAD from extent, intensity and symptoms.

EASI (Hanifin et al. 2001, Exp Dermatol 10:11) sums over head and neck, upper limbs, trunk, lower limbs

    weight x area x (erythema + induration/papulation + excoriation + lichenification),

signs 0 to 3 in half points, area 0 to 6; weights .1, .2, .3, .4, below 8 years .2, .2, .3, .3.
SCORAD (European Task Force 1993, Dermatology 186:23) is A/5 + 7B/2 + C; its objective part leaves C out.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from easitrace.errors import DataError, Problem

REGIONS = ("head and neck", "upper limbs", "trunk", "lower limbs")
WEIGHTS = np.array([1, 2, 3, 4])  # tenths
WEIGHTS_BELOW_8_YEARS = np.array([2, 2, 3, 3])
LARGEST_SIGN, LARGEST_AREA = 3, 6
EXTENT, INTENSITY, SYMPTOMS = 100, 18, 20
Numbers = NDArray[np.float64]


def easi_from_regions(signs: ArrayLike, areas: ArrayLike, below_8_years: ArrayLike = False) -> Numbers:
    """EASI in points, exact on its grid (0.1; 0.05 with half points of a sign).

    Parameters
    ----------
    signs : array of shape (n, 4, 4)
        Erythema, induration/papulation, excoriation, lichenification (last axis) of each of `REGIONS`, 0 to 3.
    areas : array of shape (n, 4)
        Area score of each region, 0 to 6. The signs of a region without eczema (area 0) may be missing.
    below_8_years : bool or array of shape (n,)

    Returns
    -------
    array of shape (n,), missing where an area, or a sign of a region with eczema, is missing.

    Raises
    ------
    DataError
        E217 for a part outside its range or off its grid, naming row and region.
    """
    marks, area = np.asarray(signs, dtype=np.float64), np.asarray(areas, dtype=np.float64)
    _check(marks, LARGEST_SIGN, 0.5, "sign")
    _check(area, LARGEST_AREA, 1, "area")
    young = np.broadcast_to(np.asarray(below_8_years, dtype=bool), len(area))
    weights = np.where(young[:, None], WEIGHTS_BELOW_8_YEARS, WEIGHTS)
    halves = np.where(area == 0, 0.0, 2 * marks.sum(axis=2))
    score: Numbers = np.round((weights * area * halves).sum(axis=1)) / 20
    return score


def scorad(extent: ArrayLike, intensity: ArrayLike, symptoms: ArrayLike) -> Numbers:
    """SCORAD in points, 0 to 103: extent A (0-100 %), intensity B (0-18), pruritus and sleep loss C (0-20)."""
    part = np.asarray(symptoms, dtype=np.float64)
    _check(part, SYMPTOMS, 0.1, "symptoms")
    return np.asarray(np.round(objective_scorad(extent, intensity) + part, 6), dtype=np.float64)


def objective_scorad(extent: ArrayLike, intensity: ArrayLike) -> Numbers:
    """Objective SCORAD in points, 0 to 83: A/5 + 7B/2; missing where a part is missing."""
    A, B = np.asarray(extent, dtype=np.float64), np.asarray(intensity, dtype=np.float64)
    _check(A, EXTENT, 0.1, "extent")
    _check(B, INTENSITY, 1, "intensity")
    return np.asarray(np.round(A / 5 + 7 * B / 2, 6), dtype=np.float64)


def _check(values: Numbers, largest: float, grid: float, name: str) -> None:
    known = ~np.isnan(values)
    steps = np.where(known, values, 0.0) / grid
    wrong = known & ((values < 0) | (values > largest) | (np.abs(steps - np.round(steps)) > 1e-9))
    if wrong.any():
        raise DataError([_problem(place, values, largest, grid, name) for place in np.argwhere(wrong)])


def _problem(place: Any, values: Numbers, largest: float, grid: float, name: str) -> Problem:
    region = f", {REGIONS[place[1]]}" if len(place) > 1 else ""
    what = f"{values[tuple(place)]:g} is not between 0 and {largest:g} in steps of {grid:g}"
    return Problem("E217", f"row {place[0] + 1}{region}, {name}", what)
