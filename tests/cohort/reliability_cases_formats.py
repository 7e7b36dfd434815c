"""Cases of formats other than plain text, of the exports of systems, and of what guards a file before it is read."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyreadstat
from pyarrow import parquet
from reliability_cases import FIRST, HEAD, Case, Content, csv

ROWS: list[list[Any]] = [
    ["patient", "visit", "easi"],
    ["A", "baseline", 10],
    ["A", "week 4", 4.5],
    ["B", "baseline", 20],
]
FRAME = pd.DataFrame(ROWS[1:], columns=ROWS[0])


def book(
    *cells: tuple[str, Any], rows: list[list[Any]] = ROWS, then: Callable[[Any], object] = lambda book: None
) -> dict[str, Content]:
    """A workbook with these rows, some cells replaced, and whatever else is done to it."""

    def write(path: Path) -> None:
        made = openpyxl.Workbook()
        for row in rows:
            made.active.append(row)
        for place, value in cells:
            made.active[place] = value
        then(made)
        made.save(path)

    return {"cohort.xlsx": write}


def merged(place: str) -> dict[str, Content]:
    return book(then=lambda made: made.active.merge_cells(place))


def hidden(made: Any) -> None:
    made.active.row_dimensions[3].hidden = True


def of_statistics(
    name: str, write: Callable[..., Any], frame: pd.DataFrame = FRAME, **options: Any
) -> dict[str, Content]:
    """A file of SPSS, SAS or Stata."""
    return {name: lambda path: write(frame, str(path), **options)}


def two_members(path: Path) -> None:
    """A transport file whose one dataset is there twice, as where two are exported at once."""
    pyreadstat.write_xport(FRAME, str(path), file_format_version=5)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[whole.index(b"HEADER RECORD*******MEMBER") :])


def of_parquet(table: Any) -> dict[str, Content]:
    return {"cohort.parquet": lambda path: parquet.write_table(table, path)}


PROTECTED = b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le")
WORKBOOKS = [
    Case("merged cells", merged("C2:C3"), "E249", r"cohort.xlsx row 2, column easi \(cell C2\)", "C2:C3 are merged"),
    Case("merged column names", merged("C1:D1"), "E249", "cohort.xlsx row 1", "merged; unmerge"),
    Case("formula without a result", book(("C3", "=1+1")), "E250", r"cohort.xlsx row 3, column easi \(cell C3\)", "."),
    Case("error of a formula", book(("C3", "#N/A")), "E251", r"cohort.xlsx row 3, column easi \(cell C3\)", "#N/A"),
    Case("several sheets", book(then=lambda made: made.create_sheet("More").append(["x"])), "E248", "cohort.xlsx",
         '"Sheet", "More"; set sheet: Sheet, or another'),
    Case("a sheet that is not there", book(), "E248", "cohort.xlsx", "did you mean \"Sheet\"", {"sheet": "Sheets"}),
    Case("no cell at all", book(rows=[]), "E202", "cohort.xlsx", "no visible sheet holds a cell"),
    Case("only column names", book(rows=ROWS[:1]), "E202", "cohort.xlsx", "no data row"),
    Case("column names in another row", book(rows=[["Study of eczema"], *ROWS]), "F223", "cohort.xlsx", "1 row above",
         {"header_row": 2}),
    Case("a hidden row", book(then=hidden), "W220", "cohort.xlsx", r"1 hidden row read too \(row 3\)"),
    Case("text in a column of numbers", book(("C3", "x")), "E207", r"cohort.xlsx row 3, column easi \(cell C3\)", "x"),
    Case("cells that stretch too far", book(("XFD1048576", 1)), "E244", "cohort.xlsx.*", "."),
    Case("the same column name twice", book(("B1", "easi")), "E210", "cohort.xlsx row 1", "both named"),
    Case("an option of text for a workbook", book(), "E106", "delimiter", "workbook has none", {"delimiter": ";"}),
    Case("a workbook called CSV", {"cohort.csv": book()["cohort.xlsx"]}, "E203", "cohort.csv", "this is an Excel"),
    Case("text called a workbook", {"cohort.xlsx": FIRST}, "E203", "cohort.xlsx", "set format: csv"),
    Case("a protected workbook", {"cohort.xlsx": PROTECTED}, "E245", "cohort.xlsx", "without a password"),
]  # fmt: skip

NINE_THIRTY = datetime.datetime(2024, 1, 1, 9, 30)
STATISTICS = [
    Case("SPSS user-missing", of_statistics("cohort.sav", pyreadstat.write_sav, FRAME.assign(easi=[10, -99, 20.0]),
                                            missing_ranges={"easi": [-99]}), "F208", "cohort.sav", "1 row without"),
    Case("SPSS user-missing of a date",
         of_statistics("cohort.sav", pyreadstat.write_sav, FRAME.assign(day=[datetime.date(2024, 1, 1)] * 3),
                       missing_ranges={"day": [{"lo": 1, "hi": 2}]}),
         "W221", "cohort.sav column day", "are read as dates", {"columns": {"visit": "visit", "start_date": "day"}}),
    Case("SPSS code without a label in an allowed list",
         of_statistics("cohort.sav", pyreadstat.write_sav, FRAME.assign(why=[1.0, 1.0, 9.0]),
                       variable_value_labels={"why": {1.0: "inefficacy"}}),
         "E222", "cohort.sav row 3, column why", '"9"', {"columns": {"visit": "visit", "stop_reason": "why"}}),
    Case("Stata single precision",
         {"cohort.dta": FRAME.assign(easi=np.array([10.1, 4.5, 20.2], np.float32)).to_stata},
         "F222", "cohort.dta column easi", "2 numbers of single precision"),
    Case("a time of day beside a date",
         of_statistics("cohort.sav", pyreadstat.write_sav, FRAME.assign(start=[NINE_THIRTY] * 3)),
         "F220", "cohort.sav column start", "3 ", {"columns": {"visit": "visit", "start_date": "start"}}),
    Case("a transport file of two datasets", {"cohort.xpt": two_members}, "E253", "cohort.xpt", "2 datasets"),
    Case("a nested column of Parquet", of_parquet(pa.table({**FRAME.to_dict("list"), "easi": [[1.0], [2.0], [3.0]]})),
         "E252", "cohort.parquet column easi", "holds no single values"),
    Case("Parquet without a record", of_parquet(pa.table({"patient": pa.array([], pa.string())})), "E202",
         "cohort.parquet", "no record"),
]  # fmt: skip

REDCAP = (
    "record_id,redcap_event_name,easi,prior___1\n1,baseline_arm_1,12,1\n1,week_4_arm_1,3,0\n2,baseline_arm_1,20,0\n"
)
OF_REDCAP = {"format": "redcap", "visits": {"baseline_arm_1": 0, "week_4_arm_1": 4}}
REPEATS = "record_id,redcap_repeat_instance,easi\n1,1,12\n1,2,3\n1,2,4\n"
CASTOR = "Participant Id;Participant Status;easi_0;easi_4\n110001;Not Set;12,5;-97\n110002;Not Set;8;3\n"
OF_CASTOR = {"format": "castor", "decimal": ",", "visits": {"0": 0, "4": 4}, "columns": {"easi": "easi_*"}}
ADAM_HEAD = "USUBJID,PARAMCD,AVISIT,AVAL,BASE,CHG,ADY,ABLFL,ANL01FL,DTYPE\n"
ADAM = (
    ADAM_HEAD + "S1,EASI,Baseline,20,20,0,1,Y,Y,\nS1,EASI,Week 4,9,20,-11,29,,Y,\nS1,EASI,Week 4,9,20,-11,29,,Y,LOCF\n"
)
LATER = "9,20,-11,29,,Y,\n"
OF_ADAM = {"format": "adam", "columns": {"easi": "EASI"}, "visits": {"Baseline": 0, "Week 4": 4}}
SYSTEMS = [
    Case("REDCap checkboxes", csv(REDCAP), "F229", "cohort.csv column prior___1", "3 rows is ticked",
         OF_REDCAP | {"columns": {"ciclosporin": "prior___1"}}),
    Case("REDCap events outside the schedule", csv(REDCAP.replace("week_4", "week_5")), "E216",
         "cohort.csv row 3, column redcap_event_name", "week_5_arm_1", OF_REDCAP),
    Case("REDCap repeats twice", csv(REPEATS), "E215", "cohort.csv rows 3 and 4", "two rows for one visit",
         {"format": "redcap", "visits": {"1": 0, "2": 4}}),
    Case("Castor -95 to -99", csv(CASTOR), "F207", "cohort.csv column easi_4", "1 cell with a missing", OF_CASTOR),
    Case("Castor beyond its codes", csv(CASTOR.replace("-97", "-94")), "E217", "cohort.csv row 2, column easi_4", "-94",
         OF_CASTOR),
    Case("ADaM DTYPE", csv(ADAM), "W234", "cohort.csv", r"1 record left out: DTYPE LOCF \(row 4\)", OF_ADAM),
    Case("ADaM ANL01FL", csv(ADAM.replace("29,,Y,LOCF", "29,,,")), "W234", "cohort.csv", "ANL01FL is not Y", OF_ADAM),
    Case("ADaM ABLFL", csv(ADAM + "S1,EASI,Baseline,19,20,-1,-3,,Y,\n"), "W234", "cohort.csv", "ABLFL Y", OF_ADAM),
    Case("ADaM study days", csv(ADAM), "F230", "cohort.csv", "day 1, the start of treatment, is day 0",
         OF_ADAM | {"columns": {"easi": "EASI", "day": "ADY"}}),
    Case("ADaM day 0", csv(ADAM.replace("20,0,1,", "20,0,0,")), "E264", "cohort.csv row 2, column ADY", "cannot be 0",
         OF_ADAM | {"columns": {"easi": "EASI", "day": "ADY"}}),
    Case("ADaM BASE", csv(ADAM.replace(LATER, "9,21,-12,29,,Y,\n")), "E264", "cohort.csv row 3, column BASE",
         "21 is not the 20", OF_ADAM),
    Case("ADaM CHG", csv(ADAM.replace(LATER, "9,20,-10,29,,Y,\n")), "E264", "cohort.csv row 3, column CHG",
         "-10 is not AVAL 9 minus BASE 20", OF_ADAM),
    Case("ADaM CHG that is no number", csv(ADAM.replace(LATER, "9,20,ND,29,,Y,\n")), "W239",
         "cohort.csv column CHG", r"1 cell not compared .*\(row 3\)", OF_ADAM),
    Case("ADaM of another kind", csv("USUBJID,EASI\nS1,3\n"), "E263", "cohort.csv", "AVAL and PARAMCD", OF_ADAM),
    Case("ADaM without the parameter", csv(ADAM), "E211", "cohort.csv", 'there is "EASI"',
         OF_ADAM | {"columns": {"easi": "E"}}),
    Case("a format that is none", csv(FIRST), "E105", "format", "choose one of", {"format": "exel"}),
]  # fmt: skip

GUARDS = [
    Case("a folder", {"cohort.csv": Path.mkdir}, "E241", "cohort.csv", "."),
    Case("a line that says the separator", csv("sep=;\n" + FIRST.replace(",", ";")), "F221", "cohort.csv", "sep=;"),
    Case("a line that says another separator", csv("sep=;\n" + FIRST), "E209", "cohort.csv", "first line says",
         {"delimiter": ","}),
    Case("row names of R", csv("," + HEAD + "1,A,baseline,10\n"), "F231", "cohort.csv row 1", "R writes row names"),
    Case("rows selected", csv(FIRST + "B,baseline,3\n"), "W235", "cohort.csv", '1 row left out, only "A"',
         {"only": {"patient": ["A"]}}),
    Case("no row of the selection", csv(FIRST), "E265", "cohort.csv", 'no row has "Z" in column patient',
         {"only": {"patient": ["Z"]}}),
    Case("a selection by a column that is not there", csv(FIRST), "E211", "cohort.csv", 'no column "set"',
         {"only": {"set": ["Y"]}}),
]  # fmt: skip

CASES = [*WORKBOOKS, *STATISTICS, *SYSTEMS, *GUARDS]
