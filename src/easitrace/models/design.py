"""From a formula and a data frame to arrays, and the recipe to build model rows anew.

Formulas are formulaic's. The visit is always a factor, whatever its type in the data: numbers in numerical order,
a categorical in the order of its categories. Columns of text and truth values are factors, as are those in C(...).
"""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from formulaic import Formula, ModelSpec
from formulaic.errors import FormulaicError
from numpy.typing import NDArray

from easitrace.covariance import Array
from easitrace.errors import DataError, ParameterError, Problem

Codes = NDArray[np.int64]
Levels = Mapping[str, tuple[Any, ...]]


@dataclass(frozen=True)
class Skeleton:
    """All that the columns of a formula without learnt terms depend on; hashable.

    factors : (name, levels) of the factors on the right-hand side; size : number of planned visits.
    """

    formula: str
    factors: tuple[tuple[str, tuple[Any, ...]], ...]
    numeric: tuple[str, ...]
    visit: str
    size: int

    @property
    def spec(self) -> ModelSpec:
        """Formulaic's specification."""
        return _stateless_spec(self.formula, self.factors, self.numeric)


@dataclass(frozen=True)
class Recipe:
    """What turns rows of data into rows of the model: formula, roles, levels of factors, formulaic's specification.

    `levels[visit]` are the planned visits in order. `columns` are formulaic's column names, in order.
    """

    formula: str
    outcome: str
    patient: str
    visit: str
    by: str | None
    levels: dict[str, tuple[Any, ...]]
    numeric: tuple[str, ...]
    columns: tuple[str, ...]
    spec: ModelSpec

    @property
    def visits(self) -> tuple[Any, ...]:
        """The planned visits, in order."""
        return self.levels[self.visit]

    @property
    def skeleton(self) -> Skeleton:
        """What the columns depend on; meaningless when `stateful`."""
        factors = _right_hand(self.formula, self.levels)
        return Skeleton(self.formula, factors, self.numeric, self.visit, len(self.visits))

    @property
    def stateful(self) -> bool:
        """Whether a term keeps something learnt from the data (centre, spline knots)."""
        return bool(self.spec.transform_state)

    def rows(self, frame: pd.DataFrame) -> Array:
        """Model rows (n, p) of new data, in the coding of the original."""
        return np.asarray(evaluated(self.formula, self.spec, categorised(frame, self.levels)), dtype=float)


@dataclass(frozen=True)
class Rows:
    """The rows used: a frame in patient order without missing values, y (N,), patient, visit and group codes (N,)."""

    frame: pd.DataFrame
    y: Array
    patient: Codes
    visit: Codes
    n_patients: int
    dropped: dict[str, int]


@lru_cache(maxsize=128)
def parse(formula: str) -> Formula:
    """The parsed formula; ParameterError when it does not parse or has no single outcome."""
    try:
        parsed = Formula(formula)
    except Exception as error:
        raise ParameterError(Problem("E302", "formula", f"{formula!r} is not a formula: {error}")) from error
    if len(list(getattr(parsed, "lhs", ()))) != 1:
        raise ParameterError(Problem("E302", "formula", f"{formula!r} needs one outcome left of ~"))
    return parsed


def expressions(formula: str) -> tuple[str, ...]:
    """The factors of the right-hand side, once each, as written."""
    found = [factor.expr for term in parse(formula).rhs for factor in term.factors]
    return tuple(dict.fromkeys(expr for expr in found if expr != "1"))


def variables(formula: str) -> tuple[str, ...]:
    """Names of the data columns the formula uses, outcome first."""
    return tuple(dict.fromkeys([*outcome_variables(formula), *predictors(formula)]))


@lru_cache(maxsize=128)
def outcome_variables(formula: str) -> tuple[str, ...]:
    """Data columns left of ~."""
    return _columns_of(parse(formula).lhs)


@lru_cache(maxsize=128)
def predictors(formula: str) -> tuple[str, ...]:
    """Data columns right of ~."""
    return _columns_of(parse(formula).rhs)


def _columns_of(side: Any) -> tuple[str, ...]:
    """Names that an expression reads, functions and modules aside (formulaic forgets those in stateful transforms)."""
    found: set[str] = set()
    for factor in (factor for term in side for factor in term.factors):
        if factor.eval_method.value == "lookup":
            found.add(factor.expr)
        elif factor.eval_method.value == "python":
            nodes = list(ast.walk(ast.parse(factor.expr, mode="eval")))
            inner = [n.func for n in nodes if isinstance(n, ast.Call)] + [
                n.value for n in nodes if isinstance(n, ast.Attribute)
            ]
            called = {id(node) for node in inner}
            found |= {n.id for n in nodes if isinstance(n, ast.Name) and id(n) not in called}
    return tuple(sorted(found))


def to_frame(data: Any, columns: Sequence[str]) -> pd.DataFrame:
    """The named columns of any data frame that narwhals accepts, as pandas; DataError names columns that are absent."""
    native = nw.from_native(data)
    if isinstance(native, nw.LazyFrame):
        native = native.collect()
    missing = [name for name in columns if name not in native.columns]
    if missing:
        there = ", ".join(map(str, native.columns))
        raise DataError(
            [Problem("E303", f"column {name}", "is not in the data", f"columns are {there}") for name in missing]
        )
    wanted = native.select(columns)
    frame: pd.DataFrame = wanted.to_native() if isinstance(data, pd.DataFrame) else wanted.to_pandas()
    return frame.reset_index(drop=True)


def categorised(frame: pd.DataFrame, levels: Levels) -> pd.DataFrame:
    """The frame with its factors as categoricals of the given levels; DataError names levels that are unknown."""
    columns: dict[str, Any] = {}
    for name in frame.columns:
        if name not in levels:
            columns[name] = frame[name]
            continue
        known = pd.Index(list(levels[name]))
        codes = _codes(frame[name], known)
        unknown = (codes < 0) & frame[name].notna().to_numpy()
        if unknown.any():
            (example,), listed = frame[name][unknown].head(1).tolist(), ", ".join(map(str, known))
            raise DataError(Problem("E304", f"column {name}", f"level {example!r} is unknown", f"levels are {listed}"))
        columns[name] = pd.Categorical.from_codes(codes, categories=known)
    return pd.DataFrame(columns, index=frame.index, copy=False)


def _codes(column: pd.Series, known: pd.Index) -> Any:
    """The place of every value among the known levels, -1 for others, in as few bytes as the levels need."""
    narrow = np.min_scalar_type(-len(known))
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return known.get_indexer(pd.Index(column)).astype(narrow)
    places = known.get_indexer(column.cat.categories).astype(narrow)
    return np.append(places, narrow.type(-1))[column.cat.codes]


def observed_levels(column: pd.Series, ordered: bool = False) -> tuple[Any, ...]:
    """Levels present, in order of categories, numbers or the alphabet (the last is a DataError when `ordered`)."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        present = np.bincount(column.cat.codes.to_numpy(), minlength=len(column.cat.categories)) > 0
        return tuple(np.asarray(column.cat.categories)[present].tolist())
    found = pd.unique(column).tolist()
    if ordered and column.dtype.kind not in "iufb":
        try:
            return tuple(sorted(found, key=float))
        except ValueError as error:
            remedy = "make it numeric, or a categorical whose categories are in time order"
            raise DataError(
                Problem("E305", f"column {column.name}", "visits are text without an order", remedy)
            ) from error
    try:
        return tuple(sorted(found))
    except TypeError as error:
        raise DataError(Problem("E305", f"column {column.name}", "mixes numbers and text")) from error


def factor_names(formula: str, frame: pd.DataFrame, visit: str) -> list[str]:
    """Right-hand columns that are factors: the visit, text, truth values, categoricals, and those in C(...)."""
    written = {match[1] for expr in expressions(formula) if (match := re.match(r"C\(\s*(\w+)\s*[,)]", expr))}
    names = predictors(formula)
    return [
        n
        for n in names
        if n == visit or n in written or not pd.api.types.is_numeric_dtype(frame[n]) or frame[n].dtype == bool
    ]


def used_rows(
    formula: str, frame: pd.DataFrame, patient: str, visit: str, needed: Sequence[str]
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows without a missing value, and how many were left out for which column (outcome first)."""
    keep = np.ones(len(frame), dtype=bool)
    dropped: dict[str, int] = {}
    for name in dict.fromkeys([*variables(formula), patient, visit, *needed]):
        missing = frame[name].isna().to_numpy() & keep
        if missing.any():
            dropped[name] = int(missing.sum())
            keep &= ~missing
    if not keep.any():
        raise DataError(Problem("E306", "data", "no row has all variables of the model"))
    return (frame if keep.all() else frame[keep].reset_index(drop=True)), dropped


def patient_codes(column: pd.Series) -> tuple[Codes, int]:
    """Codes (N,) of the patients in order of appearance; fast when the rows of a patient are neighbours."""
    values = column.to_numpy()
    new = np.concatenate([[True], values[1:] != values[:-1]])
    first = column[new]
    if not first.duplicated().any():
        return np.cumsum(new) - 1, int(new.sum())
    codes, found = pd.factorize(column)
    return codes.astype(np.int64), len(found)


@lru_cache(maxsize=64)
def _stateless_spec(
    formula: str, factors: tuple[tuple[str, tuple[Any, ...]], ...], numeric: tuple[str, ...]
) -> ModelSpec:
    """Formulaic's specification, from a frame made up of the levels alone."""
    size = max([2, *(len(levels) for _, levels in factors)])
    columns: dict[str, Any] = {name: np.linspace(0.25, 0.75, size) for name in numeric}
    for name, levels in factors:
        columns[name] = pd.Categorical([levels[i % len(levels)] for i in range(size)], categories=list(levels))
    return evaluated(formula, parse(formula).rhs, pd.DataFrame(columns)).model_spec


def evaluated(formula: str, side: Any, frame: pd.DataFrame) -> Any:
    """Formulaic's model matrix of one side; ParameterError when a term cannot be evaluated."""
    try:
        return side.get_model_matrix(frame, na_action="ignore", output="numpy")
    except FormulaicError as error:
        raise ParameterError(Problem("E302", "formula", f"{formula!r} cannot be evaluated: {error}")) from error


def _right_hand(formula: str, levels: Levels) -> tuple[tuple[str, tuple[Any, ...]], ...]:
    """The factors of the right-hand side with their levels."""
    return tuple((name, tuple(levels[name])) for name in levels if name in predictors(formula))


def specification(formula: str, levels: Levels, numeric: Sequence[str], frame: pd.DataFrame | None) -> ModelSpec:
    """Formulaic's specification of the right-hand side; terms with a state (scale, splines) learn it from `frame`."""
    spec = _stateless_spec(formula, _right_hand(formula, levels), tuple(numeric))
    if not spec.transform_state or frame is None:
        return spec
    return evaluated(formula, parse(formula).rhs, categorised(frame, levels)).model_spec


def outcome_values(formula: str, frame: pd.DataFrame) -> Array:
    """The left-hand side (N,), a column or an expression of columns; DataError when a value is not finite."""
    (term,) = parse(formula).lhs
    name = str(term)
    values = frame[name] if name in frame.columns else evaluated(formula, Formula(f"0 + {name}"), frame)
    y = np.asarray(values, dtype=float).reshape(len(frame))
    if not np.isfinite(y).all():
        raise DataError(Problem("E307", f"outcome {name}", f"{int((~np.isfinite(y)).sum())} values are not finite"))
    return y


def prepare(
    formula: str, data: Any, *, patient: str, visit: str, by: str | None = None, levels: Levels | None = None
) -> tuple[Recipe, Rows]:
    """The recipe and the rows used. `levels` fixes levels (and visits) that these data may not show in full."""
    needed = [name for name in (by,) if name is not None]
    columns = list(dict.fromkeys([*variables(formula), patient, visit, *needed]))
    frame, dropped = used_rows(formula, to_frame(data, columns), patient, visit, needed)
    names = dict.fromkeys([*factor_names(formula, frame, visit), *needed, visit])
    found = {n: tuple((levels or {}).get(n) or observed_levels(frame[n], ordered=n == visit)) for n in names}
    frame = categorised(frame, found)
    codes, n_patients = patient_codes(frame[patient])
    if (np.diff(codes) < 0).any():
        order = np.argsort(codes, kind="stable")
        frame, codes = frame.iloc[order].reset_index(drop=True), codes[order]
    numeric = tuple(name for name in predictors(formula) if name not in found)
    spec = specification(formula, found, numeric, frame)
    (outcome,) = parse(formula).lhs
    recipe = Recipe(formula, str(outcome), patient, visit, by, found, numeric, tuple(spec.column_names), spec)
    visits = frame[visit].cat.codes.to_numpy().astype(np.int64)
    _refuse_duplicates(codes, visits, recipe, frame)
    return recipe, Rows(frame, outcome_values(formula, frame), codes, visits, n_patients, dropped)


def _refuse_duplicates(patient: Codes, visit: Codes, recipe: Recipe, frame: pd.DataFrame) -> None:
    cells = patient * len(recipe.visits) + visit
    ascending = np.diff(cells)
    if (ascending > 0).all():
        return
    ordered = np.sort(cells)
    again = ordered[1:][np.diff(ordered) == 0]
    if len(again):
        row = int(np.flatnonzero(cells == again[0])[0])
        where = f"patient {frame[recipe.patient].iloc[row]}, visit {frame[recipe.visit].iloc[row]}"
        what = f"more than one row; {len(again)} rows too many in all"
        raise DataError(Problem("E308", where, what, "keep one row per patient and visit"))
