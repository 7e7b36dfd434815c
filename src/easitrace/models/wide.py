"""How the model's rows x_ij arise from columns of the patient: x_ij = S_j' w_i.

Wide: every column of the model is a function of the visit times a function of the patient, so w_i holds the distinct
patient-level products and S_j the visit's numbers. Long: w_i = (x_i1, ..., x_iJ) and S_j picks the j-th.
"""

import re
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.errors import DataError, ParameterError, Problem
from easitrace.models.design import Recipe, Rows

PLAIN = re.compile(r"^(?:C\(\s*)?(\w+)\s*(?:,.*\))?\)?$")

Piece = tuple[str, int]  # a factor as written (with "-" before it when in reduced coding), and which of its columns


@dataclass(frozen=True)
class Layout:
    """storage "wide" or "long"; `pieces` the factors multiplied in each patient-level column; S (J, w, p)."""

    storage: str
    pieces: tuple[tuple[Piece, ...], ...]
    S: Array


def layout(recipe: Recipe, rows: Rows, start: NDArray[np.int64], storage: str = "auto") -> Layout:
    """The layout for these rows; DataError when wide storage is asked for and a covariate changes within a patient."""
    if storage not in ("auto", "wide", "long"):
        raise ParameterError(Problem("E301", "storage", f"{storage!r} is unknown", "choose auto, wide or long"))
    changing = [] if storage == "long" else _changing(recipe, rows, start)
    if storage == "wide" and (changing or not _separable(recipe)):
        what = (
            f"{', '.join(changing)} changes within a patient" if changing else "the formula has a transformed covariate"
        )
        raise DataError(Problem("E311", "storage wide", what, "use storage long"))
    if storage == "long" or changing or not _separable(recipe):
        return _long(recipe)
    return _wide(recipe)


def patient_rows(plan: Layout, recipe: Recipe, rows: Rows, start: NDArray[np.int64], seen: NDArray[np.bool_]) -> Array:
    """w_i of every patient (n, w)."""
    if plan.storage == "long":
        J, p = seen.shape[1], len(recipe.columns)
        long = np.zeros((len(seen), J, p))
        long[rows.patient, rows.visit] = recipe.rows(rows.frame)
        return long.reshape(len(seen), J * p)
    columns = {piece: _column(piece, recipe, rows, start) for pieces in plan.pieces for piece in pieces}
    W = np.ones((len(start), len(plan.pieces)))
    for k, pieces in enumerate(plan.pieces):
        for piece in pieces:
            W[:, k] *= columns[piece]
    return W


def _long(recipe: Recipe) -> Layout:
    J, p = len(recipe.visits), len(recipe.columns)
    return Layout("long", (), np.eye(J * p).reshape(J, p, J * p).transpose(0, 2, 1))


def _wide(recipe: Recipe) -> Layout:
    """Every model column split into its visit part (numbers per visit) and its patient part (a product of factors)."""
    J = len(recipe.visits)
    of_column: list[tuple[tuple[Piece, ...], Array]] = []
    for term in recipe.spec.structure:
        for scoped in term.scoped_terms:
            factors = [("-" * part.reduced + part.factor.expr) for part in scoped.factors]
            widths = [_coding(recipe, factor).shape[1] if _is_factor(recipe, factor) else 1 for factor in factors]
            for backwards in product(*(range(width) for width in reversed(widths))):
                pieces = list(zip(factors, reversed(backwards), strict=True))
                patient = tuple(sorted(piece for piece in pieces if _variable(piece[0]) != recipe.visit))
                visit = np.full(J, float(scoped.scale))
                for factor, column in (piece for piece in pieces if _variable(piece[0]) == recipe.visit):
                    visit = visit * _coding(recipe, factor)[:, column]
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


def _is_factor(recipe: Recipe, factor: str) -> bool:
    return _variable(factor) in recipe.levels


def _coding(recipe: Recipe, factor: str) -> Array:
    """Coding matrix (levels, columns) of a factor."""
    contrasts: dict[Any, Any] = {f.expr: state for f, state in recipe.spec.factor_contrasts.items()}
    state = contrasts[factor.removeprefix("-")]
    return np.asarray(state.get_coding_matrix(reduced_rank=factor.startswith("-")), dtype=float)


def _column(piece: Piece, recipe: Recipe, rows: Rows, start: NDArray[np.int64]) -> Array:
    """One factor's column for every patient."""
    factor, column = piece
    values = rows.frame[_variable(factor)]
    if _is_factor(recipe, factor):
        codes = values.cat.codes.to_numpy()[start]
        return np.asarray(_coding(recipe, factor)[codes, column])
    return values.to_numpy(float)[start]


def _separable(recipe: Recipe) -> bool:
    """Whether every factor is a data column or C(column)."""
    written = {part.factor.expr for term in recipe.spec.structure for s in term.scoped_terms for part in s.factors}
    known = {*recipe.levels, *recipe.numeric}
    contrasts = {f.expr for f in recipe.spec.factor_contrasts}
    return all(_variable(f) in known and (f in contrasts or _variable(f) == f) for f in written)


def _changing(recipe: Recipe, rows: Rows, start: NDArray[np.int64]) -> list[str]:
    """Covariates that change within a patient."""
    names = [*recipe.numeric, *(n for n in recipe.levels if n not in (recipe.visit, recipe.by))]
    found = []
    for name in names:
        column = rows.frame[name]
        values = column.cat.codes.to_numpy() if name in recipe.levels else column.to_numpy(float)
        if (values != values[start][rows.patient]).any():
            found.append(name)
    return found
