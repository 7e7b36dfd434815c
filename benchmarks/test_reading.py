"""Time and memory of reading and checking a cohort, beside pandas' bare reading of the same file in the same run.

Run with `pytest benchmarks` (add `-m slow` for a million patients). Ours ends in a checked cohort: every cell, date,
visit and patient; pandas' ends in columns. Limits are in CPU seconds, as the machine may be shared; those of Parquet
hold the process of its own in which such a file is parsed.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from easitrace.cohort.read import read_cohort

WEEKS = [0, 4, 8, 12, 16]
READING = {
    "visits": {str(week): week for week in WEEKS},
    "columns": {"patient": "patient", "week": "week", "date": "date", "sex": "sex", "age": "age"},
}
KINDS = {"csv": {"date_format": "yyyy-mm-dd"}, "parquet": {}}
PANDAS = {"csv": pd.read_csv, "parquet": pd.read_parquet}
FEW, MANY = 200_000, 1_000_000
AT_MOST_TIMES = {"csv": 30, "parquet": 120}
SECONDS, GIGABYTES = {"csv": 30, "parquet": 15}, 4
MEASURE = """
import json, resource, sys
from easitrace.cohort.read import read_cohort
path, arguments = sys.argv[1], json.loads(sys.argv[2])
rows = len(read_cohort(path, **arguments).visits)
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
seconds, peaks = sum(u.ru_utime + u.ru_stime for u in used), [u.ru_maxrss / 1024**2 for u in used]
print(json.dumps({"rows": rows, "seconds": seconds, "gigabytes": max(peaks)}))
"""


def written(folder: Path, kind: str, patients: int) -> Path:
    """A file of `patients` times five visits with scores on the grid and a date."""
    rng = np.random.default_rng(1)
    patient, week = np.repeat(np.arange(patients), len(WEEKS)), np.tile(WEEKS, patients)
    start = np.datetime64("2020-01-01") + rng.integers(0, 700, patients).astype("timedelta64[D]")
    days = np.repeat(start, len(WEEKS)) + (7 * week).astype("timedelta64[D]")
    frame = pd.DataFrame(
        {
            "patient": patient,
            "week": week,
            "date": days,
            "easi": rng.integers(0, 721, len(patient)) / 10,
            "sex": np.repeat(rng.choice(["female", "male"], patients), len(WEEKS)),
            "age": np.repeat(rng.integers(18, 90, patients), len(WEEKS)),
        }
    )
    path = folder / f"cohort.{kind}"
    frame.to_csv(path, index=False) if kind == "csv" else frame.to_parquet(path)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_ratio_to_pandas(benchmark, kind, tmp_path):
    path = written(tmp_path, kind, FEW)
    cohort = benchmark.pedantic(read_cohort, (path,), READING | KINDS[kind], rounds=3, warmup_rounds=1)
    theirs = []
    for _ in range(5):
        begin = time.perf_counter()
        PANDAS[kind](path)
        theirs.append(time.perf_counter() - begin)
    ratio = benchmark.stats.stats.min / min(theirs)
    benchmark.extra_info |= {"pandas_seconds": min(theirs), "times_pandas": ratio}
    assert len(cohort.visits) == FEW * len(WEEKS)
    assert ratio < AT_MOST_TIMES[kind]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_million_patients(kind, tmp_path):
    path = written(tmp_path, kind, MANY)
    command = [sys.executable, "-c", MEASURE, str(path), json.dumps(READING | KINDS[kind])]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    print(kind, found)
    assert found["rows"] == MANY * len(WEEKS)
    assert found["seconds"] < SECONDS[kind]
    assert found["gigabytes"] < GIGABYTES


@pytest.mark.slow
def test_a_million_bad_rows_end_within_a_minute(tmp_path):
    from easitrace.errors import DataError

    path = tmp_path / "bad.csv"
    with path.open("w") as file:
        file.write("patient,week,easi,date\n")
        file.writelines(f"P{i // 5},{i % 7},ND,3{i % 10}-13-2024\n" for i in range(MANY))
    begin = time.perf_counter()
    with pytest.raises(DataError) as caught:
        read_cohort(path, visits=READING["visits"], columns={"week": "week", "date": "date"}, date_format="dd-mm-yyyy")
    assert time.perf_counter() - begin < 60
    assert str(caught.value).count("\n") == 50 and "more problems" in str(caught.value)
