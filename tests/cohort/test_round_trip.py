"""What is written is read again as it was: exported cohorts, and one table in every format."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.export import Format, write_cohort
from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError

VISITS = {"baseline": 0, "week 4": 4, "week 12": 12}
REASONS = ["inefficacy", "side effects", "inefficacy and side effects", "other"]
SITES = ["north", "Zürich", "a b", "ø", None]
LETTERS = st.characters(categories=["L", "N", "P", "S", "Zs"], codec="utf-8")
WORDS = st.text(LETTERS, min_size=1, max_size=8).map(str.strip).filter(bool)
LIVE = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # written with an apostrophe, or as a formula
NAMES = WORDS.filter(lambda word: not word.startswith(LIVE))
TENTHS = st.integers(0, 720).map(lambda tenths: tenths / 10)
SETTINGS: dict[str, Any] = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@st.composite
def people(draw: st.DrawFn, words: st.SearchStrategy[str]) -> pd.DataFrame:
    """A row per patient: what is known of each, or not."""
    names = draw(st.lists(words, min_size=1, max_size=6, unique_by=lambda name: name.casefold().lstrip("0")))
    sexes = st.sampled_from(["female", "male", None])
    stops = st.one_of(st.none(), st.tuples(st.integers(1, 200), st.sampled_from([*REASONS, None])))
    rows = []
    for name in names:
        stop = draw(stops)
        status = "stopped" if stop else draw(st.sampled_from(["completed", "in follow-up"]))
        age = draw(st.one_of(st.none(), st.integers(1, 99), st.floats(1, 99).map(lambda years: round(years, 3))))
        rows.append((name, age, draw(sexes), draw(st.sampled_from(SITES)), *(stop or (None, None)), status))
    columns = ["patient", "age", "sex", "site", "stop_day", "stop_reason", "status"]
    return pd.DataFrame(rows, columns=columns).astype({"age": "float64", "stop_day": "float64"})


@st.composite
def seen(draw: st.DrawFn, patients: list[str]) -> pd.DataFrame:
    """A row per visit: the baseline of everybody, later visits of some, on days in order or on none."""
    rows = []
    for patient in patients:
        later = [0, *draw(st.lists(st.sampled_from([1, 2]), unique=True).map(sorted))]
        for place in later:
            day = draw(st.none() | st.integers(-3, 3).map(lambda d, at=place: 28 * at + d))
            score = draw(TENTHS) if place == 0 else draw(st.none() | TENTHS)
            rows.append((patient, list(VISITS)[place], day, score, draw(st.none() | st.integers(0, 28))))
    frame = pd.DataFrame(rows, columns=["patient", "visit", "day", "easi", "poem"])
    return frame.astype({"day": "float64", "easi": "float64", "poem": "float64"})


@st.composite
def studies(draw: st.DrawFn, words: st.SearchStrategy[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    patients = draw(people(words))
    return draw(seen(list(patients["patient"]))), patients


COLUMNS = {"visit": "visit", "day": "day", "easi": "easi", "poem": "poem"}
KNOWN = {name: name for name in ("age", "sex", "stop_day", "stop_reason", "status", "site")}


def taken(path: Path, **given: Any) -> Cohort:
    """The cohort of a file; identifiers that no cohort may hold are not of interest here."""
    try:
        return read_cohort(path, visits=VISITS, **given)
    except DataError as error:
        assert {problem.code for problem in error.problems} <= {"E214", "E227"}, error
        assume(False)
        raise


def read_two(folder: Path, ending: str) -> Cohort:
    """The two tables of a study, joined."""
    return taken(folder / f"visits{ending}", patient_data=folder / f"patients{ending}", columns=COLUMNS | KNOWN)


def written_and_read(tmp_path: Path, format: Format, study: Any) -> None:
    for name, table in zip(("visits", "patients"), study, strict=True):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    first = read_two(tmp_path, ".csv")
    write_cohort(first, tmp_path / format, format)
    again = read_two(tmp_path / format, f".{format}")
    pd.testing.assert_frame_equal(again.visits, first.visits, check_exact=True)
    pd.testing.assert_frame_equal(again.patients, first.patients, check_exact=True)
    assert again.schedule == first.schedule
    write_cohort(again, tmp_path / "twice", format)
    for name in ("visits", "patients", "dictionary"):
        one, other = (folder / f"{name}.{format}" for folder in (tmp_path / format, tmp_path / "twice"))
        assert one.read_bytes() == other.read_bytes()


def write_excel(frame: pd.DataFrame, path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(list(frame))
    for row in frame.itertuples(index=False):
        book.active.append([None if pd.isna(value) else value for value in row])
    book.save(path)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    ".xlsx": write_excel,
    ".sav": pyreadstat.write_sav,
    ".dta": lambda frame, path: pyreadstat.write_dta(frame, path, version=15),
    ".parquet": lambda frame, path: frame.to_parquet(path),
}


def like_the_csv_file(tmp_path: Path, kind: str, study: Any) -> None:
    visits, patients = study
    table = visits.merge(patients, on="patient").assign(date=lambda frame: [on(day) for day in frame["day"]])
    table = table.drop(columns=["day", "stop_day", "stop_reason", "status"])
    table.to_csv(tmp_path / "study.csv", index=False)
    WRITERS[kind](table, tmp_path / f"study{kind}")
    columns = {name: name for name in ("visit", "date", "easi", "poem", "age", "sex", "site")}
    given: dict[str, Any] = {"columns": columns, "date_format": "yyyy-mm-dd"}
    expected = taken(tmp_path / "study.csv", **given)
    found = taken(tmp_path / f"study{kind}", **given)
    pd.testing.assert_frame_equal(found.visits, expected.visits, check_exact=True)
    pd.testing.assert_frame_equal(found.patients, expected.patients, check_exact=True)
    pd.testing.assert_frame_equal(found.flow, expected.flow)


def on(day: float) -> datetime.date | None:
    """The date of a day, with the leap day of 2024 among them."""
    return None if pd.isna(day) else datetime.date(2024, 2, 1) + datetime.timedelta(days=int(day))


@pytest.mark.parametrize("format", ["csv", "parquet"])
@settings(max_examples=20, **SETTINGS)
@given(study=studies(NAMES))
def test_an_exported_cohort_is_read_as_it_was(tmp_path: Path, format: Format, study: Any) -> None:
    written_and_read(tmp_path, format, study)


@pytest.mark.parametrize("kind", WRITERS)
@settings(max_examples=12, **SETTINGS)
@given(study=studies(NAMES))
def test_every_format_gives_the_cohort_of_the_csv_file(tmp_path: Path, kind: str, study: Any) -> None:
    like_the_csv_file(tmp_path, kind, study)


@pytest.mark.slow
@settings(max_examples=1_000, **SETTINGS)
@given(study=studies(NAMES), format=st.sampled_from(["csv", "parquet"]), kind=st.sampled_from([*WRITERS]))
def test_many_cohorts_are_read_as_they_were(tmp_path: Path, study: Any, format: Format, kind: str) -> None:
    written_and_read(tmp_path, format, study)
    like_the_csv_file(tmp_path, kind, study)
