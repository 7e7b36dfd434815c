"""Input -> the code, the place and a piece of the message; one row per fault."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from easitrace.errors import CODES, DataError, ParameterError

HEAD = "patient,visit,easi\n"
FIRST = HEAD + "A,baseline,10\n"
DATES = {"columns": {"date": "date"}, "date_format": "dd-mm-yyyy"}
WINDOWS = {"baseline": [-7, 3], "week 4": [14, 42], "week 12": [56, 112]}
STOPS = {"columns": {name: name for name in ("visit", "stop_day", "stop_reason", "status")}}
STOP_HEAD = "patient,visit,easi,stop_day,stop_reason,status\n"


class Fault(NamedTuple):
    name: str
    content: str | bytes
    code: str
    place: str
    message: str
    arguments: Mapping[str, Any] = MappingProxyType({})


FAULTS = [
    Fault("empty", "", "E202", "cohort.csv", "empty"),
    Fault("only blanks", "\n \n", "E202", "cohort.csv", "empty"),
    Fault("header only", HEAD, "E202", "cohort.csv", "no data row"),
    Fault("only blank rows", HEAD + "\n,,\n", "E202", "cohort.csv", "no data row"),
    Fault("xlsx", b"PK\x03\x04" + bytes(50), "E203", "cohort.csv", r"\.xlsx"),
    Fault("old office", b"\xd0\xcf\x11\xe0" + bytes(50), "E203", "cohort.csv", "before 2007"),
    Fault("spss", b"$FL2@(#) SPSS", "E203", "cohort.csv", "SPSS"),
    Fault("cp1252", "patient,visit,easi\nZo\xeb,baseline,1\n".encode("cp1252"), "E204", "row 2",
          '0xeb after "Zo" .* cp1252 it is "ë".*encoding: cp1252'),
    Fault("undefined in cp1252", FIRST.encode() + b"B\x81,baseline,1\n", "E204", "row 3", "0x81",
          {"encoding": "cp1252"}),
    Fault("utf-16 with mark", FIRST.encode("utf-16"), "E204", "cohort.csv", "encoding: utf-16"),
    Fault("utf-16 without mark", FIRST.encode("utf-16-le"), "E204", "cohort.csv", "looks like UTF-16"),
    Fault("not utf-16", FIRST.encode(), "E204", "cohort.csv", "not valid utf-16", {"encoding": "utf-16-le"}),
    Fault("utf-8 mark, other encoding", b"\xef\xbb\xbf" + FIRST.encode(), "E204", "cohort.csv", "encoding: utf-8",
          {"encoding": "cp1252"}),
    Fault("NUL", FIRST + "A,week 4,1\0\n", "E205", "row 3", "NUL"),
    Fault("quote never closed", FIRST + 'B,baseline,"5\nC,baseline,6\n', "E206", "row 3", "never closed"),
    Fault("quote closed later", FIRST + 'B,"baseline,5\nC,"baseline",6\n', "E206", "row 3", "not closed"),
    Fault("quote inside", FIRST + 'B,base"line,5\n', "E206", "row 3", "inside a cell"),
    Fault("quote after blank", FIRST + 'B, "baseline",5\n', "E206", "row 3", "inside a cell"),
    Fault("decimal comma", HEAD + 'A,baseline,"12,5"\n', "E207", "row 2, column easi",
          '"12,5" is not a number with decimal "."; set decimal: ","'),
    Fault("decimal point", "patient;visit;easi\nA;baseline;12.5\n", "E207", "row 2, column easi",
          'set decimal: "."', {"decimal": ","}),
    Fault("thousands", HEAD + 'A,baseline,"1.234,5"\n', "E207", "row 2, column easi", "1.234,5"),
    Fault("ND", HEAD + "A,baseline,ND\n", "E207", "row 2, column easi", 'add "ND" to missing_codes'),
    Fault("NA", HEAD + "A,baseline,NA\n", "E207", "row 2, column easi", 'add "NA" to missing_codes'),
    Fault("limit", HEAD + "A,baseline,<2\n", "E207", "row 2, column easi", "a limit is not a value"),
    Fault("range", HEAD + "A,baseline,10-12\n", "E207", "row 2, column easi", "correct the cell"),
    Fault("percentage", HEAD + "A,baseline,50%\n", "E207", "row 2, column easi", "without %"),
    Fault("spreadsheet error", HEAD + "A,baseline,#N/A\n", "E207", "row 2, column easi", "formula"),
    Fault("inf", HEAD + "A,baseline,inf\n", "E207", "row 2, column easi", '"inf" is not a number'),
    Fault("nan", HEAD + "A,baseline,nan\n", "E207", "row 2, column easi", "missing_codes"),
    Fault("overflow", HEAD + "A,baseline,1e999\n", "E207", "row 2, column easi", "infinite"),
    Fault("hexadecimal", HEAD + "A,baseline,0x1A\n", "E207", "row 2, column easi", "not a number"),
    Fault("underscore", HEAD + "A,baseline,1_0\n", "E207", "row 2, column easi", "not a number"),
    Fault("Arabic digits", HEAD + "A,baseline,١٢\n", "E207", "row 2, column easi", "not a number"),
    Fault("formula", HEAD + "A,baseline,=1+1\n", "E207", "row 2, column easi", "=1"),
    Fault("long cell is cut", HEAD + f"A,baseline,{'x1' * 500_000}\n", "E207", "row 2, column easi",
          '^"(x1){20}…" is'),
    Fault("control characters are shown inert", HEAD + "A,baseline,1\u202e2\n", "E207", "row 2, column easi",
          r"1\\u202e2"),
    Fault("mixed covariate", "patient,visit,easi,bmi\nA,baseline,1,22\nB,baseline,1,heavy\n", "E207",
          "row 3, column bmi", '"heavy"', {"covariates": ["bmi"]}),
    Fault("extra field", FIRST + "B,baseline,12,5\n", "E208", "row 3", "4 fields where the header has 3"),
    Fault("missing field", FIRST + "B,baseline\n", "E208", "row 3", "2 fields"),
    Fault("extra field beside quotes", HEAD + '"A\n1",baseline,10\nB,baseline,"1,2",3\n', "E208", "row 3",
          "4 fields"),
    Fault("semicolons read with commas", "patient;visit;easi\nA;baseline;1\n", "E209", "row 1", 'no "," between',
          {"delimiter": ","}),
    Fault("two separators", "patient;visit,easi\nA;baseline,1\n", "E209", "row 1", "a comma and a semicolon"),
    Fault("no separator", "patient visit easi\nA baseline 1\n", "E209", "row 1", "no separator"),
    Fault("blank header", "patient,visit,,easi\nA,baseline,,1\n", "E210", "row 1", "column 3 has no name"),
    Fault("duplicate header", "patient,visit,easi,easi\nA,baseline,1,2\n", "E210", "row 1", "columns 3 and 4"),
    Fault("column missing", "patient,visit,EASI_total\nA,baseline,1\n", "E211", "row 1",
          'no column "easi_total"; nearest: "EASI_total"', {"columns": {"easi": "easi_total"}}),
    Fault("patient column missing", "id,visit,easi\nA,baseline,1\n", "E211", "row 1", 'no column "patient"'),
    Fault("covariate missing", FIRST, "E211", "row 1", 'no column "bmi"', {"covariates": ["bmi"]}),
    Fault("no visit column", "patient,easi\nA,1\n", "E211", "row 1", "which visit a row belongs to"),
    Fault("wide column missing", "patient,easi_baseline,easi_week 4\nA,1,2\n", "E211", "row 1", '"easi_week 12"',
          {"columns": {"easi": "easi_*"}}),
    Fault("no windows", "patient,date,easi\nA,01-02-2020,1\n", "E212", "cohort.csv", "no windows", DATES),
    Fault("star in a patient column", "patient,easi_0,age_0\nA,1,2\n", "E212", "cohort.csv", "columns.age",
          {"columns": {"easi": "easi_*", "age": "age_*"}, "visits": {"0": 0}}),
    Fault("half wide", "patient,easi_0,poem\nA,1,2\n", "E212", "cohort.csv", r"columns.poem .* easi",
          {"columns": {"easi": "easi_*", "poem": "poem"}, "visits": {"0": 0}}),
    Fault("stop date alone", "patient,visit,easi,stop\nA,baseline,1,01-02-2020\n", "E212", "cohort.csv",
          "no other date", {"columns": {"visit": "visit", "stop_date": "stop"}, "date_format": "dd-mm-yyyy"}),
    Fault("blank patient", FIRST + " ,baseline,5\n", "E213", "row 3, column patient", "blank"),
    Fault("leading zeros", HEAD + "7,baseline,1\n007,week 4,2\n", "E214", "rows 2 and 3, column patient",
          '"7" and "007"'),
    Fault("capitals", HEAD + "p1,baseline,1\nP1,week 4,2\n", "E214", "rows 2 and 3, column patient", '"p1" and "P1"'),
    Fault("exact duplicate", FIRST + "A,baseline,10\n", "E215", "rows 2 and 3", "two rows for one visit"),
    Fault("two values", FIRST + "A,week 4,1\nA,baseline,11\n", "E215", "rows 2 and 4", "two rows for one visit"),
    Fault("wide, patient twice", "patient,easi_b\nA,1\nA,2\n", "E215", "rows 2 and 3", "two rows",
          {"columns": {"easi": "easi_*"}, "visits": {"b": 0}}),
    Fault("same date twice", "patient,date,easi\nA,01-02-2020,1\nA,01-02-2020,2\n", "E215", "rows 2 and 3",
          "two rows on one day", DATES | {"windows": WINDOWS}),
    Fault("unknown visit", FIRST + "A,wek 4,1\nB,wek 4,2\n", "E216", "rows 3 and 4, column visit",
          r'"wek 4" is no planned visit, in 2 rows \(nearest: week 4\)'),
    Fault("unknown week", "patient,week,easi\nA,0,1\nA,5,2\n", "E216", "row 3, column week", '"5" is no planned'),
    Fault("week is no number", "patient,week,easi\nA,0,1\nA,w4,2\n", "E207", "row 3, column week", '"w4"'),
    Fault("too high", HEAD + "A,baseline,72.1\n", "E217", "row 2, column easi", "EASI runs from 0 to 72"),
    Fault("negative", HEAD + "A,baseline,-1\n", "E217", "row 2, column easi", "out of range"),
    *(
        Fault(f"code {code}", HEAD + f"A,baseline,{code}\n", "E217", "row 2, column easi",
              f'add "{code}" to missing_codes')
        for code in ("999", "-9", "-99")
    ),
    Fault("other instrument", "patient,visit,easi,poem\nA,baseline,1,29\n", "E217", "row 2, column poem", "0 to 28",
          {"columns": {"visit": "visit", "poem": "poem"}}),
    Fault("age", "patient,visit,easi,age\nA,baseline,1,999\n", "E217", "row 2, column age", "0 to 120",
          {"columns": {"visit": "visit", "age": "age"}}),
    Fault("wide place", "patient,easi_b,easi_w\nA,1,2\nB,1,99\n", "E217", "row 3, column easi_w", '"99"',
          {"columns": {"easi": "easi_*"}, "visits": {"b": 0, "w": 4}}),
    *(
        Fault(name, f"patient,date,easi\nA,{text},1\n", code, "row 2, column date", message,
              DATES | {"windows": WINDOWS})
        for name, text, code, message in (
            ("other format", "2020-02-01", "E218", "written dd-mm-yyyy"),
            ("slashes", "03/04/2024", "E218", "03/04/2024"),
            ("two-digit year", "01-02-20", "E218", "four digits"),
            ("serial day", "44000", "E218", "day number"),
            ("partial date", "02-2020", "E218", "02-2020"),
            ("time of day", "01-02-2020 10:00", "E218", "10:00"),
            ("30 February", "30-02-2020", "E219", "does not exist"),
            ("29 February", "29-02-2021", "E219", "does not exist"),
            ("day 0", "00-02-2020", "E219", "does not exist"),
            ("month 0", "05-00-2020", "E219", "does not exist"),
            ("month 13", "05-13-2020", "E219", r"no month 13 .*is it mm-dd-yyyy\?"),
            ("future", "01-02-2995", "E219", "future"),
            ("past", "01-02-1020", "E219", "before 1900"),
        )
    ),
    Fault("visit before baseline", "patient,visit,date,easi\nA,baseline,10-02-2020,1\nA,week 4,09-02-2020,2\n",
          "E220", "row 3", r"week 4 is not after baseline \(row 2\)",
          {"columns": {"visit": "visit", "date": "date"}, "date_format": "dd-mm-yyyy"}),
    Fault("visits on one day", "patient,visit,day,easi\nA,baseline,0,1\nA,week 4,30,2\nA,week 12,30,3\n",
          "E220", "row 4", "week 12 is not after week 4", {"columns": {"visit": "visit", "day": "day"}}),
    Fault("age varies", "patient,visit,easi,age\nA,baseline,1,30\nA,week 4,1,\nA,week 12,2,31\n", "E221",
          "rows 2 and 4, column age", '"30" and "31"', {"columns": {"visit": "visit", "age": "age"}}),
    Fault("sex varies", "patient,visit,easi,sex\nA,baseline,1,m\nA,week 4,1,f\n", "E221", "rows 2 and 3, column sex",
          '"m" and "f"', {"columns": {"visit": "visit", "sex": "sex"}}),
    Fault("sex not recoded", "patient,visit,easi,sex\nA,baseline,1,W\n", "E222", "row 2, column sex",
          '"W" is not one of female, male', {"columns": {"visit": "visit", "sex": "sex"},
                                              "values": {"sex": {"V": "female", "M": "male"}}}),
    Fault("unknown reason", STOP_HEAD + "A,baseline,1,5,inefficacious,stopped\n", "E222", "row 2, column stop_reason",
          r"nearest: inefficacy\)", STOPS),
    Fault("unknown status", STOP_HEAD + "A,baseline,1,,,done\n", "E222", "row 2, column status", "in follow-up", STOPS),
    Fault("completed, yet stopped", STOP_HEAD + "A,baseline,1,30,other,completed\n", "E223", "row 2", "not stopped",
          STOPS),
    Fault("in follow-up, yet stopped", STOP_HEAD + "A,baseline,1,,other,in follow-up\n", "E223", "row 2",
          "not stopped", STOPS),
    Fault("stop before the start", STOP_HEAD + "A,baseline,1,-3,other,stopped\n", "E223", "row 2", "before day 0",
          STOPS),
    Fault("no baseline at all", HEAD + "A,week 4,10\n", "E224", "cohort.csv", "no patient has easi at baseline"),
    Fault("blank visit", FIRST + "A,,10\n", "E226", "row 3, column visit", "blank"),
    Fault("blank week", "patient,week,easi\nA,0,1\nA,,2\n", "E226", "row 3, column week", "blank"),
    Fault("blank date", "patient,date,easi\nA,01-02-2020,1\nA,,2\n", "E226", "row 3, column date", "no date",
          DATES | {"windows": WINDOWS}),
    Fault("blank day", "patient,day,easi\nA,0,1\nA,,2\n", "E226", "row 3, column day", "no day",
          {"columns": {"day": "day"}, "windows": WINDOWS}),
    Fault("blank start", "patient,date,start,easi\nA,01-02-2020,01-02-2020,1\nB,01-02-2020,,2\n", "E226",
          "row 3, column start", "no start",
          {"columns": {"date": "date", "start_date": "start"}, "date_format": "dd-mm-yyyy", "windows": WINDOWS}),
    Fault("mangled patient", HEAD + "1E+05,baseline,1\n", "E227", "row 2, column patient", "power of ten"),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_reported_with_its_code_place_and_remedy(read, fault):
    with pytest.raises(DataError) as raised:
        read(fault.content, **fault.arguments)
    assert [problem.code for problem in raised.value.problems] == [fault.code]
    problem = raised.value.problems[0]
    assert problem.where == ("cohort.csv " + fault.place).replace("cohort.csv cohort.csv", "cohort.csv")
    text = f"{problem.what}; {problem.remedy}"
    assert fault.message in text or re.search(fault.message, text), text
    assert problem.remedy


def test_the_form_of_an_error_is_the_documented_one(read):
    with pytest.raises(DataError) as raised:
        read(HEAD + "A,baseline,10\n" * 1 + 'B,baseline,"12,5"\n')
    assert (
        str(raised.value)
        == 'E207 cohort.csv row 3, column easi: "12,5" is not a number with decimal "."; set decimal: ","'
    )


def test_every_error_code_of_reading_has_a_test():
    tests = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parents[1].rglob("test_*.py"))
    assert [code for code in CODES if "E201" <= code < "E240" and code not in tests] == []


def test_the_same_columns_without_the_fault_are_read(read):
    """The faults above come from their cells, not from their columns."""
    cohort = read(STOP_HEAD + "A,baseline,1,30,other,stopped\n", **STOPS)
    assert cohort.patients.loc[0, ["stop_day", "stop_reason", "status"]].tolist() == [30, "other", "stopped"]
    dated = "patient,date,easi\nA,29-02-2020,1\nA,28-03-2020,2\n"
    assert read(dated, **DATES, windows=WINDOWS).visits["day"].tolist() == [0, 28]


def test_all_problems_are_reported_at_once_and_fifty_are_shown(read):
    rows = "".join(f"P{number},baseline,ND\n" for number in range(80)) + "P9,week 4,99\nP8,wk,1\n,week 4,1\n"
    with pytest.raises(DataError) as raised:
        read(HEAD + rows)
    problems = raised.value.problems
    assert len(problems) == 83
    assert {problem.code for problem in problems[:50]} == {"E207", "E213", "E216", "E217"}
    lines = str(raised.value).splitlines()
    assert len(lines) == 51
    assert lines[-1] == "... and 33 more problems"


def test_a_flood_of_one_problem_is_counted(read):
    with pytest.raises(DataError) as raised:
        read(HEAD + "".join(f"P{number},baseline,ND\n" for number in range(1500)))
    assert len(raised.value.problems) == 1001
    assert raised.value.problems[-1].what == "the same in 500 more rows"


def test_a_flood_of_duplicates_is_counted(read):
    rows = "".join(f"P{number},baseline,1\nP{number},baseline,2\n" for number in range(1001))
    with pytest.raises(DataError, match="E215 cohort") as raised:
        read(HEAD + rows)
    assert len(raised.value.problems) == 1001
    assert "more than 1000 times" in raised.value.problems[-1].what


def test_a_duplicated_visit_is_not_also_called_out_of_order(read):
    content = "patient,visit,day,easi\nA,baseline,0,1\nA,week 4,30,2\nA,week 4,30,3\n"
    with pytest.raises(DataError) as raised:
        read(content, columns={"visit": "visit", "day": "day"})
    assert [problem.code for problem in raised.value.problems] == ["E215"]


def test_one_wrong_cell_is_one_problem(read):
    content = "patient,visit,easi,age,sex\nA,baseline,1,30,m\nA,week 4,1,999,x\n"
    with pytest.raises(DataError) as raised:
        read(content, columns={name: name for name in ("visit", "age", "sex")}, values={"sex": {"m": "male"}})
    assert [problem.code for problem in raised.value.problems] == ["E217", "E222"]


def test_a_missing_file_names_the_nearest(tmp_path):
    from easitrace.cohort.read import read_cohort

    (tmp_path / "cohort.csv").write_text(FIRST)
    with pytest.raises(DataError, match=r"E201 cohrt.csv: no such file .*did you mean cohort.csv\?"):
        read_cohort(tmp_path / "cohrt.csv", visits={"baseline": 0})
    with pytest.raises(DataError, match=r"E201 x.csv: .*check the name"):
        read_cohort(tmp_path / "nowhere" / "x.csv", visits={"baseline": 0})
    with pytest.raises(DataError, match=r"E241 .*this is a folder"):
        read_cohort(tmp_path, visits={"baseline": 0})


def test_a_file_that_changes_while_it_is_read_is_refused(read, tmp_path, monkeypatch):
    from easitrace.cohort import read as reading

    assemble = reading.assemble

    def disturbed(*arguments):
        (tmp_path / "cohort.csv").write_text(FIRST + "B,baseline,3\n")
        return assemble(*arguments)

    monkeypatch.setattr(reading, "assemble", disturbed)
    with pytest.raises(DataError, match=r"E225 cohort\.csv: the file changed"):
        read(FIRST)


ARGUMENT_FAULTS = [
    ({"visits": None}, "E104 visits"),
    ({"visits": {"baseline": 0, "b": 0}}, "E105 visits"),
    ({"outcome": "pasi"}, "E106 outcome.*declare it"),
    ({"decimal": ";"}, "E105 decimal"),
    ({"delimiter": "::"}, "E105 delimiter"),
    ({"encoding": "utf-9"}, "E105 encoding"),
    ({"encoding": "hex"}, "E105 encoding"),
    ({"columns": {"visit": "a", "easi": "a"}}, "E106 columns.easi.*already plays the role visit"),
    ({"columns": {"visit": "visit", "week": "w"}}, "E106 columns.week: visit is mapped too"),
    ({"columns": {"date": "visit", "day": "w"}, "date_format": "d-m-yyyy"}, "E106 columns.day: date is mapped too"),
    ({"columns": {"date": "visit"}, "windows": WINDOWS}, "E104 date_format.*two readings"),
    ({"values": {"sex": {"V": "female"}}}, "E106 values.sex: no column"),
    ({"windows": {"baseline": [0, 1], "week 4": [14, 42], "week 12": [56, 112]}}, "E106 windows: neither date nor day"),
    ({"windows": {"baseline": [0, 1]}}, r"E106 windows: .*\(week 12, week 4\)"),
    ({"windows": {"baseline": [3, 1], "week 4": [14, 42], "week 12": [56, 112]}}, "E105 windows.baseline"),
    ({"windows": {"baseline": [0], "week 4": [14, 42], "week 12": [56, 112]}}, "E105 windows.baseline"),
    ({"windows": {"baseline": [0, 14], "week 4": [14, 42], "week 12": [56, 112]}}, "E106 windows.week 4: overlaps"),
    ({"instrument": {"name": "pasi"}, "outcome": "pasi"}, "E105 instrument: key"),
]


@pytest.mark.parametrize(("arguments", "message"), ARGUMENT_FAULTS)
def test_arguments_that_contradict_each_other_are_refused(read, arguments, message):
    with pytest.raises(ParameterError, match=message):
        read(FIRST, **arguments)


@pytest.mark.parametrize(
    "date_format", ["dd-mm", "dd-mm-yy", "dd-mmm-yyyy", "dd-mm-yyyy hh", "yyyy-dd-dd", "", "%d-%m"]
)
def test_a_date_format_without_day_month_and_year_is_refused(read, date_format):
    content = "patient,date,easi\nA,01-02-2020,1\n"
    with pytest.raises(ParameterError, match="E105 date_format"):
        read(content, columns={"date": "date"}, windows=WINDOWS, date_format=date_format)
