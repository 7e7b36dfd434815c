"""Simulated trials for the benchmarks: two arms, three sites, weeks 4, 8, ..., dropout 28 %, 4 % of visits missed."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

FORMULA = "change ~ baseline + sex + site + arm * week"
STREAM_PATIENTS = 250_000  # per file


def trial(n: int, visits: int = 4, seed: int = 1, first: int = 0) -> pd.DataFrame:
    """A long data frame of `n` patients, numbered from `first`."""
    rng = np.random.default_rng(seed)
    arm, sex, site = rng.integers(2, size=n), rng.integers(2, size=n), rng.integers(3, size=n)
    baseline = np.round(rng.gamma(6, 4, n), 1)
    lag = np.abs(np.subtract.outer(np.arange(visits), np.arange(visits)))
    half = np.linalg.cholesky(0.8 * 0.5**lag + 0.2)
    y = (-0.3 * baseline - 2 * arm)[:, None] - np.arange(visits) + 5 * rng.standard_normal((n, visits)) @ half.T
    stop = np.where(rng.random(n) < 0.28, rng.integers(1, visits, n), visits)
    i, j = np.nonzero((np.arange(visits) < stop[:, None]) & (rng.random((n, visits)) > 0.04))
    coded = {"week": (j, [4 * (k + 1) for k in range(visits)]), "arm": (arm[i], ["placebo", "drug"])}
    coded |= {"sex": (sex[i], ["female", "male"]), "site": (site[i], ["A", "B", "C"])}
    factors = {name: pd.Categorical.from_codes(codes, levels) for name, (codes, levels) in coded.items()}
    return pd.DataFrame({"patient": i + first, **factors, "baseline": baseline[i], "change": y[i, j]})


def files(folder: Path, patients: int) -> Iterator[Path]:
    """Write the trial as Parquet files of 250,000 patients each."""
    for k in range(0, patients, STREAM_PATIENTS):
        part = trial(min(STREAM_PATIENTS, patients - k), seed=k, first=k)
        path = folder / f"part{k // STREAM_PATIENTS:04d}.parquet"
        part.astype({"week": int}).to_parquet(path, index=False)
        yield path
