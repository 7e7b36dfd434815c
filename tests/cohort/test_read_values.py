"""What comes out of files that are right, or that were repaired and say so."""

import dataclasses
import datetime
import hashlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from easitrace.cohort import builtin
from easitrace.cohort.cohort import VISIT_COLUMNS, Calendar, Cohort, Source, Visit
from easitrace.cohort.describe import attendance
from easitrace.cohort.flow import FLOW_COLUMNS, LOST
from easitrace.cohort.read import read_cohort
from easitrace.errors import CODES, DataError, ParameterError
from easitrace.report.prose import calendar_sentence

HEAD = "patient,visit,easi\n"
FIRST = HEAD + "A,baseline,10\n"
PLAIN = FIRST + "A,week 4,5.5\nA,week 12,7\nB,baseline,20\nB,week 4,2\n"
WINDOWS = {"baseline": [-7, 3], "week 4": [14, 42], "week 12": [56, 112]}
DATED = {"columns": {"date": "date"}, "date_format": "dd-mm-yyyy", "windows": WINDOWS}


class Reading(NamedTuple):
    name: str
    content: str | bytes
    code: str
    message: str
    scores: list[float]
    arguments: Mapping[str, Any] = MappingProxyType({})


READINGS = [
    Reading("byte order mark", b"\xef\xbb\xbf" + FIRST.encode(), "F201", "cohort.csv: the byte order mark", [10]),
    Reading("CRLF and CR", b"patient,visit,easi\r\nA,baseline,10\rB,baseline,11\r\n", "F202",
            "2 CRLF and 1 CR", [10, 11]),
    Reading("no final newline", FIRST.strip(), "F203", "last row", [10]),
    Reading("semicolons", FIRST.replace(",", ";"), "F204", "a semicolon", [10]),
    Reading("tabs", FIRST.replace(",", "\t"), "F204", "a tab", [10]),
    Reading("blanks", HEAD + " A ,baseline,\t10 \nB,baseline,11\n", "F205",
            "column easi: blanks trimmed from 1 cell", [10, 11]),
    Reading("no-break space", HEAD + "A,baseline,10\u00a0\n", "F205", "column easi: blanks trimmed", [10]),
    Reading("blanks in the header", "patient, visit,easi\nA,baseline,10\n", "F205",
            "row 1: blanks trimmed from 1 column name", [10]),
    Reading("blank rows", FIRST + "\n,,\nB,baseline,11\n,,\n", "F206",
            "3 blank rows left out (rows 3, 4 and 6)", [10, 11]),
    Reading("missing codes", FIRST + "A,week 4,ND\nA,week 12,-99\n", "F207",
            "column easi: 2 cells with a missing code (ND, -99)",
            [10], {"missing_codes": ["ND", -99]}),
    Reading("no score", FIRST + "A,week 4,\n", "F208", "1 row without any score left out (row 3)", [10]),
    Reading("off the grid", HEAD + "A,baseline,10.25\nB,baseline,11\n", "W201",
            "column easi: 1 score not a multiple of 0.1 (row 2)", [10.25, 11]),
    Reading("no baseline", FIRST + "B,week 4,5\nC,week 12,\n", "W202",
            "2 patients without a baseline score left out (row 3)", [10]),
    Reading("two dates in a window", "patient,date,easi\nA,01-01-2020,10\nA,28-01-2020,4\nA,31-01-2020,3\n", "W203",
            "1 row left out: another day is nearer to week 4 (row 4)", [10, 4], DATED),
    Reading("tie to the earlier", "patient,date,easi\nA,01-01-2020,10\nA,30-01-2020,4\nA,28-01-2020,3\n", "W203",
            "(row 3)", [10, 3], DATED),
    Reading("date in no window", "patient,date,easi\nA,01-01-2020,10\nA,08-01-2020,4\nA,01-01-2021,4\n", "W204",
            "2 rows on a day in no window left out (rows 3 and 4)", [10], DATED),
    Reading("labelled, yet outside the window", "patient,visit,day,easi\nA,baseline,0,10\nA,week 4,43,4\n", "W205",
            "1 row of week 4 on a day outside its window (row 3)", [10, 4],
            {"columns": {"visit": "visit", "day": "day"}, "windows": WINDOWS}),
    Reading("best possible baseline", HEAD + "A,baseline,0\nB,baseline,1\n", "W206",
            "no improvement is possible (row 2)", [0, 1]),
    Reading("a visit outside the schedule", "patient,easi_b,easi_w,easi_52\nA,1,2,3\n", "W207",
            'row 1, column easi_52: not read: "52" is no planned visit', [1, 2],
            {"columns": {"easi": "easi_*"}, "visits": {"b": 0, "w": 4}}),
    Reading("stop without a day", "patient,visit,easi,why\nA,baseline,1,other\n", "W208",
            "1 of 1 stopped patients have no stop day",
            [1], {"columns": {"visit": "visit", "stop_reason": "why"}}),
    Reading("stop without a reason", "patient,visit,easi,stop\nA,baseline,1,9\n", "W208", "have no stop reason",
            [1], {"columns": {"visit": "visit", "stop_day": "stop"}}),
    Reading("UTF-8 read as cp1252", "patient,visit,easi\nZoë,baseline,1\n".encode(), "W209", "valid UTF-8", [1],
            {"encoding": "cp1252"}),
    Reading("instrument not at every visit", "patient,easi_b,easi_w,poem_b\nA,1,2,3\n",  "W211",
            'no column "poem_w"', [1, 2],
            {"columns": {"easi": "easi_*", "poem": "poem_*"}, "visits": {"b": 0, "w": 4}}),
    Reading("first date is day 0", "patient,date,easi\nA,01-01-2020,10\n", "W212", "first date", [10], DATED),
    Reading("no baseline date", "patient,visit,date,easi\nA,baseline,,10\nA,week 4,01-02-2020,4\n", "W213",
            "1 patient without a baseline date", [10, 4],
            {"columns": {"visit": "visit", "date": "date"}, "date_format": "dd-mm-yyyy"}),
]  # fmt: skip


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: reading.name)
def test_a_repair_or_warning_is_logged_once_with_its_place(read, reading):
    cohort = read(reading.content, **reading.arguments)
    logged = [problem for problem in cohort.log if problem.code == reading.code and reading.message in str(problem)]
    assert len(logged) == 1, cohort.log
    assert cohort.visits["easi"].tolist() == reading.scores


def test_every_warning_and_repair_has_a_test():
    assert {reading.code for reading in READINGS} == {c for c in CODES if c[0] in "FW" and "201" <= c[1:] < "220"}


def test_a_first_column_without_a_name_is_not_read(read):
    cohort = read(",patient,visit,easi\n1,A,baseline,10\n2,A,week 4,3\n")
    assert [str(problem) for problem in cohort.log] == [
        "F231 cohort.csv row 1: the first column has no name, as where R writes row names; it is not read"
    ]
    assert cohort.visits["easi"].tolist() == [10, 3]


def test_a_clean_file_leaves_an_empty_log_and_sorted_typed_tables(read):
    cohort = read("patient,visit,easi\nB,week 4,2\nA,week 12,7\nB,baseline,20\nA,baseline,10\nA,week 4,5.5\n")
    assert cohort.log == ()
    assert list(cohort.visits.columns) == [*VISIT_COLUMNS, "easi"]
    assert cohort.visits["patient"].tolist() == list("AAABB")
    assert cohort.visits["visit"].tolist() == ["baseline", "week 4", "week 12", "baseline", "week 4"]
    assert cohort.visits["visit"].cat.ordered
    assert cohort.visits["week"].tolist() == [0, 4, 12, 0, 4]
    assert cohort.visits["day"].isna().all()
    assert cohort.visits["easi"].tolist() == [10, 5.5, 7, 20, 2]
    assert cohort.schedule == (Visit("baseline", 0), Visit("week 4", 4), Visit("week 12", 12))
    assert list(cohort.patients.columns) == ["patient", "stop_day", "stop_week", "stop_reason", "status"]
    assert cohort.patients["status"].tolist() == ["completed", "completed"]
    assert list(cohort.events.columns) == ["patient", "event", "day", "serious"]
    assert cohort.events.empty
    assert cohort.measured == ["easi"]


def test_the_source_is_the_path_as_given_and_the_hash_of_its_bytes(tmp_path):
    path = tmp_path / "a b é.csv"
    path.write_text(PLAIN)
    cohort = read_cohort(path, visits={"baseline": 0, "week 4": 4, "week 12": 12})
    assert cohort.sources == (Source(path, hashlib.sha256(PLAIN.encode()).hexdigest()),)


def same(first: Cohort, second: Cohort) -> None:
    assert_frame_equal(first.visits, second.visits)
    assert_frame_equal(first.patients, second.patients)
    assert first.schedule == second.schedule


LONG = (
    "patient,visit,date,easi,poem,age,stop\n"
    "A,0,01-02-2020,10.5,20,30,\nA,4,02-03-2020,5,,30,\nA,12,25-04-2020,6.1,9,30,\n"
    "B,0,15-02-2020,30,12,41,01-04-2020\nB,12,09-05-2020,28,11,41,01-04-2020\n"
)
WIDE = (
    "patient,date_0,date_4,date_12,easi_0,easi_4,easi_12,poem_0,poem_4,poem_12,age,stop\n"
    "A,01-02-2020,02-03-2020,25-04-2020,10.5,5,6.1,20,,9,30,\n"
    "B,15-02-2020,,09-05-2020,30,,28,12,,11,41,01-04-2020\n"
)
BY_NUMBER = {"0": 0, "4": 4, "12": 12}
FIXED = {"age": "age", "stop_date": "stop"}


def test_the_same_cohort_reads_the_same_long_wide_by_week_and_by_date(read):
    scores = {"date": "date", "easi": "easi", "poem": "poem"}
    arguments: dict[str, Any] = {"visits": BY_NUMBER, "date_format": "dd-mm-yyyy"}
    long = read(LONG, columns={"visit": "visit", **scores, **FIXED}, **arguments)
    wide = read(WIDE, columns={role: f"{role}_*" for role in scores} | FIXED, **arguments)
    week = read(LONG, columns={"week": "visit", **scores, **FIXED}, **arguments)
    windows = {"0": [-7, 3], "4": [14, 42], "12": [56, 112]}
    dates = read(LONG, columns={**scores, **FIXED}, windows=windows, **arguments)
    for other in (wide, week, dates):
        same(long, other)
    assert long.visits["day"].tolist() == [0, 30, 84, 0, 84]
    assert long.visits["after_stop"].tolist() == [False, False, False, False, True]
    assert long.patients["stop_day"].tolist()[1] == 46
    assert long.patients["stop_week"].tolist()[1] == 46 / 7
    assert long.patients["status"].tolist() == ["completed", "stopped"]
    assert long.measured == ["easi", "poem"]


def test_days_in_place_of_dates_and_separators_in_place_of_commas(read):
    long = read(LONG, columns={"visit": "visit", "date": "date", "poem": "poem", **FIXED}, visits=BY_NUMBER,
                date_format="dd-mm-yyyy")  # fmt: skip
    text = (
        "id|dag|EASI|poem|age|stop\nA|0|1,05e1|20|30|\nA|30|+5|NA|30|\nA|84|6,1|9|30|\n"
        'B|0|"30"|12|41|46\nB|84|28,|11|41|46\n'
    )
    columns = {"patient": "id", "day": "dag", "easi": "EASI", "poem": "poem", "age": "age", "stop_day": "stop"}
    windows = {"0": [-7, 3], "4": [14, 42], "12": [56, 112]}
    days = read(text, columns=columns, visits=BY_NUMBER, windows=windows, decimal=",", missing_codes=["NA"])
    same(long, days)


def test_a_declared_start_is_day_0(read):
    text = "patient,date,start,easi\nA,28-01-2020,01-02-2020,10\nA,29-02-2020,01-02-2020,5\n"
    columns = {"date": "date", "start_date": "start"}
    cohort = read(text, columns=columns, date_format="dd-mm-yyyy", windows=WINDOWS)
    assert cohort.visits["day"].tolist() == [-4, 28]
    assert "start_date" not in cohort.patients
    assert cohort.log == ()


@pytest.mark.parametrize(
    ("date_format", "text"),
    [("yyyy-mm-dd", "2020-03-01"), ("d/m/yyyy", "1/3/2020"), ("m/d/yyyy", "3/1/2020"), ("dd.mm.yyyy", "01.03.2020")],
)
def test_dates_are_read_in_the_declared_format_only(read, date_format, text):
    start = {"yyyy-mm-dd": "2020-02-01", "d/m/yyyy": "1/2/2020", "m/d/yyyy": "2/1/2020", "dd.mm.yyyy": "01.02.2020"}
    cohort = read(
        f"patient,date,easi\nA,{start[date_format]},10\nA,{text},5\n",
        columns={"date": "date"},
        date_format=date_format,
        windows=WINDOWS,
    )
    assert cohort.visits["day"].tolist() == [0, 29]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    scores=st.lists(st.integers(0, 720_000), min_size=1, max_size=20),
    decimal=st.sampled_from(".,"),
    quote=st.booleans(),
)
def test_numbers_come_back_exactly_with_either_decimal_sign(tmp_path, scores, decimal, quote):
    mark = '"' if quote else ""
    values = [score / 10_000 for score in scores]
    rows = [f"P{n};baseline;{mark}{repr(v).replace('.', decimal)}{mark}" for n, v in enumerate(values)]
    path = tmp_path / "numbers.csv"
    path.write_text("patient;visit;easi\n" + "\n".join(rows) + "\n")
    cohort = read_cohort(path, visits={"baseline": 0}, decimal=decimal)
    back = cohort.visits.set_index("patient")["easi"]
    assert [back[f"P{n}"] for n in range(len(values))] == values


INERT = ["<script>alert(1)</script>", '=HYPERLINK("x")', "{{7*7}}", "$\\frac{1}{2}$", "a\u202eb", "😀", "o'Neil, \"J\"",
         "two\nlines", "007"]  # fmt: skip


def test_any_text_is_carried_as_text(read):
    cells = ['"' + text.replace('"', '""') + '"' for text in INERT]
    rows = "".join(f"{cell},baseline,10,{cell[:-1]}!{cell[-1]}\n" for cell in cells)
    cohort = read("patient,visit,easi,centre\n" + rows, covariates=["centre"])
    assert cohort.patients["patient"].tolist() == sorted(INERT)
    assert cohort.patients["centre"].tolist() == [f"{text}!" for text in sorted(INERT)]
    assert cohort.patients.dtypes["patient"] == "str"


def test_a_column_read_twice_is_counted_once(read):
    text = "patient,date,easi\nA,01-01-2020,10\nA,ND,\n"
    codes = [problem.code for problem in read(text, missing_codes=["ND"], **DATED).log]
    assert codes.count("F207") == 1


def test_rows_are_counted_as_a_spreadsheet_shows_them_past_line_breaks_in_cells(read):
    with pytest.raises(DataError, match=r"E207 cohort\.csv row 4, column easi"):
        read('patient,visit,easi\n"two\nlines",baseline,10\n\nB,baseline,ND\n')


def test_covariates_are_numbers_when_all_are_and_text_when_none_is(read):
    text = "patient,visit,easi,bmi,site,smoker\nA,baseline,1,22.5,Oost,1\nB,baseline,1,,West,0\n"
    people = read(text, covariates=["bmi", "site", "smoker"]).patients
    assert people["bmi"].dtype == float
    assert people["bmi"].isna().tolist() == [False, True]
    assert people["site"].tolist() == ["Oost", "West"]
    assert people["smoker"].tolist() == [1, 0]


def test_values_are_recoded_and_a_blank_target_means_missing(read):
    text = "patient,visit,easi,g\nA,v1,<0.1,1\nA,v2,3,1\nB,v1,10,2\nC,v1,11,9\n"
    cohort = read(
        text,
        columns={"visit": "visit", "easi": "easi", "sex": "g"},
        values={
            "visit": {"v1": "baseline", "v2": "week 4"},
            "sex": {1: "male", 2: "female", 9: ""},
            "easi": {"<0.1": 0},
        },
    )
    assert cohort.patients["sex"].tolist()[:2] == ["male", "female"]
    assert cohort.patients["sex"].isna().tolist() == [False, False, True]
    assert cohort.visits["easi"].tolist() == [0, 3, 10, 11]


def test_a_patient_level_value_may_stand_in_one_row_only(read):
    text = "patient,visit,easi,age\nA,baseline,1,\nA,week 4,1,33\nB,baseline,1,\n"
    people = read(text, columns={"visit": "visit", "age": "age"}).patients
    assert people["age"].tolist()[0] == 33
    assert people["age"].isna().tolist() == [False, True]


STATUS = (
    "patient,visit,easi,stop_day,stop_reason,status\n"
    "A,baseline,10,,,\nA,week 4,9,,,\nA,week 12,8,,,\n"
    "B,baseline,10,50,side effects,\nB,week 4,9,50,side effects,\n"
    "C,baseline,10,,inefficacy,\nC,week 4,9,,inefficacy,\n"
    "D,baseline,10,,,in follow-up\nD,week 4,9,,,in follow-up\n"
    "E,baseline,10,,,completed\nE,week 12,9,,,completed\n"
    "F,baseline,10,30,other,stopped\nF,week 4,9,30,other,stopped\nF,week 12,5,30,other,stopped\n"
    "G,week 4,9,,,\n"
    "H,baseline,10,,,in follow-up\nH,week 12,9,,,in follow-up\n"
)
STATUS_COLUMNS = {name: name for name in ("visit", "stop_day", "stop_reason", "status")}


def test_status_is_derived_only_where_it_is_not_given(read):
    cohort = read(STATUS, columns=STATUS_COLUMNS)
    status = cohort.patients.set_index("patient")["status"].to_dict()
    assert status == {"A": "completed", "B": "stopped", "C": "stopped", "D": "in follow-up", "E": "completed",
                      "F": "stopped", "H": "in follow-up"}  # fmt: skip
    late = cohort.visits[cohort.visits["after_stop"]]
    assert late[["patient", "week"]].values.tolist() == [["F", 12.0]]


def test_the_flow_adds_up_and_agrees_with_the_attendance(read):
    cohort = read(STATUS, columns=STATUS_COLUMNS)
    flow = cohort.flow
    assert list(flow.columns) == FLOW_COLUMNS
    total = flow[flow["detail"] == ""].set_index("step")["n"]
    assert total["rows read"] == total["visits read"] == 17
    lost = total[list(LOST)]
    assert total["visits read"] - lost.sum() == total["visits used"] == len(cohort.visits) == 16
    assert total["patients read"] - total["patients without a baseline score"] == total["patients analysed"] == 7
    table = flow[flow["detail"] != ""].pivot(index="detail", columns="step", values="n")
    assert (table.sum(axis=1) == total["patients analysed"]).all()
    assert table.loc["week 12", ["seen", "stopped", "in follow-up", "missed"]].tolist() == [4, 2, 1, 0]
    assert table.loc["week 4", ["seen", "stopped", "in follow-up", "missed"]].tolist() == [5, 0, 0, 2]
    states = attendance(cohort).groupby(["visit", "state"], observed=True).size()
    for (visit, state), n in states.items():
        assert table.loc[visit, state] == n


def test_stopping_on_the_day_of_a_visit(read):
    """The visit of that day is not after the stop; if unseen, it counts as stopped, and a later one as after."""
    text = (
        "patient,visit,day,easi,stop_day,stop_reason\n"
        "A,baseline,0,10,28,other\nA,week 4,28,9,28,other\nA,week 12,29,9,28,other\n"
        "B,baseline,0,10,28,other\n"
        "C,baseline,0,10,0,other\n"
        "D,baseline,0,10,,other\nD,week 12,84,10,,other\n"
    )
    cohort = read(text, columns={name: name for name in ("visit", "day", "stop_day", "stop_reason")})
    assert cohort.visits["after_stop"].tolist() == [False, False, True, False, False, False, False]
    week_4 = cohort.flow[cohort.flow["detail"] == "week 4"].set_index("step")["n"]
    assert week_4[["seen", "stopped", "missed"]].tolist() == [1, 2, 1]


@pytest.mark.parametrize(("day", "visit"), [(14, "week 4"), (42, "week 4"), (13, None), (43, None), (56, "week 12")])
def test_a_window_holds_its_first_and_last_day(read, day, visit):
    text = f"patient,day,easi\nA,0,10\nA,{day},5\n"
    cohort = read(text, columns={"day": "day"}, windows=WINDOWS)
    assert cohort.visits["visit"].tolist()[1:] == ([visit] if visit else [])


def test_the_outcome_is_the_first_of_the_scores(read):
    columns = {"visit": "visit", "easi": "easi", "poem": "poem", "dlqi": "dlqi"}
    cohort = read("patient,visit,easi,dlqi,poem\nA,baseline,1,2,3\n", columns=columns, outcome="poem")
    assert cohort.visits.columns.tolist()[5:] == ["poem", "easi", "dlqi"]
    assert cohort.visits.loc[0, ["poem", "easi", "dlqi"]].tolist() == [3, 1, 2]


def test_the_flow_counts_rows_that_windows_leave_out(read):
    text = "patient,date,easi\nA,01-01-2020,10\nA,08-01-2020,4\nA,28-01-2020,4\nA,30-01-2020,3\nA,20-03-2020,\n"
    flow = read(text, **DATED).flow.set_index("step")["n"]
    assert flow[["visits read", "visits without a score", "visits in no window", "visits that gave way to another row",
                 "visits used"]].tolist() == [5, 1, 1, 1, 2]  # fmt: skip


def test_a_declared_instrument_is_the_outcome(read):
    easy = {"name": "vas", "minimum": 0, "maximum": 10, "grid": 0.5, "better": "higher"}
    cohort = read("patient,visit,vas\nA,baseline,2.5\nB,baseline,10\n", outcome="vas", instrument=easy)
    assert cohort.outcome == "vas"
    assert cohort.instrument().better == "higher"
    assert [problem.code for problem in cohort.log] == ["W206"]
    with pytest.raises(DataError, match="vas runs from 0 to 10"):
        read("patient,visit,vas\nA,baseline,11\n", outcome="vas", instrument=easy)


@pytest.fixture
def shipped(read, monkeypatch) -> Cohort:
    cohort = read(
        "patient,visit,easi,poem,age\nA,baseline,10,20,30\nA,week 4,5,,30\n",
        columns={"visit": "visit", "poem": "poem", "age": "age"},
    )
    monkeypatch.setattr(builtin, "BUILTIN", ("study",))
    monkeypatch.setattr(builtin, "load_builtin", {"study": cohort}.__getitem__)
    return cohort


def test_a_built_in_cohort_is_taken_by_name(shipped):
    assert read_cohort("study") is shipped
    poem = read_cohort("study", outcome="poem", covariates=["age"])
    assert poem.outcome == "poem"
    seen = poem.flow[(poem.flow["step"] == "seen")].set_index("detail")["n"]
    assert seen.to_dict() == {"baseline": 1, "week 4": 0, "week 12": 0}
    assert_frame_equal(poem.visits, shipped.visits)
    assert dataclasses.asdict(poem).keys() == dataclasses.asdict(shipped).keys()


@pytest.mark.parametrize(
    "arguments",
    [{"columns": {"easi": "x"}}, {"outcome": "dlqi"}, {"covariates": ["bmi"]}, {"decimal": ","}, {"visits": {"b": 0}}],
)
def test_a_built_in_cohort_ignores_no_argument(shipped, arguments):
    with pytest.raises(ParameterError, match="E106"):
        read_cohort("study", **arguments)


def test_large_files_are_read_column_by_column(tmp_path):
    """Ten thousand patients at five visits, shuffled, come back in order (and quickly)."""
    rng = np.random.default_rng(5)
    weeks = np.tile([0, 4, 8, 12, 16], 10_000)
    frame = pd.DataFrame(
        {
            "patient": np.repeat([f"P{n:05d}" for n in range(10_000)], 5),
            "week": weeks,
            "easi": rng.integers(0, 721, 50_000) / 10,
        }
    )
    path = tmp_path / "large.csv"
    frame.sample(frac=1, random_state=1).to_csv(path, index=False)
    cohort = read_cohort(path, visits={str(week): week for week in (0, 4, 8, 12, 16)})
    assert cohort.visits["patient"].tolist() == frame["patient"].tolist()
    np.testing.assert_array_equal(cohort.visits["easi"], frame["easi"])


def test_the_wide_table_has_a_row_per_patient_and_a_column_per_planned_week(read):
    wide = read(PLAIN).wide()
    assert wide.index.tolist() == ["A", "B"]
    assert wide.columns.tolist() == [0, 4, 12]
    np.testing.assert_array_equal(wide, [[10, 5.5, 7], [20, 2, np.nan]])


def test_when_patients_were_observed(read):
    """B began last and was seen last, C has no baseline score: of those analysed the days are told."""
    text = "patient,visit,date,easi\nA,0,01-02-2020,10\nA,4,02-03-2020,5\nB,0,15-02-2020,30\nB,4,14-03-2020,9\n"
    reading = {"columns": {"visit": "visit", "date": "date"}, "date_format": "dd-mm-yyyy", "visits": {"0": 0, "4": 4}}
    began, last = datetime.date(2020, 2, 1), datetime.date(2020, 3, 14)
    expected = Calendar(began, datetime.date(2020, 2, 15), last)
    assert read(text + "C,4,20-03-2020,3\n", **reading).calendar == expected
    cut = read(text, **reading, data_cut="2020-03-14")
    assert cut.calendar == dataclasses.replace(expected, cut=last)
    assert calendar_sentence(cut) == (
        "Treatment started between 1 February 2020 and 15 February 2020, and the last visit was on 14 March 2020; "
        "the data were cut on 14 March 2020."
    )


def test_starts_without_dates_of_visits(read):
    text = "patient,visit,start,easi\nA,0,01-02-2020,10\nA,4,01-02-2020,5\n"
    reading = {"columns": {"visit": "visit", "start_date": "start"}, "visits": {"0": 0, "4": 4}}
    cohort = read(text, **reading, date_format="dd-mm-yyyy")
    assert cohort.calendar == Calendar(datetime.date(2020, 2, 1), datetime.date(2020, 2, 1))
    assert calendar_sentence(cohort) == "Treatment started on 1 February 2020."


def test_without_dates_nothing_is_said_of_when(read):
    assert read(PLAIN).calendar == Calendar()
    assert calendar_sentence(read(PLAIN)) == ""
    assert calendar_sentence(read(PLAIN, data_cut="2021-06-30")) == "The data were cut on 30 June 2021."
    assert read_cohort("baricitinib").calendar == Calendar()


@pytest.mark.parametrize(
    ("visits", "names"),
    [
        ({"0": 0, "4": 4, "12": 12}, ["baseline", "week 4", "week 12"]),
        ({"1": 0, "2": 4, "12": 12}, ["visit 1", "visit 2", "visit 12"]),
        ({"screening": 0, "4": 4, "end": 12}, ["screening", "week 4", "end"]),
        ({"0.0": 0, "4.5": 4.5, "12": 12.5}, ["visit 0.0", "visit 4.5", "visit 12"]),
        ({"0": 0, "4": 4, "week 4": 12}, ["0", "4", "week 4"]),
    ],
)
def test_visits_with_bare_numbers_are_named_for_sentences(read, visits, names):
    rows = "".join(f"A,{label},{score}\n" for label, score in zip(visits, (20, 9, 7), strict=True))
    cohort = read(HEAD + rows, visits=visits)
    assert [visit.label for visit in cohort.schedule] == names
    assert cohort.visits["visit"].tolist() == names
    assert cohort.flow["detail"][lambda detail: detail.isin(names)].unique().tolist() == names


def test_a_message_about_a_visit_uses_the_word_of_the_file(read):
    with pytest.raises(DataError, match="the visits are 0, 4"):
        read(HEAD + "A,0,20\nA,5,9\n", visits={"0": 0, "4": 4})
