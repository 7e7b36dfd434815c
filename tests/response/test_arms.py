"""The arms of a trial against R: from a CSV file through the functions of the chapter to the numbers of R's mmrm."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from easitrace import fit_mmrm, read_cohort
from easitrace.cohort.arms import by_arm, each_arm
from easitrace.cohort.cohort import Cohort
from easitrace.errors import DataError, ParameterError
from easitrace.models.fit import Fit
from easitrace.response import arms, trajectory

REFERENCE = Path(__file__).parents[1] / "reference"
STRATA = ["sex", "site"]
VISITS = {"baseline": 0, "week 4": 4, "week 8": 8, "week 12": 12, "week 16": 16}
AGREES: dict[str, Any] = {"rtol": 1e-6}  # R's mmrm polished to its optimum; scores read from a file on a 0.1 grid


def trial_csv(path: Path) -> Path:
    """`two_arm.csv` as a trial's export: a score at every visit instead of changes."""
    table = pd.read_csv(REFERENCE / "two_arm.csv")
    first = table.drop_duplicates("patient").assign(week=0, change=0.0)
    rows = pd.concat([first, table]).sort_values(["patient", "week"])
    rows = rows.assign(easi=(rows["baseline"] + rows["change"]).round(1)).drop(columns=["baseline", "change"])
    rows.to_csv(path / "trial.csv", index=False)
    return path / "trial.csv"


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    path = trial_csv(tmp_path_factory.mktemp("trial"))
    return read_cohort(path, visits=VISITS, arm="arm", reference_arm="placebo", strata=STRATA)


def fitted(cohort: Cohort, rule: arms.BaselineRule, df: str, by: str | None = None) -> tuple[Fit, pd.DataFrame]:
    rows = trajectory.model_rows(cohort, "raw", STRATA, rule)
    formula = trajectory.model_formula(STRATA, rule)
    return fit_mmrm(formula, rows, patient="patient", visit="visit", by=by, df=df), rows


def reference(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(
    ("name", "df", "by"),
    [
        ("mmrm_us_reml_satterthwaite", "satterthwaite", None),
        ("mmrm_us_reml_kenward_roger_linear", "kenward-roger", None),
        ("mmrm_us_reml_kenward_roger", "kenward-roger-mmrm", None),
        ("mmrm_us_by_arm_reml_satterthwaite", "satterthwaite", "arm"),
    ],
)
def test_the_baseline_as_covariate_is_r_mmrm(cohort: Cohort, name: str, df: str, by: str | None) -> None:
    fit, rows = fitted(cohort, "covariate", df, by)
    theirs = reference(name)
    assert fit.log_likelihood == pytest.approx(theirs["log_likelihood"], rel=1e-9)
    ours = trajectory.arm_differences(fit, rows, "raw")
    for row, other in zip(ours.to_dict("records"), theirs["contrasts"], strict=True):
        columns = ["estimate", "df", "lower.CL", "upper.CL", "t.ratio", "p.value"]
        found = [row[column] for column in ("estimate", "df", "lower", "upper", "statistic", "p")]
        np.testing.assert_allclose(found, [other[column] for column in columns], **AGREES)
    changes = trajectory.visit_changes(fit, rows, "raw").set_index(["arm", "week"])
    for other in theirs["emmeans"]:
        row = changes.loc[(other["arm"], float(other["week"]))]
        expected = [other[column] for column in ("emmean", "df", "lower.CL", "upper.CL")]
        np.testing.assert_allclose(list(row[["estimate", "df", "lower", "upper"]]), expected, **AGREES)
    test = arms.joint_tests(fit, rows).set_index("hypothesis").loc[arms.SAME_DIFFERENCE]
    joint = theirs["joint_arm_by_week"]
    assert test["df1"] == joint["num_df"]
    np.testing.assert_allclose(
        list(test[["df2", "f", "p"]]), [joint["denom_df"], joint["f_stat"], joint["p_val"]], **AGREES
    )


def test_the_p_of_a_change_is_that_of_its_t(cohort: Cohort) -> None:
    from scipy.stats import t

    fit, rows = fitted(cohort, "covariate", "satterthwaite")
    row = trajectory.visit_changes(fit, rows, "raw", 0.9).iloc[-1]
    emmean = next(m for m in reference("mmrm_us_reml_satterthwaite")["emmeans"][::-1] if m["arm"] == "drug")
    ratio = emmean["emmean"] / emmean["SE"]
    assert row["statistic"] == pytest.approx(ratio, rel=1e-6)
    assert row["p"] == pytest.approx(2 * t.sf(abs(ratio), emmean["df"]), rel=1e-5)


NLME = {"common": "common", "own": "own", "covariate-by-visit": "covariate_by_visit"}


@pytest.mark.parametrize("rule", NLME)
def test_the_other_rules_are_r_gls(cohort: Cohort, rule: arms.BaselineRule) -> None:
    """nlme's gls stops at 1e-5 of its estimates; the log-likelihood is flat there and agrees further."""
    fit, rows = fitted(cohort, rule, "satterthwaite")
    theirs = reference("arms")["models"][NLME[rule]]
    assert fit.log_likelihood == pytest.approx(theirs["log_likelihood"], rel=1e-7)
    scores = arms.arm_differences(fit, rows, 0.95).query("quantity == 'score'")
    np.testing.assert_allclose(scores["estimate"], theirs["estimate"], rtol=2e-5)
    half = (scores["upper"] - scores["lower"]) / 2
    np.testing.assert_allclose(np.abs(scores["estimate"] / scores["statistic"]), theirs["se"], rtol=1e-4)
    assert (half > 1.9 * np.array(theirs["se"])).all()


def test_one_baseline_mean_is_shared_and_differences_are_those_of_changes(cohort: Cohort) -> None:
    fit, rows = fitted(cohort, "common", "kenward-roger")
    means = trajectory.visit_means(fit, rows, "raw").set_index(["arm", "visit"])
    assert means.loc[("drug", "baseline"), "mean"] == means.loc[("placebo", "baseline"), "mean"]
    assert means.loc[("drug", "week 16"), "n"] == 57 and means.loc[("placebo", "week 16"), "n"] == 58
    changes = trajectory.visit_changes(fit, rows, "raw").set_index(["arm", "visit"])["estimate"]
    differences = trajectory.arm_differences(fit, rows, "raw").set_index("visit")["estimate"]
    np.testing.assert_allclose(changes["drug"] - changes["placebo"], differences, rtol=1e-9)


def two_visits(n: int = 24, levels: tuple[str, ...] = ("usual", "new")) -> pd.DataFrame:
    rng = np.random.default_rng(31)
    arm = np.resize(levels, n)
    start = rng.uniform(10, 40, n).round(1)
    end = (start - 3 - 4 * (arm == "new") + rng.normal(0, 3, n)).round(1)
    wide = pd.DataFrame({"patient": [f"P{i:02}" for i in range(n)], "group": arm, "0": start, "6": end})
    return wide.melt(["patient", "group"], var_name="week", value_name="adas_cog").sort_values(["patient", "week"])


ADAS = {"name": "adas_cog", "label": "ADAS-Cog", "minimum": 0, "maximum": 70, "grid": 0.1, "better": "lower"}


def read_two(tmp_path: Path, table: pd.DataFrame, **options: Any) -> Cohort:
    table.to_csv(tmp_path / "two.csv", index=False)
    chosen = {"arm": "group", "reference_arm": "usual"} | options
    return read_cohort(tmp_path / "two.csv", visits={"0": 0, "6": 6}, outcome="adas_cog", instrument=ADAS, **chosen)


def test_with_complete_data_the_changes_are_compared_by_the_t_test(tmp_path: Path) -> None:
    from scipy.stats import ttest_ind

    table = two_visits()
    cohort = read_two(tmp_path, table)
    rows = trajectory.model_rows(cohort, "raw", [], "own")
    fit = fit_mmrm(
        trajectory.model_formula([], "own"), rows, patient="patient", visit="visit", by="arm", df="satterthwaite"
    )
    row = trajectory.arm_differences(fit, rows, "raw").query("quantity == 'change'").iloc[0]
    wide = table.pivot(index=["patient", "group"], columns="week", values="adas_cog").reset_index()
    change = wide["6"] - wide["0"]
    welch = ttest_ind(change[wide["group"] == "new"], change[wide["group"] == "usual"], equal_var=False)
    assert row["name"] == "new v usual"
    assert row["statistic"] == pytest.approx(welch.statistic, rel=1e-8)
    assert row["df"] == pytest.approx(welch.df, rel=1e-6)
    assert row["p"] == pytest.approx(welch.pvalue, rel=1e-6)


@pytest.mark.parametrize("scale", ["log1p", "sqrt"])
def test_differences_are_taken_back_by_the_scale(cohort: Cohort, scale: trajectory.ScaleName) -> None:
    rows = trajectory.model_rows(cohort, scale, [], "common")
    fit = fit_mmrm(trajectory.model_formula([], "common"), rows, patient="patient", visit="visit", covariance="cs")
    means = trajectory.visit_means(fit, rows, scale).set_index(["arm", "visit"])["mean"]
    to = {"log1p": np.log1p, "sqrt": np.sqrt}[scale]
    apart = to(means["drug"]) - to(means["placebo"])
    expected = 100 * np.expm1(apart) if scale == "log1p" else apart
    shown = trajectory.arm_differences(fit, rows, scale).set_index("visit")["estimate"]
    np.testing.assert_allclose(shown, expected[shown.index], rtol=1e-9)


def test_a_known_effect_is_recovered_in_three_arms(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    n, truth = 900, {"usual": 0.0, "low": -2.0, "high": -5.0}
    arm = np.resize(list(truth), n)
    start = rng.normal(35, 6, n)
    change = -3 + np.array([truth[name] for name in arm]) - 0.4 * (start - 35) + rng.normal(0, 4, n)
    table = pd.DataFrame({"patient": range(1000, 1000 + n), "group": arm, "0": start, "6": start + change})
    long = table.melt(["patient", "group"], var_name="week", value_name="adas_cog").sort_values(["patient", "week"])
    cohort = read_two(tmp_path, long.assign(adas_cog=long["adas_cog"].clip(0, 70).round(1)))
    for rule in ("common", "own"):
        rows = trajectory.model_rows(cohort, "raw", [], rule)
        fit = fit_mmrm(trajectory.model_formula([], rule), rows, patient="patient", visit="visit")
        found = arms.effects(trajectory.arm_differences(fit, rows, "raw")).set_index("arm")
        se = (found["estimate"] / found["statistic"]).abs()
        assert list(found.index) == ["high", "low"]
        assert all(abs(found.loc[name, "estimate"] - truth[name]) < 2.5 * se[name] for name in ("high", "low"))
        if rule == "common":
            common = se
    assert (common < 0.95 * se).all()  # adjusting for the baseline is worth something


def test_every_arm_is_computed_alone(cohort: Cohort) -> None:
    parts = each_arm(cohort)
    assert list(parts) == ["placebo", "drug"]
    assert [len(part.patients) for part in parts.values()] == [80, 80]
    assert not set(parts["drug"].visits["patient"]) & set(parts["placebo"].visits["patient"])
    counts = by_arm(lambda part: pd.DataFrame({"n": [len(part.visits)]}), cohort)
    assert counts["arm"].tolist() == ["placebo", "drug"] and counts["n"].sum() == len(cohort.visits)


def test_numbers_as_arms_are_levels(tmp_path: Path) -> None:
    cohort = read_two(tmp_path, two_visits().replace({"group": {"usual": 0, "new": 1}}), reference_arm="1")
    assert cohort.arms == ("1", "0")


@pytest.mark.parametrize(
    ("change", "options", "error", "code", "says"),
    [
        ({}, {"reference_arm": "placebo"}, ParameterError, "E106", "choose one of new, usual"),
        ({}, {"reference_arm": None}, ParameterError, "E104", "choose one of new, usual"),
        ({"group": {"new": ""}}, {}, DataError, "E228", "patient P01 has no arm"),
        ({"group": {"new": "usual"}}, {}, DataError, "E229", "1 different"),
        ({"group": {"new": "usual+"}}, {}, DataError, "E229", "hard to tell apart"),
    ],
)
def test_what_is_no_arm_is_refused(change: Any, options: Any, error: Any, code: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(error) as raised:
        read_two(tmp_path, two_visits().replace(change), **options)
    assert raised.value.problems[0].code == code and says in str(raised.value)
