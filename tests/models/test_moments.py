"""Sufficient statistics: merged in any way they give the whole fit; wide and long storage; Parquet in chunks."""

import json

import numpy as np
import pandas as pd
import pytest
from simulated import cohort

from easitrace.errors import DataError, ParameterError
from easitrace.models.design import prepare
from easitrace.models.emmeans import emmeans
from easitrace.models.mmrm import fit_mmrm
from easitrace.models.moments import collect, from_rows, shareable
from easitrace.models.storage import load_moments, save_moments
from easitrace.models.stream import collect_parquet
from easitrace.models.wide import layout, patient_rows

MERGED = 1e-10
VISITS = [0, 4, 8, 16]
FORMULA = "y ~ age + sex + arm * visit"
LEVELS = {"visit": VISITS, "arm": ["active", "control"], "sex": ["female", "male"]}
NAMES = {"patient": "patient", "visit": "visit"}


def parts_of(data, count, seed):
    rng = np.random.default_rng(seed)
    patients = data["patient"].unique()
    site = pd.Series(rng.integers(count, size=len(patients)), index=patients)
    return [data[data["patient"].map(site) == k] for k in rng.permutation(count)]


def assert_same_fit(one, other, tolerance=MERGED):
    assert one.status == other.status == "converged"
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=tolerance)
    se = other.coefficients["se"]
    assert (np.abs(one.coefficients["estimate"] - other.coefficients["estimate"]) / se).max() < tolerance
    for column in ("se", "df"):
        np.testing.assert_allclose(one.coefficients[column], other.coefficients[column], rtol=tolerance)


@pytest.mark.parametrize("count", range(2, 8))
@pytest.mark.parametrize("offset", [0, 1e6])
def test_any_partition_through_files_is_the_whole_fit(count, offset, tmp_path):
    data = cohort(150, VISITS, 21)
    data["y"] += offset
    data["age"] += offset
    files = []
    for k, part in enumerate(parts_of(data, count, count)):
        files.append(tmp_path / f"site{k}.npz")
        save_moments(collect(FORMULA, part, levels=LEVELS, **NAMES), files[-1])
    merged = load_moments(files[0])
    for file in files[1:]:
        merged = merged + load_moments(file)
    whole = fit_mmrm(FORMULA, data, df="kenward-roger", **NAMES)
    tolerance = MERGED if not offset else 1e-9  # the covariate itself carries eps * 1e6
    assert_same_fit(fit_mmrm(moments=merged, df="kenward-roger"), whole, tolerance)
    theirs, ours = emmeans(fit_mmrm(moments=merged), "visit"), emmeans(fit_mmrm(FORMULA, data, **NAMES), "visit")
    np.testing.assert_allclose(theirs["estimate"], ours["estimate"], rtol=1e-9)


def test_partition_with_groups_and_changing_covariates(tmp_path):
    data = cohort(150, VISITS, 22, changing=True)
    formula = "y ~ dose + arm * visit"
    total = None
    for part in parts_of(data, 4, 1):
        one = collect(formula, part, by="arm", levels=LEVELS, storage="long", **NAMES)
        total = one if total is None else total + one
    assert_same_fit(fit_mmrm(moments=total, by="arm"), fit_mmrm(formula, data, by="arm", **NAMES))


def test_counts_and_means_add():
    data = cohort(90, VISITS, 23)
    data.loc[::17, "y"] = np.nan
    whole = collect(FORMULA, data, **NAMES)
    first, *rest = (collect(FORMULA, part, levels=LEVELS, **NAMES) for part in parts_of(data, 3, 2))
    merged = sum(rest, start=first)
    assert merged.dropped == whole.dropped == {"y": int(data["y"].isna().sum())}
    assert (merged.n_patients, merged.n_observations) == (whole.n_patients, whole.n_observations)
    assert merged.cells == whole.cells
    assert merged.covariate_means["age"] == pytest.approx(data.dropna()["age"].mean(), rel=1e-12)


def test_what_does_not_belong_together_is_named():
    data = cohort(60, VISITS, 24)
    base = collect(FORMULA, data, **NAMES)
    with pytest.raises(DataError, match="E310 levels of visit: differs"):
        base + collect(FORMULA, data[data["visit"] < 16], **NAMES)
    with pytest.raises(DataError, match="E310 formula: differs"):
        base + collect("y ~ sex + arm * visit", data, **NAMES)
    with pytest.raises(DataError, match="E310 storage: differs"):
        base + collect(FORMULA, data, storage="long", **NAMES)
    with pytest.raises(DataError, match="E310 covariance groups: differs"):
        base + collect(FORMULA, data, by="arm", **NAMES)
    scaled = collect("y ~ center(age) + visit", data, **NAMES)
    with pytest.raises(DataError, match=r"E310 .*learns from its own data"):
        scaled + scaled


def test_a_level_that_was_not_declared_is_named():
    data = cohort(20, VISITS, 24)
    with pytest.raises(DataError, match="E304 column visit: level 16 is unknown; levels are 0, 4, 8"):
        collect("y ~ visit", data, levels={"visit": (0, 4, 8)}, **NAMES)


def test_files_hold_no_pickle_and_other_files_are_refused(tmp_path):
    moments = collect(FORMULA, cohort(60, VISITS, 25), **NAMES)
    save_moments(moments, tmp_path / "m.npz")
    with np.load(tmp_path / "m.npz", allow_pickle=False) as archive:
        description = json.loads(str(archive["description"]))
        assert all(archive[name].dtype != object for name in archive.files)
    assert "P0" not in json.dumps(description)
    np.savez(tmp_path / "other.npz", a=np.ones(2))
    (tmp_path / "text.npz").write_text("no archive")
    for name in ("other.npz", "text.npz"):
        with pytest.raises(DataError, match=f"E313 .*{name}: does not hold"):
            load_moments(tmp_path / name)
    stateful = collect("y ~ center(age) + visit", cohort(60, VISITS, 25), **NAMES)
    with pytest.raises(DataError, match=r"E310 .*cannot be rebuilt"):
        save_moments(stateful, tmp_path / "s.npz")


def test_small_patterns_are_left_out_and_counted():
    data = cohort(200, VISITS, 26)
    moments = collect(FORMULA, data, **NAMES)
    small = moments.patterns.counts < 5
    shared = shareable(moments, 5)
    assert small.any()
    assert shared.patterns.counts.min() >= 5
    assert shared.left_out == moments.patterns.counts[small].sum()
    assert shared.n_patients + shared.left_out == moments.n_patients
    assert shared.patterns.cells[:, 2].min() >= 5
    fit = fit_mmrm(moments=shared)
    assert fit.left_out == shared.left_out
    assert f"{shared.left_out} patients left out" in fit.message
    kept = data.groupby("patient")["visit"].transform(lambda v: hash(tuple(v)))
    common = kept.groupby(kept).transform("size") / data.groupby("patient")["visit"].transform("size") >= 5
    whole = fit_mmrm(FORMULA, data[common], **NAMES)
    assert_same_fit(fit, whole)
    assert fit.covariate_means == pytest.approx(whole.covariate_means, rel=1e-12)
    np.testing.assert_allclose(emmeans(fit, "visit")["estimate"], emmeans(whole, "visit")["estimate"], rtol=1e-9)


def test_nothing_else_is_taken_beside_moments():
    moments = collect(FORMULA, cohort(60, VISITS, 25), **NAMES)
    for other in ({"by": "arm"}, {"formula": FORMULA}, {"visit": "visit"}):
        with pytest.raises(ParameterError, match="was given beside moments"):
            fit_mmrm(moments=moments, **other)


def test_no_patient_row_inside_a_pattern_of_two():
    rows = collect("y ~ age + visit", cohort(2, [0, 4], 3, missing=0, dropout=0), **NAMES).patterns.factor
    ages = cohort(2, [0, 4], 3, missing=0, dropout=0)["age"].unique()
    assert not np.isclose(np.abs(rows[:, :, None]), ages).any()


FORMULAS = [
    "y ~ visit",
    "y ~ 0 + visit",
    "y ~ age + sex + arm * visit",
    "y ~ age * visit + sex:visit",
    "y ~ C(site) + arm / visit",
    "y ~ C(site, contr.sum) * visit + arm:sex",
    "y ~ C(visit, contr.helmert) * arm + age:arm",
    "y ~ visit:arm + age:age - 1",
    "y ~ arm:sex:visit + age",
    "y ~ visit + 2:age",
]


@pytest.mark.parametrize("formula", FORMULAS)
def test_wide_columns_times_visits_are_formulaics_matrix(formula):
    data = cohort(30, VISITS, 27).assign(site=lambda d: d["patient"].str[-1].astype(int) % 3)
    recipe, rows = prepare(formula, data, **NAMES)
    first = np.flatnonzero(np.diff(rows.patient, prepend=-1))
    plan = layout(recipe, rows, first)
    assert plan.storage == "wide"
    W = patient_rows(plan, recipe, rows, first, np.zeros((rows.n_patients, 4), dtype=bool))
    X = np.einsum("nw,nwp->np", W[rows.patient], plan.S[rows.visit])
    np.testing.assert_allclose(X, recipe.rows(rows.frame), atol=1e-14)
    long, wide = (fit_mmrm(moments=from_rows(recipe, rows, storage)) for storage in ("long", "wide"))
    assert_same_fit(long, wide)


def test_transformed_covariates_go_long_and_agree_with_their_columns():
    data = cohort(80, VISITS, 28).assign(root=lambda d: np.sqrt(d["age"]))
    one = fit_mmrm("y ~ np.sqrt(age) + visit", data, **NAMES)
    assert_same_fit(one, fit_mmrm("y ~ root + visit", data, **NAMES))
    with pytest.raises(DataError, match="transformed covariate"):
        collect("y ~ np.sqrt(age) + visit", data, storage="wide", **NAMES)
    with pytest.raises(DataError, match=r"E311 .*dose changes within a patient"):
        collect("y ~ dose + visit", cohort(20, VISITS, 1, changing=True), storage="wide", **NAMES)


@pytest.mark.parametrize("files", [1, 3])
def test_parquet_in_chunks_is_the_frame(files, tmp_path):
    data = cohort(400, VISITS, 29).sort_values(["patient", "visit"], ignore_index=True)
    cuts = np.linspace(0, len(data), files + 1).astype(int)
    for k in range(files):
        data.iloc[cuts[k] : cuts[k + 1]].to_parquet(tmp_path / f"part{k}.parquet", row_group_size=97)
    path = tmp_path if files > 1 else tmp_path / "part0.parquet"
    whole = fit_mmrm(FORMULA, data, **NAMES)
    assert_same_fit(fit_mmrm(FORMULA, path, **NAMES), whole)
    streamed = collect_parquet(FORMULA, path, chunk_rows=50, **NAMES)
    assert streamed.n_patients == whole.n_patients
    assert_same_fit(fit_mmrm(moments=streamed), whole)


def test_parquet_problems_are_named(tmp_path):
    data = cohort(100, VISITS, 30)
    scattered = pd.concat([data[::2], data[1::2]])
    scattered.to_parquet(tmp_path / "scattered.parquet", row_group_size=60)
    with pytest.raises(DataError, match=r"E314 .*are not neighbours; sort the files by patient"):
        collect_parquet(FORMULA, tmp_path / "scattered.parquet", chunk_rows=60, **NAMES)
    with pytest.raises(DataError, match=r"E303 .*does not exist"):
        fit_mmrm(FORMULA, tmp_path / "none.parquet", **NAMES)
    with pytest.raises(DataError, match="E303 column weight: is not in"):
        fit_mmrm("y ~ weight + visit", tmp_path / "scattered.parquet", **NAMES)


def test_other_kinds_of_data_frame():
    pyarrow = pytest.importorskip("pyarrow")
    data = cohort(60, VISITS, 33)
    table = pyarrow.Table.from_pandas(data)
    assert_same_fit(fit_mmrm(FORMULA, table, **NAMES), fit_mmrm(FORMULA, data, **NAMES), 1e-14)
