"""Files that other programs wrote, from a short parameter file to the report, beside what R and statsmodels say."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from chapters import run_chapter
from easitrace.cohort.read import read_cohort
from easitrace.parameters import check_parameters, read_parameters
from easitrace.parameters.model import Parameters

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EPIL = Path(statsmodels.__file__).parent / "genmod" / "tests" / "results" / "epil.csv"
STUDIES = ["growth", "sleep", "chicks"]
ROOT_SCALE = {"chicks"}


def reference(study: str) -> pd.DataFrame:
    """R's estimated means by visit and arm, with their standard errors, on the scale of the model."""
    found = json.loads((HERE / "real.json").read_text())[study]["means"].values()
    return pd.DataFrame(found).rename(columns={"emmean": "estimate", "SE": "se"})


def means(parameters: Parameters, folder: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """The estimated means that chapter 03 puts into its table."""
    names = [*Parameters.model_fields]
    run_chapter("03_trajectory", monkeypatch, **parameters.for_chapter(names), output=str(folder))
    return pd.read_csv(folder / "tables" / "03_trajectory_mean_estimates.csv")


def on_scale(points: "pd.Series[float]", study: str) -> np.ndarray:
    return np.sqrt(points.to_numpy()) if study in ROOT_SCALE else points.to_numpy()


def half_width(table: pd.DataFrame, study: str) -> np.ndarray:
    """The standard errors behind the printed limits."""
    width = (on_scale(table["upper"], study) - on_scale(table["lower"], study)) / 2
    return width / stats.t.ppf(0.975, table["df"].to_numpy())


@pytest.mark.parametrize("study", STUDIES)
def test_estimated_means_equal_those_of_r(study: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Means to 1e-5 of a standard error and standard errors to 1e-4: as near to the optimum as nlme comes."""
    values = read_parameters(HERE / f"{study}.yml").model_dump(exclude_unset=True, exclude_none=True)
    found = means(check_parameters({**values, "df": "satterthwaite"}), tmp_path, monkeypatch)
    expected = reference(study)
    assert len(found) == len(expected)
    error = expected["se"].to_numpy()
    difference = on_scale(found["mean"], study) - expected["estimate"].to_numpy()
    assert np.abs(difference / error).max() < 1e-5
    np.testing.assert_allclose(half_width(found, study), error, rtol=1e-4)


def test_a_complete_trial_gives_the_two_sample_t_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Complete data and an unstructured covariance: at each age the difference of the arms is that of a t test."""
    parameters = read_parameters(HERE / "growth.yml")
    assert means(parameters, tmp_path, monkeypatch)["df"].to_numpy() == pytest.approx(25, rel=1e-9)
    rows = pd.read_csv(tmp_path / "tables" / "03_trajectory_differences.csv")
    data = pd.read_stata(HERE / "growth.dta")
    last = data[data["age"] == 14]
    girls, boys = (last.loc[last["sex"] == sex, "distance"] for sex in ("girl", "boy"))
    t = stats.ttest_ind(boys, girls)
    of_score = rows[(rows["week"] == 312) & (rows["quantity"] == "score")].iloc[0]
    assert of_score["estimate"] == pytest.approx(boys.mean() - girls.mean(), rel=1e-10)
    assert of_score["p"] == pytest.approx(t.pvalue, rel=1e-8)
    interval = t.confidence_interval()
    assert (of_score["lower"], of_score["upper"]) == pytest.approx((interval.low, interval.high), rel=1e-8)


def test_sas_and_transport_files_hold_the_same() -> None:
    parameters = read_parameters(HERE / "chicks.yml")
    transport = read_cohort(parameters.data, **parameters.cohort_arguments())
    other = read_cohort(HERE / "chicks.sas7bdat", **parameters.cohort_arguments())
    pd.testing.assert_frame_equal(transport.visits, other.visits)
    pd.testing.assert_frame_equal(transport.patients, other.patients)
    assert len(transport.visits) == 578
    assert transport.visits["weight"].sum() == pytest.approx(70411)


def test_seizures_as_statsmodels_keeps_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compound symmetry is a random intercept: statsmodels' MixedLM, called by hand, gives the same means."""
    values = {
        "study": "seizures", "title": "Seizures", "data": str(EPIL), "outcome": "seizures", "scale": "log1p",
        "instrument": {"name": "seizures", "minimum": 0, "maximum": 1000, "grid": 1, "better": "lower"},
        "columns": {"patient": "subject", "visit": "period", "seizures": "y", "trt": "trt"},
        "visits": {"1": 0, "2": 2, "3": 4, "4": 6}, "decision_week": 6, "criterion": "seizures<=2",
        "arm": "trt", "reference_arm": "placebo", "baseline": "own", "covariance": "cs", "df": "satterthwaite",
        "estimand": "treatment-policy", "seed": 1,
    }  # fmt: skip
    found = means(check_parameters(values), tmp_path, monkeypatch)
    data = pd.read_csv(EPIL).assign(z=lambda rows: np.log1p(rows["y"]))
    model = MixedLM.from_formula("z ~ 0 + C(period):trt", data, groups="subject").fit(reml=True)
    expected = model.fe_params.to_dict()
    for row in found.itertuples():
        own = f"C(period)[{row.visit.removeprefix('visit ')}]:trt[{row.arm}]"
        assert np.log1p(row.mean) == pytest.approx(expected[own], abs=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_the_whole_report(study: str, tmp_path: Path) -> None:
    arguments = ["run", f"{study}.yml", "--output", str(tmp_path), "--notebooks", str(ROOT / "notebooks")]
    done = subprocess.run(
        [sys.executable, "-m", "easitrace.cli", *arguments], cwd=HERE, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / study / "report.html").is_file()
