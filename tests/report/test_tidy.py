"""Tidy tables read back: an arm called 1 or NA is a word in every table, whatever else stands in its column."""

from pathlib import Path

import pandas as pd

from easitrace.report.disclosure.profiles import Interval, profile_named
from easitrace.report.disclosure.sheets import shared_sheets
from easitrace.report.tidy import read_tidy


def test_labels_are_words_and_only_empty_cells_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("arm,reference,visit,level,n\n01,0,NA,1.0,7\nNone,0,04,,\n", encoding="utf-8")
    table = read_tidy(path)
    assert table["arm"].tolist() == ["01", "None"] and table["reference"].tolist() == ["0", "0"]
    assert table["visit"].tolist() == ["NA", "04"] and table["level"].fillna("").tolist() == ["1.0", ""]
    assert table["n"].isna().tolist() == [False, True]


def test_arms_called_by_numbers_are_the_same_arms_in_all_tables(tmp_path: Path) -> None:
    """The baseline table has a row of all patients too, so that its column of arms is read as words in any case."""
    sizes = {"0": 61, "1": 58}
    people = [{"arm": arm, "variable": "age", "level": "", "n": n, "missing": 0} for arm, n in sizes.items()]
    people.append({"arm": "All", "variable": "age", "level": "", "n": 119, "missing": 0})
    course = [{"arm": arm, "visit": "week 4", "week": 4, "n": n - 9, "missing": 9} for arm, n in sizes.items()]
    numbers = {"median": 8.0, "q1": 4.0, "q3": 12.0}
    pd.DataFrame([{**row, "count": None} for row in people]).to_csv(tmp_path / "01_cohort_baseline.csv", index=False)
    pd.DataFrame([row | numbers for row in course]).to_csv(tmp_path / "02_course_course.csv", index=False)
    sheets = shared_sheets(tmp_path, profile_named("share-5"), Interval())
    told = sheets.tables["02_course_course"]
    assert sheets.patients == 120
    assert told["arm"].tolist() == ["0", "1"]
    assert told["n"].tolist() == [50, 50] and told["missing"].tolist() == [10, 10]
