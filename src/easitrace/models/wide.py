"""How the model's rows x_ij arise from columns of the patient: x_ij = S_j' w_i.

Wide: every column of the model is a function of the visit times a function of the patient, so w_i holds the distinct
patient-level products and S_j the visit's numbers. Long: w_i = (x_i1, ..., x_iJ) and S_j picks the j-th.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.errors import DataError, ParameterError, Problem
from easitrace.models.design import Recipe, Rows, Skeleton

PLAIN = re.compile(r"^(?:C\(\s*)?(\w+)\s*(?:,.*\))?\)?$")

Piece = tuple[str, int]  # a factor as written (with "-" before it when in reduced coding), and which of its columns


@dataclass(frozen=True)
class Layout:
    """storage "wide" or "long"; `pieces` the factors multiplied in each patient-level column; S (J, w, p)."""

    storage: str
    pieces: tuple[tuple[Piece, ...], ...]
    S: Array


def layout(recipe: Recipe, rows: Rows, first: NDArray[np.int64], storage: str = "auto") -> Layout:
    """The layout for these rows; DataError when wide storage is asked for and a covariate changes within a patient."""
    if storage not in ("auto", "wide", "long"):
        raise ParameterError(Problem("E301", "storage", f"{storage!r} is unknown", "choose auto, wide or long"))
    changing = [] if storage == "long" else _changing(recipe, rows, first)
    if storage == "wide" and (changing or not _separable(recipe)):
        what = (
            f"{', '.join(changing)} changes within a patient" if changing else "the formula has a transformed covariate"
        )
        raise DataError(Problem("E311", "storage wide", what, "use storage long"))
    if storage == "long" or changing or not _separable(recipe):
        return _long(recipe)
    return _wide(recipe.skeleton)


def patient_rows(plan: Layout, recipe: Recipe, rows: Rows, first: NDArray[np.int64], seen: NDArray[np.bool_]) -> Array:
    """w_i of every patient (n, w)."""
    if plan.storage == "long":
        J, p = seen.shape[1], len(recipe.columns)
        long = np.zeros((len(seen), J, p))
        long[rows.patient, rows.visit] = recipe.rows(rows.frame)
        return long.reshape(len(seen), J * p)
    columns = {piece: _column(piece, recipe, rows, first) for pieces in plan.pieces for piece in pieces}
    W = np.ones((len(first), len(plan.pieces)))
    for k, pieces in enumerate(plan.pieces):
        for piece in pieces:
            W[:, k] *= columns[piece]
    return W


def _long(recipe: Recipe) -> Layout:
    J, p = len(recipe.visits), len(recipe.columns)
    return Layout("long", (), np.eye(J * p).reshape(J, p, J * p).transpose(0, 2, 1))


@lru_cache(maxsize=64)
def _wide(skeleton: Skeleton) -> Layout:
    """Every model column split into its visit part (numbers per visit) and its patient part (a product of factors)."""
    J, codings = skeleton.size, coding_matrices(skeleton)
    of_column: list[tuple[tuple[Piece, ...], Array]] = []
    for scoped in (scoped for term in skeleton.spec.structure for scoped in term.scoped_terms):
        factors = [("-" * part.reduced + part.factor.expr) for part in scoped.factors]
        widths = [codings[factor].shape[1] if factor in codings else 1 for factor in factors]
        for backwards in product(*(range(width) for width in reversed(widths))):
            pieces = list(zip(factors, reversed(backwards), strict=True))
            visit = np.full(J, float(scoped.scale))
            for factor, column in (piece for piece in pieces if _variable(piece[0]) == skeleton.visit):
                visit = visit * codings[factor][:, column]
            patient = tuple(sorted(piece for piece in pieces if _variable(piece[0]) != skeleton.visit))
            of_column.append((patient, visit))
    distinct = tuple(dict.fromkeys(patient for patient, _ in of_column))
    S = np.zeros((J, len(distinct), len(of_column)))
    for c, (patient, visit) in enumerate(of_column):
        S[:, distinct.index(patient), c] = visit
    return Layout("wide", distinct, S)


def _variable(factor: str) -> str:
    """The data column a plain factor stands for."""
    match = PLAIN.match(factor.removeprefix("-"))
    return match[1] if match else ""


@lru_cache(maxsize=64)
def coding_matrices(skeleton: Skeleton) -> dict[str, Array]:
    """Coding matrix (levels, columns) of every factor as written, in full and ("-") reduced coding."""
    return {
        mark + factor.expr: np.asarray(state.get_coding_matrix(reduced_rank=mark == "-"), dtype=float)
        for factor, state in skeleton.spec.factor_contrasts.items()
        for mark in ("", "-")
    }


def _column(piece: Piece, recipe: Recipe, rows: Rows, first: NDArray[np.int64]) -> Array:
    """One factor's column for every patient."""
    factor, column = piece
    values, codings = rows.frame[_variable(factor)], coding_matrices(recipe.skeleton)
    if factor in codings:
        return np.asarray(codings[factor][:, column][values.cat.codes.to_numpy()[first]])
    return values.to_numpy(float)[first]


def _separable(recipe: Recipe) -> bool:
    """Whether every factor is a data column or C(column)."""
    written = {part.factor.expr for term in recipe.spec.structure for s in term.scoped_terms for part in s.factors}
    known = {*recipe.levels, *recipe.numeric}
    contrasts = {f.expr for f in recipe.spec.factor_contrasts}
    return all(_variable(f) in known and (f in contrasts or _variable(f) == f) for f in written)


def _changing(recipe: Recipe, rows: Rows, first: NDArray[np.int64]) -> list[str]:
    """Covariates that change within a patient."""
    names = [*recipe.numeric, *(n for n in recipe.levels if n not in (recipe.visit, recipe.by))]
    found = []
    for name in names:
        column = rows.frame[name]
        values = column.cat.codes.to_numpy() if name in recipe.levels else column.to_numpy(float)
        if (values != values[first][rows.patient]).any():
            found.append(name)
    return found
