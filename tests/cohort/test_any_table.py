"""A table of any shape, read in any way, ends in a cohort or in problems that have a code and a place: nothing else."""

import csv
import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.read import read_cohort
from easitrace.cohort.roles import EASI_PARTS
from easitrace.errors import CODES, DataError, ParameterError

QUICK, MANY = 200, 5_000
WINDOWS = {"baseline": [-7, 3], "week 4": [14, 42], "week 12": [56, 112]}
SCHEDULES: list[Any] = [
    {"baseline": 0, "week 4": 4, "week 12": 12}, {"0": 0, "4": 4}, {0: 0, 4: 4, 12: 12}, {"baseline": 0},
    {"baseline": 4}, {"week 4": 4, "baseline": 0}, {}, None, {"": 0, " ": 1},
]  # fmt: skip
NAMES = [
    "patient", "visit", "week", "day", "date", "easi", "poem", "age", "sex", "stop_day", "stop_date", "stop_reason",
    "status", "rescue_day", "event", "event_day", "event_serious", "arm", "site", "easi_0", "easi_4", "date_0",
    "PARAMCD", "AVAL", "AVISIT", "USUBJID", "ADY", "ABLFL", "ANL01FL", "BASE", "redcap_event_name", "Participant Id",
    "scorad_a", "scorad_b", "scorad_c", "prior___1", "Patient", "", " easi ",
]  # fmt: skip
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
ODD = st.sampled_from(
    ["", " ", "NA", "ND", "-9", "-99", "999", "#N/A", "=1+1", "12,5", "1e5", "1E+05", "007", "7", "<2", "50%", "nan",
     "inf", "30-02-2024", "03/04/2024", "2024-04-03T10:00", "Y", "N", "true", '"', '""', "a\nb", "a\r\nb", "a", "01",
     "0", "-5", "\ufeff", "\u202e", "##USER_MISSING_97##", "-97", "é", "patient", "easi", "'", "\\", "0x1F", "１２",
     "x" * 3000]
)  # fmt: skip
LIKELY: dict[str, st.SearchStrategy[str]] = {
    "patient": st.sampled_from(["A", "B", "C", "P 1", "Zoë"]),
    "visit": st.sampled_from(["baseline", "week 4", "week 12"]),
    "week": st.sampled_from(["0", "4", "12", "4.0"]),
    "day": st.sampled_from([-7, 0, 3, 14, 28, 42, 56, 112, 130]).map(str),
    "date": st.sampled_from(["2024-02-01", "2024-02-29", "2024-03-01", "2024-04-25"]),
    "score": st.integers(0, 28).map(str) | st.sampled_from(["", "12.5"]),
}
KIND = {"visit": "visit", "AVISIT": "visit", "week": "week", "PARAMCD": "parameter", "patient": "patient",
        "USUBJID": "patient", "Participant Id": "patient"}  # fmt: skip
LIKELY |= {"parameter": st.sampled_from(["EASI", "POEM", "easi"])}
USUAL = [["patient", "visit", "easi"], ["patient", "day", "easi"], ["patient", "date", "easi", "poem"],
         ["patient", "easi_0", "easi_4"], ["USUBJID", "PARAMCD", "AVISIT", "AVAL", "ADY"]]  # fmt: skip
ROLES = [
    "patient", "visit", "week", "date", "day", "easi", "poem", "itch_nrs", "scorad", "age", "sex", "start_date",
    "stop_date", "stop_day", "stop_reason", "status", "rescue_date", "rescue_day", "event", "event_date", "event_day",
    "event_serious", "site", "scorad_a", "scorad_b", "scorad_c", *EASI_PARTS[:3], "nonsense role",
]  # fmt: skip


def cells_of(name: str) -> st.SearchStrategy[str]:
    """What a column of this name could hold."""
    return LIKELY[
        KIND.get(name) or ("date" if "date" in name else "day" if "day" in name or name == "ADY" else "score")
    ]


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    """A header and rows, most with as many cells as the header has names, of which some hold anything."""
    header = draw(st.sampled_from(USUAL))
    header = [*header, *draw(st.lists(st.sampled_from(NAMES) | TEXT, max_size=3))] if draw(st.booleans()) else header
    rows = draw(
        st.lists(st.tuples(*map(cells_of, header)).map(list), min_size=int(draw(st.integers(1, 9)) > 1), max_size=8)
    )
    for row, place in draw(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9)), max_size=3)):
        if row < len(rows) and place < len(header):
            rows[row][place] = draw(ODD | TEXT)
    ragged = draw(sometimes(st.lists(st.lists(ODD | TEXT, max_size=len(header) + 2), max_size=2), [], of=8))
    return list(header), [*rows, *ragged, *rows[: draw(sometimes(st.integers(1, 2), 0))]]


def written(table: tuple[list[str], list[list[str]]], delimiter: str, quoted: bool) -> str:
    """The table as text: quoted as it must be, or not at all."""
    header, rows = table
    if not quoted:
        return "\n".join(delimiter.join(line) for line in (header, *rows))
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\r\n").writerows([header, *rows])
    return text.getvalue()


def sometimes(strategy: st.SearchStrategy[Any], usual: Any = None, of: int = 4) -> st.SearchStrategy[Any]:
    """The usual value, and one time out of `of` another."""
    return st.sampled_from([False] * (of - 1) + [True]).flatmap(lambda other: strategy if other else st.just(usual))


def odd_readings(header: list[str]) -> dict[str, st.SearchStrategy[Any]]:
    """For every argument of `read_cohort` values that may contradict the others or the table."""
    names = st.sampled_from([*header, "easi_*", "date_*", "EASI", "absent"])
    roles, labels = st.sampled_from(ROLES), st.sampled_from(["baseline", "week 4", "unscheduled", ""])
    return {
        "columns": st.dictionaries(roles, names | st.lists(names, max_size=2), max_size=4),
        "visits": st.sampled_from(SCHEDULES),
        "windows": st.sampled_from([None, WINDOWS, {"baseline": [3, -7]}]),
        "values": st.dictionaries(roles, st.dictionaries(TEXT, TEXT, max_size=2), max_size=2),
        "format": st.sampled_from(["redcap", "castor", "adam", "csv", "excel", "rubbish"]),
        "sheet": TEXT,
        "header_row": st.integers(-1, 4),
        "delimiter": st.sampled_from([",", ";", "\t", "|", "", ";;", '"']),
        "encoding": st.sampled_from(["utf-16", "cp1252", "latin-1", "utf-8-sig", "hex", "rubbish"]),
        "decimal": st.sampled_from([",", "", "x"]),
        "date_format": st.sampled_from([None, "dd-mm-yyyy", "yy-mm-dd", "d/m/yyyy", "nonsense"]),
        "missing_codes": st.sampled_from([["-9", "ND"], {"-99": "not done"}, ["", "999"], [-9]]),
        "outcome": st.sampled_from(["poem", "scorad", "rubbish"]),
        "covariates": st.lists(names, max_size=2),
        "several": st.sampled_from([None, "error", "nearest", "last", "worst", "mean", "rubbish"]),
        "unscheduled": st.lists(labels, max_size=2),
        "age_group": st.sampled_from(["adult", "child", "rubbish"]),
        "only": st.dictionaries(names, st.lists(ODD | TEXT, max_size=2), max_size=2),
        "arm": names,
        "reference_arm": TEXT,
    }


@st.composite
def readings(draw: st.DrawFn, header: list[str]) -> dict[str, Any]:
    """Arguments of `read_cohort` as this table needs them, some of them replaced."""
    dated = {"day": "day"} if "day" in header else {"date": "date"} if "date" in header else {}
    wide = {"easi": "easi_*"} if "easi_4" in header else {}
    arguments: dict[str, Any] = {
        "columns": dated | wide,
        "several": draw(st.sampled_from([None, "worst", "mean", "mean"])),
    }
    arguments["visits"] = {"0": 0, "4": 4} if wide else SCHEDULES[0]
    arguments |= {"windows": WINDOWS} if dated else {}
    arguments |= {"date_format": "yyyy-mm-dd"} if "date" in dated else {}
    arguments |= {"format": "adam"} if "PARAMCD" in header else {}
    if "PARAMCD" in header:
        arguments["columns"] = {"easi": "EASI", "poem": "POEM"}
    odd = odd_readings(header)
    return arguments | {key: draw(odd[key]) for key in draw(st.lists(st.sampled_from([*odd]), max_size=2))}


CASES = tables().flatmap(
    lambda table: st.tuples(
        st.builds(
            written, st.just(table), st.sampled_from([",", ",", ",", ";", "\t"]), st.sampled_from([True, True, False])
        ),
        readings(table[0]),
        sometimes(st.sampled_from(["utf-16", "cp1252", "utf-8-sig"]), "utf-8", of=8),
    )
)


def outcome_of(path: Path, text: str, arguments: dict[str, Any], encoding: str) -> str:
    """Read it: "cohort" when it holds what a cohort promises, else the kind of the error, whose problems are told."""
    path.write_bytes(text.encode(encoding, "replace"))
    try:
        cohort = read_cohort(path, **arguments)
    except (ParameterError, DataError) as error:
        assert error.problems
        for problem in error.problems:
            assert problem.code in CODES and problem.code.startswith("E"), problem
            assert problem.where and problem.what and "\n" not in str(problem), problem
        return type(error).__name__
    holds(cohort)
    return "cohort"


def holds(cohort: Cohort) -> None:
    visits = cohort.visits
    assert not visits.duplicated(["patient", "visit"]).any() and (visits["patient"] != "").all()
    assert set(visits["patient"]) == set(cohort.patients["patient"]) and cohort.patients["patient"].is_unique
    for name in cohort.measured:
        assert not cohort.instrument(name).out_of_range(visits[name]).any()
    assert {problem.code for problem in cohort.log} <= {code for code in CODES if code[0] in "FW"}


def any_table(path: Path, examples: int, **how: Any) -> Counter[str]:
    """What becomes of many tables."""
    outcomes: Counter[str] = Counter()

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), **how)
    @given(case=CASES)
    def read(case: tuple[str, dict[str, Any], str]) -> None:
        outcomes[outcome_of(path, *case)] += 1

    run: Callable[[], None] = read
    run()
    return outcomes


def test_any_table_gives_a_cohort_or_problems(tmp_path: Path) -> None:
    outcomes = any_table(tmp_path / "any.csv", QUICK, derandomize=True, database=None)
    assert min(outcomes[kind] for kind in ("cohort", "DataError", "ParameterError")) >= 5, outcomes


@pytest.mark.slow
def test_thousands_of_tables_give_a_cohort_or_problems(tmp_path: Path) -> None:
    outcomes = any_table(tmp_path / "any.csv", MANY)
    assert outcomes["cohort"] >= MANY // 100, outcomes
