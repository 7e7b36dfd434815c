"""A million patients at five visits; and files of rubbish."""

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import csv

from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError

LABELS = ["baseline", "week 4", "week 8", "week 12", "week 16"]
SECONDS = 30


@pytest.mark.slow
def test_a_million_patients_are_read_in_half_a_minute(tmp_path):
    patients, rng = 1_000_000, np.random.default_rng(1)
    table = pa.table(
        {
            "patient": np.char.add("P", np.char.zfill(np.repeat(np.arange(patients), 5).astype(str), 7)),
            "visit": np.tile(LABELS, patients),
            "easi": rng.integers(0, 721, 5 * patients) / 10,
            "age": np.repeat(rng.integers(18, 90, patients), 5),
        }
    )
    csv.write_csv(table, tmp_path / "large.csv")
    schedule = dict(zip(LABELS, (0, 4, 8, 12, 16), strict=True))
    start = time.perf_counter()
    cohort = read_cohort(tmp_path / "large.csv", columns={"visit": "visit", "age": "age"}, visits=schedule)
    assert time.perf_counter() - start < SECONDS
    assert len(cohort.visits) == 5 * patients
    np.testing.assert_array_equal(cohort.visits["easi"], table["easi"])


CELLS = st.sampled_from(
    ["A", "B", "baseline", "w4", "10", "2.5", "", " ", '"', '""', '"x"', "ND", "-9", "\u202e", "é", "\r"]
)
ROWS = st.lists(st.lists(CELLS, max_size=4).map(",".join), max_size=6).map("\n".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(content=st.one_of(ROWS.map(lambda rows: ("patient,visit,easi\n" + rows).encode()), st.binary(max_size=200)))
def test_rubbish_gives_a_cohort_or_located_problems_but_no_crash(tmp_path, content):
    path = tmp_path / "rubbish.csv"
    path.write_bytes(content)
    try:
        cohort = read_cohort(path, visits={"baseline": 0, "w4": 4})
    except DataError as error:
        assert all(problem.where.startswith("rubbish.csv") for problem in error.problems)
    else:
        assert not cohort.visits.duplicated(["patient", "visit"]).any()
        assert cohort.visits["easi"].dropna().between(0, 72).all()
