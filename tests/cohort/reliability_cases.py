"""What goes in and what must come out: a row per case, `Case(name, files, code, place, message, arguments, problems)`.

`files` are {name: content}: text, bytes, or a function that writes the path it is given; the first is `data`. `code`
is expected at `place` (a pattern of the whole place) with `message` (a pattern somewhere in what and remedy): an E
code refuses the files, an F or W code is in the log of the cohort that comes out. `arguments` are those of
`read_cohort`, further files by name. Another `problems` reads something else than a cohort.

Cases of a format are lists like `CASES` in a module of their own, named in `test_reliability_table.py`.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from easitrace.cohort.read import read_cohort
from easitrace.cohort.roles import EASI_PARTS
from easitrace.errors import EasitraceError, Problem

VISITS = {"baseline": 0, "week 4": 4, "week 12": 12}
WINDOWS = {"baseline": [-7, 3], "week 4": [14, 42], "week 12": [56, 112]}
FURTHER = ("visit_data", "patient_data", "event_data")

Content = str | bytes | Callable[[Path], object]


def written(folder: Path, files: Mapping[str, Content]) -> Path:
    """Write the files; the path of the first."""
    for name, content in files.items():
        if callable(content):
            content(folder / name)
        else:
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return folder / next(iter(files))


def of_a_cohort(folder: Path, case: "Case") -> tuple[Problem, ...]:
    """The problems that refuse the files, or the log of their cohort."""
    arguments = {"visits": VISITS, **case.arguments}
    for name in FURTHER:
        if name in arguments:
            given = arguments[name]
            paths = [str(folder / one) for one in ([given] if isinstance(given, str) else given)]
            arguments[name] = paths[0] if isinstance(given, str) else paths
    data = written(folder, case.files) if case.files else folder / "cohort.csv"
    try:
        return read_cohort(data, **arguments).log
    except EasitraceError as error:
        return error.problems


def of_parameters(folder: Path, case: "Case") -> tuple[Problem, ...]:
    """The problems of a parameter file."""
    from easitrace.parameters import read_parameters

    path = written(folder, case.files) if case.files else folder / "x.yml"
    try:
        read_parameters(path)
    except EasitraceError as error:
        return tuple(Problem(p.code, p.where.replace(f"{folder}/", ""), p.what, p.remedy) for p in error.problems)
    return ()


def of_a_model(folder: Path, case: "Case") -> tuple[Problem, ...]:
    """Why the model of a cohort is not estimable: the problems raised, or the status and message of the fit."""
    from easitrace.models.mmrm import fit_mmrm

    cohort = read_cohort(written(folder, case.files), **{"visits": VISITS, **case.arguments})
    visits = cohort.visits.assign(visit=cohort.visits["visit"].cat.remove_unused_categories())
    try:
        fit = fit_mmrm("easi ~ visit", visits, patient="patient", visit="visit")
    except EasitraceError as error:
        return error.problems
    return (Problem(fit.status, "model", fit.message),)


class Case(NamedTuple):
    """One row of the table."""

    name: str
    files: Mapping[str, Content]
    code: str
    place: str
    message: str
    arguments: Mapping[str, Any] = MappingProxyType({})
    problems: "Callable[[Path, Case], tuple[Problem, ...]]" = of_a_cohort


HEAD = "patient,visit,easi\n"
FIRST = HEAD + "A,baseline,10\n"
LABELLED = {"columns": {"visit": "visit", "day": "day"}}
DAYS = {"columns": {"day": "day"}, "windows": WINDOWS}
DATED = {"columns": {"date": "date"}, "date_format": "dd-mm-yyyy", "windows": WINDOWS}


def csv(content: str | bytes) -> dict[str, Content]:
    """One CSV file."""
    return {"cohort.csv": content}


def score(cell: str) -> dict[str, Content]:
    """A file whose one score is this cell."""
    return csv(HEAD + f"A,baseline,{cell}\n")


def date(cell: str) -> dict[str, Content]:
    """A file whose one date is this cell."""
    return csv(f"patient,date,easi\nA,{cell},10\n")


FILES = [
    Case("file missing", {}, "E201", "cohort.csv", "no such file"),
    Case("file empty", csv(""), "E202", "cohort.csv", "empty"),
    Case("header only", csv(HEAD), "E202", "cohort.csv", "no data row"),
    Case("rows of nothing but separators", csv(HEAD + ",,\n,,\n"), "E202", "cohort.csv", "no data row"),
    Case("PDF called CSV", csv(b"%PDF-1.7\n" + bytes(90)), "E203", "cohort.csv", "this is a PDF"),
    Case("gzip called CSV", csv(b"\x1f\x8b\x08" + bytes(90)), "E203", "cohort.csv", "gzip"),
    Case("old Office file", csv(b"\xd0\xcf\x11\xe0" + bytes(600)), "E203", "cohort.csv", r"\.xls"),
    Case("byte order mark", csv(b"\xef\xbb\xbf" + FIRST.encode()), "F201", "cohort.csv", "byte order mark"),
    Case("CRLF", csv(FIRST.replace("\n", "\r\n")), "F202", "cohort.csv", "2 CRLF"),
    Case("CR", csv(FIRST.replace("\n", "\r")), "F202", "cohort.csv", "2 CR to LF"),
    Case("no final newline", csv(FIRST.strip()), "F203", "cohort.csv", "one was added"),
    Case("cp1252 bytes", csv("patient,visit,easi\nZo\xeb,baseline,1\n".encode("cp1252")), "E204", "cohort.csv row 2",
         "encoding: cp1252"),
    Case("UTF-16 without a mark", csv(FIRST.encode("utf-16-le")), "E204", "cohort.csv", "UTF-16"),
    Case("UTF-16 with a mark", csv(FIRST.encode("utf-16")), "E204", "cohort.csv", "set encoding: utf-16"),
    Case("UTF-8 declared cp1252", csv("patient,visit,easi\nZoë,baseline,1\n"), "W209", "cohort.csv", "valid UTF-8",
         {"encoding": "cp1252"}),
    Case("extra field", csv(FIRST + "B,baseline,12,5\n"), "E208", "cohort.csv row 3", "4 fields where"),
    Case("missing field", csv(FIRST + "B,baseline\n"), "E208", "cohort.csv row 3", "2 fields"),
    Case("quote never closed", csv(FIRST + 'B,baseline,"5\n'), "E206", "cohort.csv row 3", "never closed"),
    Case("quote inside a cell", csv(FIRST + 'B"x,baseline,5\n'), "E206", "cohort.csv row 3", "inside a cell"),
    Case("NUL", csv(FIRST + "B,baseline,5\0\n"), "E205", "cohort.csv row 3", "NUL"),
    Case("semicolons", csv(FIRST.replace(",", ";")), "F204", "cohort.csv", "a semicolon"),
    Case("tabs", csv(FIRST.replace(",", "\t")), "F204", "cohort.csv", "a tab"),
    Case("two separators", csv("patient;visit,easi\nA;baseline,1\n"), "E209", "cohort.csv row 1", "a comma and a semi"),
    Case("no separator", csv("patient visit easi\nA baseline 1\n"), "E209", "cohort.csv row 1", "no separator"),
    Case("header used twice", csv("patient,visit,easi,easi\nA,baseline,1,2\n"), "E210", "cohort.csv row 1",
         "columns 3 and 4 are both"),
    Case("header blank", csv("patient,visit,,easi\nA,baseline,,1\n"), "E210", "cohort.csv row 1", "has no name"),
    Case("column missing", csv("patient,visit,EASI\nA,baseline,1\n"), "E211", "cohort.csv row 1",
         'no column "easi_total"; nearest: "EASI"|the columns are', {"columns": {"easi": "easi_total"}}),
    Case("no column for the patient", csv("id,visit,easi\nA,baseline,1\n"), "E211", "cohort.csv row 1", '"patient"'),
    Case("nothing tells the visit", csv("patient,easi\nA,1\n"), "E211", "cohort.csv row 1", "which visit a row"),
    Case("a covariate that is not there", csv(FIRST), "E211", "cohort.csv row 1", 'no column "bmi"',
         {"covariates": ["bmi"]}),
    Case("one column, two roles", csv(FIRST), "E106", r"columns\.easi", "already plays the role visit",
         {"columns": {"visit": "visit", "easi": "visit"}}),
    Case("blank rows", csv(FIRST + "\n,,\n"), "F206", "cohort.csv", "2 blank rows left out"),
]  # fmt: skip

PATIENTS = [
    Case("patient blank", csv(FIRST + ",week 4,5\n"), "E213", "cohort.csv row 3, column patient", "blank"),
    Case("blanks around cells", csv(HEAD + " A ,baseline,10\n"), "F205", "cohort.csv column patient", "from 1 cell"),
    Case("007 and 7", csv(HEAD + "7,baseline,1\n007,week 4,2\n"), "E214", "cohort.csv rows 2 and 3, column patient",
         '"7" and "007" differ only in leading zeros'),
    Case("capitals", csv(HEAD + "p1,baseline,1\nP1,week 4,2\n"), "E214", "cohort.csv rows 2 and 3, column patient",
         '"p1" and "P1"'),
    Case("1E+05", csv(HEAD + "1E+05,baseline,1\n"), "E227", "cohort.csv row 2, column patient", "power of ten"),
    Case("sex varies", csv("patient,visit,easi,sex\nA,baseline,1,m\nA,week 4,1,f\n"), "E221",
         "cohort.csv rows 2 and 3, column sex", '"m" and "f"', {"columns": {"visit": "visit", "sex": "sex"}}),
    Case("sex not recoded", csv("patient,visit,easi,sex\nA,baseline,1,X\n"), "E222", "cohort.csv row 2, column sex",
         '"X" is not one of female', {"columns": {"visit": "visit", "sex": "sex"}, "values": {"sex": {"V": "female"}}}),
    Case("age 999", csv("patient,visit,easi,age\nA,baseline,1,999\n"), "E217", "cohort.csv row 2, column age",
         "missing_codes", {"columns": {"visit": "visit", "age": "age"}}),
    Case("mixed covariate", csv("patient,visit,easi,bmi\nA,baseline,1,22\nB,baseline,1,heavy\n"), "E207",
         "cohort.csv row 3, column bmi", '"heavy"', {"covariates": ["bmi"]}),
    Case("stop before the start", csv("patient,visit,easi,s\nA,baseline,1,-3\n"), "E223", "cohort.csv row 2",
         "before day 0", {"columns": {"visit": "visit", "stop_day": "s"}}),
    Case("stopped, yet completed", csv("patient,visit,easi,s,t\nA,baseline,1,9,completed\n"), "E223",
         "cohort.csv row 2", "not stopped", {"columns": {"visit": "visit", "stop_day": "s", "status": "t"}}),
    Case("unknown reason", csv("patient,visit,easi,why\nA,baseline,1,tired\n"), "E222", "cohort.csv row 2, column why",
         "inefficacy", {"columns": {"visit": "visit", "stop_reason": "why"}}),
    Case("stopped without a day", csv("patient,visit,easi,why\nA,baseline,1,other\n"), "W208", "cohort.csv",
         "1 of 1 stopped patients have no stop day", {"columns": {"visit": "visit", "stop_reason": "why"}}),
    Case("stop date without another date", csv("patient,visit,easi,s\nA,baseline,1,01-02-2020\n"), "E212", "cohort.csv",
         "a stop date is mapped but no other",
         {"columns": {"visit": "visit", "stop_date": "s"}, "date_format": "dd-mm-yyyy"}),
    Case("no start of treatment", csv("patient,date,start,easi\nA,01-02-2020,01-02-2020,1\nB,01-02-2020,,2\n"), "E226",
         "cohort.csv row 3, column start", "no start",
         DATED | {"columns": {"date": "date", "start_date": "start"}}),
    Case("rescue", csv("patient,visit,easi,r\nA,baseline,1,9\nB,baseline,2,\n"), "W224", "cohort.csv",
         "1 patient of 2 had rescue", {"columns": {"visit": "visit", "rescue_day": "r"}}),
    Case("rescue before day 0", csv("patient,visit,easi,r\nA,baseline,1,-9\n"), "E274", "cohort.csv row 2",
         "before day 0", {"columns": {"visit": "visit", "rescue_day": "r"}}),
]  # fmt: skip

TWICE = HEAD + "A,baseline,10\nA,baseline,12\n"
WITH_DAYS = "patient,visit,day,easi\nA,baseline,0,10\nA,week 4,20,4\nA,week 4,30,5\n"
PLACING = [
    Case("exact duplicate", csv(FIRST + "A,baseline,10\n"), "E215", "cohort.csv rows 2 and 3", "two rows for"),
    Case("two values", csv(TWICE), "E215", "cohort.csv rows 2 and 3", "choose a rule under several"),
    Case("two values, the worst", csv(TWICE), "W203", "cohort.csv", r"a worse score counts for baseline \(row 2\)",
         {"several": "worst"}),
    Case("two values, the mean", csv(TWICE), "W232", "cohort.csv", "2 rows entered the mean", {"several": "mean"}),
    Case("two values, the nearest", csv(WITH_DAYS), "W203", "cohort.csv", r"nearer to week 4 \(row 3\)",
         LABELLED | {"several": "nearest"}),
    Case("two values, the last", csv(WITH_DAYS), "W203", "cohort.csv", r"a later day counts for week 4 \(row 3\)",
         LABELLED | {"several": "last"}),
    Case("a rule that needs days", csv(TWICE), "E106", "several", "nearest needs a day", {"several": "nearest"}),
    Case("a day missing that must decide", csv(WITH_DAYS.replace("20", "")), "E226", "cohort.csv row 3",
         "without a day by which the last", LABELLED | {"several": "last"}),
    Case("one day, two values", csv(WITH_DAYS.replace("20", "30")), "E215", "cohort.csv rows 3 and 4",
         "two easi on one day", LABELLED | {"several": "nearest"}),
    Case("two instruments in two rows", csv("patient,visit,easi,poem\nA,baseline,9,\nA,baseline,,20\n"), "W231",
         "cohort.csv", "2 rows gave different scores",
         {"columns": {"visit": "visit", "poem": "poem"}, "several": "worst"}),
    Case("patient twice in a wide file", csv("patient,e_baseline,e_week 4,e_week 12\nA,1,2,3\nA,1,2,3\n"), "E215",
         "cohort.csv rows 2 and 3", "one patient has two rows", {"columns": {"easi": "e_*"}}),
    Case("visit label unknown", csv(FIRST + "A,wek 4,1\nB,wek 4,2\n"), "E216", "cohort.csv rows 3 and 4, column visit",
         r"in 2 rows \(nearest: week 4\)"),
    Case("visit blank", csv(FIRST + "A,,1\n"), "E226", "cohort.csv row 3, column visit", "blank"),
    Case("week unknown", csv("patient,week,easi\nA,0,1\nA,5,2\n"), "E216", "cohort.csv row 3, column week", '"5"'),
    Case("unscheduled", csv(FIRST + "A,EXTRA,5\n"), "W233", "cohort.csv", r"1 unscheduled visit left out \(row 3\)",
         {"unscheduled": ["EXTRA"]}),
    Case("unscheduled, placed beside a visit", csv(WITH_DAYS.replace("week 4,20", "EXTRA,28")), "W203", "cohort.csv",
         "week 4 has a row of its own", LABELLED | {"unscheduled": ["EXTRA"], "windows": WINDOWS}),
    Case("date in no window", csv("patient,day,easi\nA,0,10\nA,50,4\n"), "W204", "cohort.csv", r"no window .*\(row 3\)",
         DAYS),
    Case("two dates in one window", csv("patient,day,easi\nA,0,10\nA,25,4\nA,30,4\n"), "W203", "cohort.csv",
         r"nearer to week 4 \(row 3\)", DAYS),
    Case("labelled outside its window", csv("patient,visit,day,easi\nA,baseline,0,9\nA,week 4,50,4\n"), "W205",
         "cohort.csv", "outside its window", LABELLED | {"windows": WINDOWS}),
    Case("scored row without a day", csv("patient,day,easi\nA,0,10\nA,,4\n"), "E226", "cohort.csv row 3, column day",
         "no day", DAYS),
    Case("visit before the baseline window", csv("patient,day,easi\nA,-9,11\nA,0,10\n"), "W223", "cohort.csv",
         r"before the baseline window \(day -7\) left out \(row 2\)", DAYS),
    Case("visit before baseline", csv("patient,visit,day,easi\nA,baseline,0,1\nA,week 4,-1,2\n"), "E220",
         "cohort.csv row 3", "not after baseline", LABELLED),
    Case("no baseline for one", csv(FIRST + "B,week 4,5\n"), "W202", "cohort.csv", r"1 patient .*left out \(row 3\)"),
    Case("no baseline at all", csv(HEAD + "A,week 4,5\n"), "E224", "cohort.csv", "no patient has easi at baseline"),
    Case("two baselines", csv(HEAD + "A,baseline,5\nA,baseline,\nA,baseline,6\n"), "E215", "cohort.csv rows 2 and 4",
         "two rows for one visit"),
    Case("a row without any score", csv(FIRST + "A,week 4,\n"), "F208", "cohort.csv", "1 row without any score"),
    Case("day 0 is the first date", date("01-02-2020"), "W212", "cohort.csv", "first date", DATED),
    Case("no date at baseline", csv("patient,visit,date,easi\nA,baseline,,9\nA,week 4,01-02-2020,4\n"), "W213",
         "cohort.csv", "1 patient without a baseline date",
         DATED | {"columns": {"visit": "visit", "date": "date"}, "windows": None}),
    Case("windows missing", date("01-02-2020"), "E212", "cohort.csv", "no windows", DATED | {"windows": None}),
    Case("a visit outside the schedule", csv("patient,e_baseline,e_week 4,e_week 12,e_52\nA,1,2,3,4\n"), "W207",
         "cohort.csv row 1, column e_52", '"52" is no planned visit', {"columns": {"easi": "e_*"}}),
    Case("an instrument not at every visit", csv("patient,e_baseline,e_week 4,e_week 12,p_baseline\nA,1,2,3,4\n"),
         "W211", "cohort.csv row 1", 'no column "p_week 4"', {"columns": {"easi": "e_*", "poem": "p_*"}}),
    Case("wide column missing", csv("patient,e_baseline,e_week 4\nA,1,2\n"), "E211", "cohort.csv row 1", '"e_week 12"',
         {"columns": {"easi": "e_*"}}),
]  # fmt: skip

CELLS = [
    *(
        Case(f"date {cell}", date(cell), code, "cohort.csv row 2, column date", message, DATED)
        for cell, code, message in (
            ("03/04/2024", "E218", "03/04/2024.*written dd-mm-yyyy"),
            ("01-02-24", "E218", "four digits"),
            ("44000", "E218", "day number"),
            ("02-2020", "E218", "02-2020"),
            ("2020", "E218", "2020"),
            ("30-02-2020", "E219", "does not exist"),
            ("29-02-2021", "E219", "does not exist"),
            ("05-13-2020", "E219", "mm-dd-yyyy"),
            ("01-02-2995", "E219", "future"),
            ("01-02-1820", "E219", "before 1900"),
        )
    ),
    *(
        Case(f"data cut {cut}", date("02-03-2020"), code, place, message, DATED | {"data_cut": cut})
        for cut, code, place, message in (
            ("2020-03-01", "E275", "cohort.csv row 2, column date", "after the data cut, 2020-03-01.*data_cut"),
            ("02-03-2020", "E105", "data_cut", "no day; write it yyyy-mm-dd"),
            ("2020-02-30", "E105", "data_cut", "no day; write it yyyy-mm-dd"),
            ("2995-01-01", "E105", "data_cut", "in the future"),
            ("2020; a; b", "E105", "data_cut", '"2020; a; b" is no day; write it yyyy-mm-dd'),
        )
    ),
    Case("dates without a format", date("03/04/2024"), "E104", "date_format", "two readings",
         {"columns": {"date": "date"}, "windows": WINDOWS}),
    Case("two-digit year in the format", date("01-02-20"), "E105", "date_format", "not a date format",
         DATED | {"date_format": "dd-mm-yy"}),
    *(
        Case(f"score {cell}", score(cell), code, "cohort.csv row 2, column easi", message)
        for cell, code, message in (
            ('"12,5"', "E207", 'set decimal: ","'),
            ("ND", "E207", 'add "ND" to missing_codes'),
            ("<2", "E207", "a limit is not a value"),
            ("10-12", "E207", "correct the cell"),
            ("50%", "E207", "without %"),
            ("#N/A", "E207", "formula"),
            ("=1+1", "E207", "=1"),
            ("=HYPERLINK(1)", "E207", "HYPERLINK"),
            ("{{7*7}}", "E207", "{{7"),
            ("inf", "E207", "not a number"),
            ("1e999", "E207", "infinite"),
            ("nan", "E207", "missing_codes"),
            ("1_0", "E207", "not a number"),
            ("１２", "E207", "not a number"),
            ("1\u202e2", "E207", r"\\u202e"),
            ("😀", "E207", "😀"),
            ("x" * 1_000_000, "E207", "x{40}…"),
            ("999", "E217", 'add "999" to missing_codes'),
            ("-9", "E217", 'add "-9" to missing_codes'),
            ("-99", "E217", "missing_codes"),
            ("-1", "E217", "EASI runs from 0 to 72"),
            ("72.1", "E217", "EASI runs from 0 to 72"),
        )
    ),
    Case("decimal point where a comma is declared", csv("patient;visit;easi\nA;baseline;1.5\n"), "E207",
         "cohort.csv row 2, column easi", 'set decimal: "."', {"decimal": ","}),
    Case("another instrument out of range", csv("patient,visit,easi,poem\nA,baseline,1,29\n"), "E217",
         "cohort.csv row 2, column poem", "0 to 28", {"columns": {"visit": "visit", "poem": "poem"}}),
    Case("off the grid", score("10.25"), "W201", "cohort.csv column easi", "1 score not a multiple"),
    Case("missing codes", csv(FIRST + "A,week 4,ND\n"), "F207", "cohort.csv column easi", "1 cell with a missing code",
         {"missing_codes": ["ND"]}),
    Case("baseline 0", csv(HEAD + "A,baseline,0\nB,baseline,4\n"), "W206", "cohort.csv",
         r"1 patient with the best possible score at baseline: no improvement is possible \(row 2\)"),
]  # fmt: skip

PART_COLUMNS = {"visit": "visit", **{role: role for role in EASI_PARTS}}
PART_HEAD = ",".join(["patient", "visit", *EASI_PARTS])
WHOLE = ",".join(["A,baseline", *(["2"] * 4), *(["1"] * 16)])
ADULT = {"columns": PART_COLUMNS, "age_group": "adult"}


def parts(*lines: str, head: str = PART_HEAD) -> dict[str, Content]:
    """A file with the parts of the EASI."""
    return csv("\n".join([head, *lines, ""]))


COMPUTED = [
    Case("EASI from its parts", parts(WHOLE), "F227", "cohort.csv", "1 score of the EASI computed", ADULT),
    Case("a part out of range", parts(WHOLE[:-1] + "4"), "E217",
         "cohort.csv row 2, column easi_lower_limbs_lichenification", "runs from 0 to 3", ADULT),
    Case("a part missing", parts(WHOLE, WHOLE.replace("baseline", "week 4")[:-1]), "W227", "cohort.csv",
         r"some parts of the EASI but not all: none computed \(row 3\)", ADULT),
    Case("a total that is not the sum", parts(WHOLE + ",9.9", head=PART_HEAD + ",total"), "W226",
         "cohort.csv column total", r"1 recorded score .* by up to 1.9; the recorded one is used \(row 2\)",
         ADULT | {"columns": PART_COLUMNS | {"easi": "total"}}),
    Case("no age for the weights", parts(WHOLE), "E104", "age_group", "map age", {"columns": PART_COLUMNS}),
    Case("an age missing", parts(WHOLE + ",", head=PART_HEAD + ",age"), "E272", "cohort.csv row 2", "weigh otherwise",
         {"columns": PART_COLUMNS | {"age": "age"}}),
    Case("a part not mapped", csv(FIRST), "E104", r"columns\.easi_upper_limbs_area", "computed from its parts",
         {"columns": {"visit": "visit", "easi_head_area": "easi"}, "age_group": "child"}),
    Case("SCORAD B too high", csv("patient,visit,a,b,c\nA,baseline,40,19,12\n"), "E217", "cohort.csv row 2, column b",
         "from 0 to 18", {"outcome": "scorad", "columns": {"visit": "visit", "scorad_a": "a", "scorad_b": "b",
                                                           "scorad_c": "c"}}),
]  # fmt: skip

EASI = HEAD + "A,baseline,20\nA,week 4,9\nB,baseline,12\n"
PEOPLE = {"patient_data": "people.csv", "columns": {"visit": "visit", "age": "age"}}
EVENT = {"event_data": "ae.csv", "columns": {"visit": "visit", "event_day": "day", "event_serious": "serious"}}
EVENT_HEAD = "patient,event,day,serious\n"


def with_people(rows: str, head: str = "patient,age\n", easi: str = EASI) -> dict[str, Content]:
    """Visits, and a file with a row per patient."""
    return {"easi.csv": easi, "people.csv": head + rows}


def with_events(rows: str) -> dict[str, Content]:
    """Visits, and a file of adverse events."""
    return {"easi.csv": EASI + "C,week 4,3\n", "ae.csv": EVENT_HEAD + rows}


JOINED = [
    Case("patient in the visits only", with_people("A,30\n"), "W225", "easi.csv", r"1 patient .*people.csv \(row 4\)",
         PEOPLE),
    Case("patient in the other file only", with_people("A,30\nB,31\nZ,9\n"), "W225", "people.csv",
         r"1 patient with no row in easi.csv \(row 4\)", PEOPLE),
    Case("patient twice in the patients' file", with_people("A,30\nA,30\nB,31\n"), "E271", "people.csv rows 2 and 3",
         "keep one of them", PEOPLE),
    Case("blank patients match nothing", with_people("A,30\n,31\n"), "E213", "people.csv row 3, column patient",
         "blank", PEOPLE),
    Case("alike in two files", with_people("a,30\nB,31\n"), "E214", "easi.csv row 2, column patient",
         r'"A" and "a" \(people.csv row 2\)', PEOPLE),
    Case("column in two files", with_people("A,30\n", easi="patient,visit,easi,age\nA,baseline,1,30\n"), "E270",
         "easi.csv", 'columns.age: "easi.csv:age"', PEOPLE),
    Case("no patient in the further file", with_people("A,30\n", head="id,age\n"), "E211", "people.csv row 1",
         '"patient"', PEOPLE),
    Case("a fault in the further file", with_people("A,old\n"), "E207", "people.csv row 2, column age", "old", PEOPLE),
    Case("the further file is missing", {"easi.csv": EASI}, "E201", "people.csv", "no such file", PEOPLE),
    Case("dates that nothing starts",
         {"easi.csv": EASI, "itch.csv": "patient,visit,date,itch\nA,baseline,01-02-2020,3\n"},
         "E212", "itch.csv", "map start_date",
         {"visit_data": ["itch.csv"], "columns": {"visit": "visit", "date": "date", "itch_nrs": "itch"},
          "date_format": "dd-mm-yyyy"}),
    Case("event of an unknown patient", with_events("Z,acne,3,no\n"), "W228", "ae.csv", r"not have left out \(row 2\)",
         EVENT),
    Case("event of a patient not analysed", with_events("C,acne,3,no\n"), "W229", "ae.csv", r"\(row 2\)", EVENT),
    Case("event before day 0", with_events("A,acne,-3,no\n"), "W238", "ae.csv", "before day 0 left out", EVENT),
    Case("event without a day", with_events("A,acne,,no\n"), "W230", "ae.csv", "without a day", EVENT),
    Case("event without a name", with_events("A,,3,no\n"), "E273", "ae.csv row 2, column event", "without a", EVENT),
    Case("event twice", with_events("A,acne,3,no\nA,acne,3,no\n"), "W236", "ae.csv", r"alike .*\(row 3\)", EVENT),
    Case("event perhaps serious", with_events("A,acne,3,?\n"), "E222", "ae.csv row 2, column serious", "yes or", EVENT),
    Case("nothing tells what is serious", with_events("A,acne,3,no\n"), "W237", "ae.csv", "none is counted as serious",
         EVENT | {"columns": {"visit": "visit", "event_day": "day"}}),
]  # fmt: skip

MANY = "".join(f"P{n},{visit},{10 + n % 7}\n" for n in range(9) for visit in ("baseline", "week 4"))
FLAT = "".join(f"P{n},{visit},7\n" for n in range(9) for visit in VISITS)
MODELS = [
    Case("one patient", csv(FIRST + "A,week 4,5\nA,week 12,3\n"), "not started", "model", "3 observations for 3",
         problems=of_a_model),
    Case("one visit", csv(HEAD + "A,baseline,1\nB,baseline,4\nC,baseline,6\n"), "E320", "column visit", "one visit",
         problems=of_a_model),
    Case("no variance", csv(HEAD + FLAT), "not started",
         "model", "constant", problems=of_a_model),
    Case("a visit seen in two patients", csv(HEAD + MANY + "P0,week 12,3\nP1,week 12,9\n"), "singular", "model",
         "too few patients", problems=of_a_model),
]  # fmt: skip

BUILT_IN = "study: x\ntitle: t\ndata: baricitinib\ndecision_week: 12\nestimand: composite\nseed: 1\n"
FILE = BUILT_IN.replace("baricitinib", "cohort.csv") + (
    "columns:\n  patient: id\n  visit: visit\nvisits:\n  '0': 0\n  '4': 4\n  '12': 12\n"
)
IN_WINDOWS = FILE.replace("visit: visit", "day: day") + "windows:\n  '0': [-7, 3]\n  '4': [14, 42]\n  '12': [56, 112]\n"


def yml(name: str, text: str, code: str, place: str, message: str) -> Case:
    """A case of a parameter file."""
    return Case(name, {"x.yml": text}, code, place, message, problems=of_parameters)


PARAMETERS = [
    Case("parameter file missing", {}, "E101", r"x\.yml", "No such file", problems=of_parameters),
    yml("parameter file empty", "", "E102", r"x\.yml", "empty"),
    yml("a list at the top", "- study: x\n", "E102", r"x\.yml line 1", "list"),
    yml("bad syntax", BUILT_IN + "style: {a: 1\n", "E102", r"x\.yml line \d+", "."),
    yml("duplicate key", BUILT_IN + "seed: 2\n", "E102", r"x\.yml line 7.*", "twice|duplicate|already"),
    yml("unknown key", BUILT_IN + "covarance: us\n", "E103", r"x\.yml line 7, key covarance", "covariance"),
    yml("a list where text belongs", BUILT_IN.replace("title: t", "title: [t]"), "E105", r"x\.yml line 2, key title",
        "not text"),
    yml("75 for 0.75", BUILT_IN + "level: 95\n", "E105", r"x\.yml line 7, key level", "0.95 for 95 %"),
    yml("alpha 5", BUILT_IN + "level: 0.05\n", "E105", r"x\.yml line 7, key level", "greater than 0.5"),
    yml("overlapping windows", IN_WINDOWS.replace("[14, 42]", "[14, 60]"), "E106", r"x\.yml line \d+, key windows\.12",
        "overlaps"),
    yml("a window for no visit", IN_WINDOWS + "  '24': [150, 170]\n", "E106", r"x\.yml line \d+, key windows\.24",
        "no such visit"),
    yml("an output name outside the folder", BUILT_IN.replace("study: x", "study: ../../x"), "E105",
        r"x\.yml line 1, key study", "cannot be used"),
    yml("no estimand", BUILT_IN.replace("estimand: composite\n", ""), "E104", r"x\.yml line 5, key estimand", "requi"),
    yml("no seed", BUILT_IN.replace("seed: 1\n", ""), "E104", r"x\.yml line \d+, key seed", "required"),
    yml("a rule that does not exist", FILE + "several: best\n", "E105", r"x\.yml line 14, key several", "worst"),
    yml("a rule that needs days", FILE + "several: last\n", "E106", r"x\.yml line \d+, key several", "needs a day"),
    yml("unscheduled, yet planned", FILE + "unscheduled: ['4']\n", "E106", r"x\.yml line \d+, key unscheduled", "too"),
    yml("age group without parts", FILE + "age_group: child\n", "E106", r"x\.yml line \d+, key age_group", "no part"),
    yml("one part of twenty", FILE.replace("visit: visit", "visit: visit\n  easi_head_area: A") + "age_group: child\n",
        "E104", r"x\.yml line \d+, key columns\.easi_upper_limbs_area", "not mapped: easi_upper_limbs_area, easi"),
    yml("a list for a score", FILE.replace("visit: visit", "visit: visit\n  easi: [a, b]"), "E105",
        r"x\.yml line 10, key columns\.easi", "2 columns"),
    yml("a number for a column", FILE.replace("visit: visit", "visit: {a: b}"), "E105",
        r"x\.yml line 9, key columns\.visit", "names no column"),
    yml("files of a built-in cohort", BUILT_IN + "patient_data: p.csv\n", "E106", r"x\.yml line 7, key patient_data",
        "built-in"),
    yml("several rows of a built-in cohort", BUILT_IN + "several: worst\n", "E106", r"x\.yml line 7, key several",
        "built-in"),
]  # fmt: skip

CASES = [*FILES, *PATIENTS, *PLACING, *CELLS, *COMPUTED, *JOINED, *MODELS, *PARAMETERS]
