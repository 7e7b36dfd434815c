"""From rows to what latent classes need of each patient: crossproducts, in an order that the data themselves fix.

X = Q R with Q'Q = N I, Z = Q_z R_z likewise, y replaced by its least-squares residual in units of its root mean
square s (N observations). Patients with the same rows of X and Z form a *pattern* and share X'X, X'Z and Z'Z. Rows are
sorted within patients, and patients among themselves, by content: neither row order nor names reach the numbers.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.errors import DataError, ParameterError, Problem
from easitrace.models.design import (
    Recipe,
    factor_names,
    observed_levels,
    outcome_values,
    parse,
    predictors,
    specification,
    to_frame,
    used_rows,
    variables,
)
from easitrace.models.rank import independent_columns

PERFECT_FIT = 1e-11  # residual over outcome, root mean squares


@dataclass(frozen=True)
class Patients:
    """Crossproducts in the basis: of P patterns and of n patients, those of a pattern next to each other.

    XX (P, p, p), XZ (P, p, q), ZZ (P, q, q), visits (P,) observed outcomes of a patient; first (P,) a pattern's first
    patient; pattern (n,); Xy (p, n), Zy (q, n), yy (n,): patients last, so that sums over classes run along memory.
    """

    XX: Array
    XZ: Array
    ZZ: Array
    visits: Array
    first: NDArray[np.int64]
    pattern: NDArray[np.int64]
    Xy: Array
    Zy: Array
    yy: Array

    @property
    def n(self) -> int:
        """Patients."""
        return len(self.yy)

    @property
    def n_observations(self) -> int:
        """Observed outcomes."""
        return int(self.visits[self.pattern].sum())

    def sums(self, values: Array) -> Array:
        """Sums over the patients of each pattern, (..., n) to (..., P)."""
        total: Array = np.add.reduceat(values, self.first, axis=-1)
        return total


@dataclass(frozen=True)
class ClassBasis:
    """Back from the basis: own coefficients = origin + scale R^-1 b (terms kept), D = scale^2 R_z^-1 D_b R_z^-T.

    root R (p, p); origin (p,); random_root R_z (q, q); scale; kept, dropped: columns of X; dependence as `Basis`;
    anchor (p,): mean row of X at the last time, by which classes are put in order.
    """

    root: Array
    origin: Array
    random_root: Array
    scale: float
    kept: NDArray[np.int64]
    dropped: NDArray[np.int64]
    dependence: Array
    anchor: Array
    perfect: bool

    @property
    def anchor_in_basis(self) -> Array:
        """The row (p,) whose product with b_k puts classes in order."""
        return np.asarray(np.linalg.solve(self.root.T, self.anchor), dtype=float)


@dataclass(frozen=True)
class ClassData:
    """All that a latent class model is fitted to.

    fixed, random : how rows of X and Z arise; ids (n,) patients in sorted order; place (n,) where each of them stands
    in `patients`; time : the variable classes are ordered by, or "".
    """

    fixed: Recipe
    random: Recipe
    patients: Patients
    basis: ClassBasis
    ids: NDArray[Any]
    place: NDArray[np.int64]
    time: str
    dropped_rows: dict[str, int]


def collect_patients(formula: str, data: Any, *, patient: str, random: str) -> ClassData:
    """Read rows into patients; DataError, ParameterError as the functions of `design`, E308 for a time seen twice."""
    (outcome,) = parse(formula).lhs
    random_formula = f"{outcome} ~ {random}"
    needed = variables(random_formula)
    frame = to_frame(data, list(dict.fromkeys([*variables(formula), *needed, patient])))
    frame, dropped_rows = used_rows(formula, frame, patient, patient, needed)
    y = outcome_values(formula, frame)
    codes, ids = pd.factorize(frame[patient], sort=True)
    fixed, X = _model_rows(formula, frame, patient)
    random_recipe, Z = _model_rows(random_formula, frame, patient)
    time = _time_name(formula, frame, codes, patient)
    top = _last_rows(frame, codes, time, patient)
    groups = _group(np.column_stack([X, Z, y]), codes, len(ids))
    rows = groups.rows
    basis, z = _to_basis(X[rows], Z[rows], y[rows], top[rows])
    patients = _crossproducts(z, groups, len(basis.kept))
    return ClassData(fixed, random_recipe, patients, basis, np.asarray(ids), groups.place, time, dropped_rows)


def _model_rows(formula: str, frame: pd.DataFrame, patient: str) -> tuple[Recipe, Array]:
    """The recipe of one side of the model and its rows; ParameterError when a value is not finite."""
    levels = {name: observed_levels(frame[name]) for name in factor_names(formula, frame, visit="")}
    numeric = tuple(name for name in predictors(formula) if name not in levels)
    spec = specification(formula, levels, numeric, frame)
    (outcome,) = parse(formula).lhs
    recipe = Recipe(formula, str(outcome), patient, "", None, levels, numeric, tuple(spec.column_names), spec)
    rows = recipe.rows(frame).reshape(len(frame), len(recipe.columns))
    if not np.isfinite(rows).all():
        raise DataError(Problem("E307", f"formula {formula}", "a term is not finite in some rows"))
    return recipe, rows


def _time_name(formula: str, frame: pd.DataFrame, codes: NDArray[np.int64], patient: str) -> str:
    """The variable first named in the formula that changes within patients, "" when none does."""
    text = formula.split("~", 1)[1]
    places = {name: re.search(rf"\b{re.escape(name)}\b", text) for name in predictors(formula)}
    named = {n: found.start() for n, found in places.items() if found}
    for name in sorted(named, key=lambda n: named[n]):
        if name != patient and (frame[name].groupby(codes).nunique() > 1).any():
            return name
    return ""


def _last_rows(frame: pd.DataFrame, codes: NDArray[np.int64], time: str, patient: str) -> NDArray[np.bool_]:
    """Rows at the last time of all; DataError when a patient has two rows at one time."""
    if not time:
        return np.ones(len(frame), dtype=bool)
    order = {level: k for k, level in enumerate(observed_levels(frame[time]))}
    rank = frame[time].map(order).to_numpy(dtype=np.int64)
    cells = codes * len(order) + rank
    again = pd.Series(cells).duplicated().to_numpy()
    if again.any():
        row = int(again.argmax())
        where = f"patient {frame[patient].iloc[row]}, {time} {frame[time].iloc[row]}"
        what = f"more than one row; {int(again.sum())} rows too many in all"
        raise DataError(Problem("E308", where, what, "keep one row per patient and time"))
    last: NDArray[np.bool_] = rank == rank.max()
    return last


def _to_basis(X: Array, Z: Array, y: Array, top: NDArray[np.bool_]) -> tuple[ClassBasis, Array]:
    """The basis and the rows [X, Z, y] in it; ParameterError when columns of Z depend on each other."""
    n, unit = len(y), np.sqrt(len(y))
    kept, dropped = _independent(X)
    if len(_independent(Z)[1]):
        raise ParameterError(Problem("E301", "random", "terms depend on each other", "leave one out"))
    Q, R = np.linalg.qr(X[:, kept])
    Qz, Rz = np.linalg.qr(Z)
    gamma = Q.T @ y
    residual = y - Q @ gamma
    residual -= Q @ (Q.T @ residual)
    scale = float(np.linalg.norm(residual)) / unit
    perfect = scale * unit <= PERFECT_FIT * float(np.linalg.norm(y)) or n <= len(kept)
    dependence = np.asarray(np.linalg.lstsq(X[:, kept], X[:, dropped])[0], dtype=float)
    anchor = X[top][:, kept].mean(axis=0)
    origin = np.asarray(np.linalg.solve(R, gamma), dtype=float)
    basis = ClassBasis(R / unit, origin, Rz / unit, scale, kept, dropped, dependence, anchor, perfect)
    return basis, np.column_stack([Q * unit, Qz * unit, residual / (1.0 if perfect else scale)])


def _independent(columns: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return independent_columns(np.linalg.qr(columns).R)


@dataclass(frozen=True)
class Groups:
    """Rows and patients in order of content.

    rows (N,) order of the rows; visits (n,) rows of each patient; first (P,), pattern (n,) as `Patients`; place (n,) of
    each patient code.
    """

    rows: NDArray[np.int64]
    visits: NDArray[np.int64]
    first: NDArray[np.int64]
    pattern: NDArray[np.int64]
    place: NDArray[np.int64]


def _group(values: Array, codes: NDArray[np.int64], n: int) -> Groups:
    """Sort by values (N, columns), the outcome last; patients alike in all but the outcome form a pattern."""
    rows = np.lexsort([*values.T[::-1], codes])
    visits = np.bincount(codes, minlength=n)
    wide = padded(values[rows], visits)
    design = np.column_stack([visits, wide[:, :, :-1].reshape(n, -1)])
    patients = np.lexsort([*wide[:, :, -1].T[::-1], *design.T[::-1]])
    design = design[patients]
    new = np.concatenate([[True], (design[1:] != design[:-1]).any(axis=1)])
    place = np.empty(n, dtype=np.int64)
    place[patients] = np.arange(n)
    rows = rows[np.argsort(place[codes[rows]], kind="stable")]
    return Groups(rows, visits[patients], np.flatnonzero(new), np.cumsum(new) - 1, place)


def padded(rows: Array, visits: NDArray[np.int64]) -> Array:
    """Rows (N, columns), patient after patient, as (n, most visits, columns), zero behind a patient's last."""
    n = len(visits)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(visits) - visits, visits)
    wide = np.zeros((n, visits.max(), rows.shape[1]))
    wide[np.repeat(np.arange(n), visits), within] = rows
    return wide


def _crossproducts(z: Array, groups: Groups, p: int) -> Patients:
    wide = padded(z, groups.visits)
    design, y = wide[:, :, :-1], wide[:, :, -1]
    shared = design[groups.first]
    both = shared.swapaxes(1, 2) @ shared
    own = np.einsum("njx,nj->xn", design, y)
    yy = np.einsum("nj,nj->n", y, y)
    visits = groups.visits[groups.first].astype(float)
    XX, XZ, ZZ = both[:, :p, :p], both[:, :p, p:], both[:, p:, p:]
    return Patients(XX, XZ, ZZ, visits, groups.first, groups.pattern, own[:p], own[p:], yy)
