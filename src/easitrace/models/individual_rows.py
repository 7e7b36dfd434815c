"""From two formulas and a data frame to the arrays of a model with random effects, at each patient's own days.

y = X beta + Z u + e. Both sides are brought to an orthonormal basis, the fixed one as in `basis`; Z = Z_b root with
Z_b'Z_b = N I, so that G_b = root G root' has entries of one size, whatever the unit of time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.errors import ParameterError, Problem
from easitrace.models.basis import PERFECT_FIT, Basis
from easitrace.models.design import (
    Recipe,
    categorised,
    factor_names,
    observed_levels,
    outcome_values,
    parse,
    patient_codes,
    predictors,
    specification,
    to_frame,
    used_rows,
    variables,
)
from easitrace.models.patterns import triangle, upper
from easitrace.models.rank import independent_columns
from easitrace.models.woodbury import Patients, reduce_rows


@dataclass(frozen=True)
class Individuals:
    """The rows used, patient after patient: X (N, p), Z (N, q), y (N,), start (n,) the first row of each patient."""

    recipe: Recipe
    random: Recipe
    frame: pd.DataFrame
    X: Array
    Z: Array
    y: Array
    start: NDArray[np.int64]
    dropped: dict[str, int]

    @property
    def n_patients(self) -> int:
        """Patients with at least one row."""
        return len(self.start)

    def varies_within(self) -> NDArray[np.bool_]:
        """Which columns of X change within a patient."""
        return changing(self.X, self.start)


def changing(columns: Array, start: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which columns (N, p) change within a patient, beyond rounding."""
    of_row = np.repeat(np.arange(len(start)), np.diff(np.append(start, len(columns))))
    apart = np.abs(columns - columns[start][of_row]).max(axis=0)
    varies: NDArray[np.bool_] = apart > 1e-9 * np.abs(columns).max(axis=0)
    return varies


def individuals(formula: str, random: str, data: object, patient: str) -> Individuals:
    """The rows and model matrices; errors as `design.prepare`."""
    outcome = str(next(iter(parse(formula).lhs)))
    both = (formula, f"{outcome} ~ {random}")
    needed = list(dict.fromkeys(name for one in both for name in variables(one)))
    frame = to_frame(data, list(dict.fromkeys([*needed, patient])))
    frame, dropped = used_rows(formula, frame, patient, patient, needed)
    levels = {n: observed_levels(frame[n]) for one in both for n in factor_names(one, frame, "")}
    frame = categorised(frame, levels)
    codes, _ = patient_codes(frame[patient])
    if (np.diff(codes) < 0).any():
        order = np.argsort(codes, kind="stable")
        frame, codes = frame.iloc[order].reset_index(drop=True), codes[order]
    recipe, effects = (_recipe(one, outcome, patient, levels, frame) for one in both)
    if not effects.columns:
        raise ParameterError(Problem("E301", "random", f"{random!r} has no column", 'write "1" for an intercept'))
    return Individuals(
        recipe,
        effects,
        frame,
        recipe.rows(frame),
        effects.rows(frame),
        outcome_values(formula, frame),
        np.flatnonzero(np.diff(codes, prepend=-1)),
        dropped,
    )


def _recipe(
    formula: str, outcome: str, patient: str, levels: dict[str, tuple[object, ...]], frame: pd.DataFrame
) -> Recipe:
    rhs = predictors(formula)
    own = {name: found for name, found in levels.items() if name in rhs}
    numeric = tuple(name for name in rhs if name not in own)
    spec = specification(formula, own, numeric, frame)
    return Recipe(formula, outcome, patient, "", None, own, numeric, tuple(spec.column_names), spec)


def to_basis(of: Individuals) -> tuple[Basis, Array, Patients]:
    """The basis of beta, the root of Z (q, q), and the reduced rows.

    Raises
    ------
    ParameterError : random effects that depend on each other.
    """
    N, p = of.X.shape
    whole = triangle(np.column_stack([of.X, of.y]))
    kept, dropped = independent_columns(whole[:, :p])
    small, k = upper(whole[:, [*kept, p]]), len(kept)
    root, target = small[:k, :k], small[:k, k]
    perfect = k >= N or abs(small[k, k]) <= PERFECT_FIT * float(np.linalg.norm(small[:, k]))
    scale = 1.0 if perfect else float(abs(small[k, k])) / N**0.5
    dependence: Array = np.asarray(np.linalg.lstsq(whole[:, kept], whole[:, dropped])[0], dtype=float)
    basis = Basis(root, target, scale, kept, dropped, dependence, perfect)
    effects = triangle(of.Z) / np.sqrt(N)
    _refuse_dependent(effects, of.random.columns)
    residual = (of.y - of.X[:, kept] @ np.linalg.solve(root, target)) / scale
    z = np.column_stack([of.X[:, kept] @ np.linalg.inv(root), residual])
    return basis, effects, reduce_rows(of.Z @ np.linalg.inv(effects), z, of.start)


def _refuse_dependent(effects: Array, names: Sequence[str]) -> None:
    kept, dropped = independent_columns(effects)
    if len(dropped) or len(effects) < len(names):
        what = f"the random effects {', '.join(names)} depend on each other in these data"
        remedy = f"leave out {', '.join(names[d] for d in dropped)}" if len(kept) else ""
        raise ParameterError(Problem("E301", "random", what, remedy))
