"""Scores computed from their parts, and held against the totals that were recorded."""

from typing import Any

import numpy as np
import pandas as pd

from easitrace.cohort.cells import Cells, Floats
from easitrace.cohort.findings import counted, place, quoted, row_list
from easitrace.cohort.layout import Block
from easitrace.cohort.mapping import Mapping
from easitrace.cohort.places import always
from easitrace.cohort.roles import EASI_AREAS, EASI_SIGNS, REGIONS, SIGNS
from easitrace.scores import (
    EXTENT,
    INTENSITY,
    LARGEST_AREA,
    LARGEST_SIGN,
    SYMPTOMS,
    easi_from_regions,
    objective_scorad,
    scorad,
)

BELOW_AGE = 8
SAME = 1e-6
LIMITS = {
    **dict.fromkeys(EASI_AREAS, (LARGEST_AREA, 1.0)),
    **dict.fromkeys(EASI_SIGNS, (LARGEST_SIGN, 0.5)),
    "scorad_a": (EXTENT, 0.1),
    "scorad_b": (INTENSITY, 1.0),
    "scorad_c": (SYMPTOMS, 0.1),
}


def below_8_years(mapping: Mapping, people: pd.DataFrame) -> Floats:
    """For every patient 1 below 8 years of age, else 0; missing where the age is: by age, or by `age_group`."""
    if mapping.age_group is not None or "age" not in people:
        return np.full(len(people), float(mapping.age_group == "child"))
    age = people["age"].to_numpy(dtype=np.float64)
    return np.where(np.isnan(age), np.nan, age < BELOW_AGE)


def with_computed(cells: Cells, block: Block, table: dict[str, Any], young: Floats) -> dict[str, Any]:
    """The scores of a block with those computed from parts.

    A recorded total stays as it is and is compared; a blank one is filled in. Both are in the log.

    Parameters
    ----------
    table : dict of role to array
        The recorded scores of the block's rows.
    young : array of shape (rows,)
        1 for a patient below 8 years, 0 for another, missing when not known.
    """
    scores = dict(table)
    for name, roles in cells.mapping.from_parts.items():
        if not any(role in block.columns for role in roles):
            continue
        parts = np.column_stack([_part(cells, role, block.columns.get(role)) for role in roles])
        computed = _computed(name, parts, young)
        if name == "easi":
            computed = _without_age(cells, computed, young)
        recorded = table.get(name, np.full(len(computed), np.nan))
        _note(cells, name, block.columns.get(name), recorded, computed, parts)
        scores[name] = np.where(np.isnan(recorded), computed, recorded)
    return scores


def _part(cells: Cells, role: str, column: str | None) -> Floats:
    if column is None:
        return np.full(len(cells.rows), np.nan)
    values = cells.numbers(role, column)
    largest, grid = LIMITS[role]
    steps = np.nan_to_num(values) / grid
    wrong = (values < 0) | (values > largest) | (np.abs(steps - np.round(steps)) > SAME)
    at = np.flatnonzero(wrong)
    limits = f"runs from 0 to {largest:g} in steps of {grid:g}"
    shown = cells.text[column]
    cells.findings.errors_at(
        "E217",
        cells.table.rows_of(column)[at],
        column,
        lambda i: (f"{quoted(shown[int(at[i])].as_py())} is out of range; {role} {limits}", "correct the cell"),
    )
    return np.where(wrong, np.nan, values)


def _computed(name: str, parts: Floats, young: Floats) -> Floats:
    if name == "easi":
        areas, signs = parts[:, : len(REGIONS)], parts[:, len(REGIONS) :]
        by_region = signs.reshape(-1, len(REGIONS), len(SIGNS))
        return easi_from_regions(by_region, areas, np.nan_to_num(young).astype(bool))
    return scorad(*parts.T) if name == "scorad" else objective_scorad(*parts.T)


def _without_age(cells: Cells, computed: Floats, young: Floats) -> Floats:
    lacking = ~np.isnan(computed) & np.isnan(young)
    what = "the age is missing, and the regions of the EASI weigh otherwise below 8 years"
    remedy = "fill in the age, or leave age out and set age_group"
    cells.findings.errors_at("E272", cells.rows[lacking], None, always(what, remedy))
    return np.where(lacking, np.nan, computed)


def _note(cells: Cells, name: str, column: str | None, recorded: Floats, computed: Floats, parts: Floats) -> None:
    label = cells.mapping.instruments[name].label
    there, known = ~np.isnan(recorded), ~np.isnan(computed)
    gap = np.abs(np.where(there & known, recorded - computed, 0.0))
    if (gap > SAME).any():
        differ = f"{counted(int((gap > SAME).sum()), 'recorded score')} of the {label} not what the parts give"
        what = f"{differ}, by up to {gap.max():g}; the recorded one is used ({row_list(cells.rows[gap > SAME])})"
        cells.findings.note("W226", what, at=place(None, column))
    filled = known & ~there
    if filled.any():
        blank = f", the total being blank ({row_list(cells.rows[filled])})" if column else ""
        what = f"{counted(int(filled.sum()), 'score')} of the {label} computed from the parts{blank}"
        cells.findings.note("F227", what)
    partly = ~known & ~np.isnan(parts).all(axis=1)
    if partly.any():
        what = f"{counted(int(partly.sum()), 'row')} with some parts of the {label} but not all: none computed"
        cells.findings.note("W227", f"{what} ({row_list(cells.rows[partly])})")
