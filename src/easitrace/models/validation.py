"""Our numbers beside those of R: the largest difference of every quantity in every reference file.

The files hold fits by mmrm (polished to its true optimum), lme4 with lmerTest and pbkrtest; their README tells how they
were made. Differences of estimates are in standard errors, of a log-likelihood absolute, of the rest relative.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from easitrace.errors import MachineError, Problem
from easitrace.models.emmeans import contrasts, emmeans, joint_test
from easitrace.models.fit import Fit
from easitrace.models.mmrm import fit_mmrm
from easitrace.models.random_effects import fit_random_effects

R_COLUMNS = {"estimate": "Estimate", "se": "Std. Error", "df": "df", "p": "Pr(>|t|)"}
TRAJECTORY = "y ~ age40 + time + I(time**2)"
TOLERANCES = {"log-likelihood": 1e-8, "estimate": 1e-8, "SE": 1e-8, "df": 1e-7, "P": 1e-6, "covariance": 1e-7}
LMER_TOLERANCE = 1e-6
KENWARD_ROGERS = {"kenward-roger": "se", "kenward-roger-linear": "se_linear", "kenward-roger-mmrm": "se_mmrm"}
Row = tuple[str, str, float, float]


def reference_differences(folder: str | Path) -> pd.DataFrame:
    """Fit every reference model again and compare.

    Parameters
    ----------
    folder : str or Path
        With `mmrm_*.json`, `lmm_*.json`, `kenward_roger_natural.json`, `two_arm.csv` and `irregular.csv`.

    Returns
    -------
    DataFrame
        `file`, `quantity`, `difference` (the largest), `tolerance`; a row per file and quantity.

    Raises
    ------
    MachineError
        E621 when the folder holds no reference files.
    """
    place = Path(folder)
    if not (place / "two_arm.csv").is_file():
        raise MachineError(Problem("E621", str(place), "no reference files", "run from a checkout of the repository"))
    rows = [*_of_mmrm(place), *_of_kenward_roger(place), *_of_lmer(place)]
    return pd.DataFrame(rows, columns=["file", "quantity", "difference", "tolerance"])


def largest(differences: pd.DataFrame) -> pd.DataFrame:
    """The largest difference of each quantity by program (R mmrm; SAS's Kenward-Roger; lme4), with how many files."""
    program = differences["file"].str.extract(r"^(mmrm|kenward_roger|lmm)")[0]
    grouped = differences.assign(program=program).groupby(["program", "quantity"], sort=False)
    return grouped.agg(
        files=("file", "nunique"), difference=("difference", "max"), tolerance=("tolerance", "max")
    ).reset_index()


def three_kenward_rogers(data: pd.DataFrame, few: int = 25) -> pd.DataFrame:
    """The difference between arms at the last visit by each Kenward-Roger, in all patients and in the first `few`.

    Returns
    -------
    DataFrame
        `patients`, `df_method`, `estimate`, `se`, `df`, `p`; "satterthwaite" has the unadjusted standard error.
    """
    first = data[data["patient"].isin(sorted(data["patient"].unique())[:few])]
    rows = []
    for part in (data, first):
        for method in ("satterthwaite", *KENWARD_ROGERS):
            fit = fit_mmrm("change ~ baseline + arm * week", part, patient="patient", visit="week", df=method)
            last = contrasts(fit, "arm", within="week").iloc[-1]
            rows.append({"patients": fit.n_patients, "df_method": method, **last[["estimate", "se", "df", "p"]]})
    return pd.DataFrame(rows)


def two_arm(folder: str | Path) -> pd.DataFrame:
    """The simulated two-arm trial, placebo as reference."""
    data = pd.read_csv(Path(folder) / "two_arm.csv")
    return data.assign(arm=pd.Categorical(data["arm"], ["placebo", "drug"]))


def term_in_r(term: str) -> str:
    """`sex[T.male]` as R calls it: `sexmale`."""
    return "(Intercept)" if term == "Intercept" else re.sub(r"\s*\*\*\s*", "^", re.sub(r"\[T\.(\w+)\]", r"\1", term))


def _of_mmrm(folder: Path) -> Iterator[Row]:
    data = two_arm(folder)
    for path in sorted(folder.glob("mmrm_*.json")):
        of = json.loads(path.read_text(encoding="utf-8"))
        fit = fit_mmrm(
            of["formula"],
            data,
            patient="patient",
            visit="week",
            covariance=of["structure"],
            by="arm" if of["grouped_by_arm"] else None,
            reml=of["reml"],
            df=_method(of),
        )
        for quantity, difference in _mmrm_quantities(fit, of):
            yield path.stem, quantity, difference, TOLERANCES[quantity]


def _method(of: dict[str, Any]) -> str:
    if of["df_method"] == "Satterthwaite":
        return "satterthwaite"
    return "kenward-roger-linear" if of["vcov"] == "Kenward-Roger-Linear" else "kenward-roger-mmrm"


def _mmrm_quantities(fit: Fit, of: dict[str, Any]) -> Iterator[tuple[str, float]]:
    yield "log-likelihood", abs(fit.log_likelihood - of["log_likelihood"])
    ours = fit.covariance if isinstance(fit.covariance, dict) else {"": fit.covariance}
    theirs = of["covariance"] if isinstance(of["covariance"], dict) else {"": of["covariance"]}
    yield "covariance", max(_relative(ours[group], sigma) for group, sigma in theirs.items())
    tables = [_coefficients(fit.coefficients, of["coefficients"])]
    if "emmeans" in of:
        means = pd.DataFrame(of["emmeans"]).rename(columns={"emmean": "estimate", "SE": "se"})
        differences = pd.DataFrame(of["contrasts"]).rename(columns={"SE": "se", "p.value": "p"})
        tables += [
            (emmeans(fit, ["arm", "week"]), means),
            (contrasts(fit, "arm", within="week"), differences),
        ]
        joint = {key: np.ravel(value)[0] for key, value in of["joint_arm_by_week"].items()}
        test = joint_test(fit, "arm:week").iloc[0]
        yield "df", _relative(test["df2"], joint["denom_df"])
        yield "P", _relative(test["p"], joint["p_val"])
    for mine, reference in tables:
        yield from _table_quantities(mine, reference)


def _coefficients(ours: pd.DataFrame, theirs: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    reference = pd.DataFrame(theirs).rename(columns={value: key for key, value in R_COLUMNS.items()})
    by_name = ours.set_index(ours["term"].map(term_in_r))
    return by_name.loc[reference["term"]], reference


def _table_quantities(ours: pd.DataFrame, theirs: pd.DataFrame) -> Iterator[tuple[str, float]]:
    apart = np.abs(ours["estimate"].to_numpy() - theirs["estimate"].to_numpy()) / theirs["se"].to_numpy()
    yield "estimate", float(apart.max())
    yield "SE", _relative(ours["se"], theirs["se"])
    yield "df", _relative(ours["df"], theirs["df"])
    if "p" in theirs:
        yield "P", _relative(ours["p"], theirs["p"])


def _of_kenward_roger(folder: Path) -> Iterator[Row]:
    """Standard errors with second derivatives in natural parameters (SAS ddfm=kr), without, and as mmrm has them."""
    data, formula = two_arm(folder), "change ~ baseline + sex + site + arm * week"
    for of in json.loads((folder / "kenward_roger_natural.json").read_text(encoding="utf-8")):
        for df, column in KENWARD_ROGERS.items():
            fit = fit_mmrm(formula, data, patient="patient", visit="week", covariance=of["structure"], df=df)
            ours = fit.coefficients.set_index(fit.coefficients["term"].map(term_in_r))["se"].loc[of["term"]]
            yield f"kenward_roger_{of['structure']}", f"SE, {df}", _relative(ours, of[column]), 1e-6


def _of_lmer(folder: Path) -> Iterator[Row]:
    data = pd.read_csv(folder / "irregular.csv")
    data = data.assign(time=data["day"] / 84, y=np.log1p(data["easi"]), age40=data["age"] - 40)
    for path in sorted(folder.glob("lmm_*.json")):
        of = json.loads(path.read_text(encoding="utf-8"))
        random = "1" if len(of["random"]) == 2 else "1 + time"
        options: dict[str, Any] = {"patient": "patient", "random": random, "reml": of["reml"]}
        fit = fit_random_effects(TRAJECTORY, data, **options)
        yield path.stem, "log-likelihood", abs(fit.log_likelihood - of["log_likelihood"]), LMER_TOLERANCE
        yield from _of_lmer_table(path.stem, fit, of["satterthwaite"])
        if of.get("kenward_roger"):
            adjusted = fit_random_effects(TRAJECTORY, data, **options, df="kenward-roger", information="expected")
            yield from _of_lmer_table(path.stem, adjusted, of["kenward_roger"])


def _of_lmer_table(name: str, fit: Any, theirs: list[dict[str, Any]]) -> Iterator[Row]:
    """P on the log scale: 3e-8 of a df is 4e-6 of a P of 1e-59."""
    ours, reference = _coefficients(fit.coefficients, theirs)
    differences = dict(_table_quantities(ours, reference))
    del differences["P"]
    for quantity, difference in differences.items():
        yield name, quantity, difference, LMER_TOLERANCE
    yield name, "log P", _relative(np.log(ours["p"]), np.log(reference["p"])), LMER_TOLERANCE


def _relative(ours: ArrayLike, theirs: ArrayLike) -> float:
    theirs = np.asarray(theirs, dtype=float)
    return float(np.max(np.abs(np.asarray(ours, dtype=float) - theirs) / np.abs(theirs)))
