"""A report checks itself: whole tables pass, and every check has a table that fails it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from fake_chapters import write_chapter
from scipy.stats import t

from easitrace.errors import CODES, NotEstimableError
from easitrace.report.execute import Ran
from easitrace.report.kernels import Kernels
from easitrace.report.render import Study
from easitrace.report.run import Request, run_report
from easitrace.report.selfcheck import CHECKS, Report, Verdict, check, keep, read_report

COURSE = pd.DataFrame(
    {
        "visit": ["baseline", "week 4"],
        "n": [19, 17],
        "missing": [0, 2],
        "median": [14.2, 6.1],
        "q1": [9.0, 4.4],
        "q3": [21.5, 11.0],
        "minimum": [4.0, 1.2],
        "maximum": [40.1, 22.0],
    }
)
PAIRED = pd.DataFrame(
    {
        "name": ["week 4 v baseline"],
        "n_pairs": [17],
        "shift": [-6.4],
        "lower": [-9.1],
        "upper": [-2.2],
        "achieved": [0.953],
        "p": [0.0041],
    }
)
CONTRASTS = pd.DataFrame(
    {
        "name": ["week 4 v baseline"],
        "estimate": [-38.2],
        "lower": [-52.0],
        "upper": [-11.9],
        "statistic": [-2.9],
        "df": [16.3],
        "p": [2 * t.sf(2.9, 16.3)],
    }
)
CLASSES = pd.DataFrame(
    {
        "denominator": ["patients", "patients", "classified"],
        "class": ["responder", "non-responder", "responder"],
        "count": [8, 11, 8],
        "n": [19, 19, 8],
        "proportion": [8 / 19, 11 / 19, 1.0],
        "lower": [0.231, 0.36, 0.676],
        "upper": [0.637, 0.77, 1.0],
    }
)
ESTIMANDS = pd.DataFrame(
    {"estimand": ["composite"] * 2, "missing": ["nri", "mi"], "n": [18, 19], "left_out": [1, 0], "share": [7 / 18, 0.4]}
)
WHOLE = Report(
    numbers={
        "00_summary": {"level": 0.95, "median_week_4": 6.1, "outcome": "EASI"},
        "01_cohort": {"n_patients": 19, "n_seen_baseline": 19, "n_seen_week_4": 17, "n_in_follow_up_week_4": 2},
        "02_course": {"n_week_4": 17, "median_week_4": 6.1, "p_week_4_v_baseline": 0.0041},
    },
    tables={
        "02_course_course": COURSE,
        "02_course_paired": PAIRED,
        "03_trajectory_contrasts": CONTRASTS,
        "04_response_classes": CLASSES,
        "08_sensitivity_estimands": ESTIMANDS,
    },
    texts={"00_summary": "Of them 8/19 (42%) responded (P = .004); 7/18 (38.9%) and P < .001 elsewhere."},
)
Mutation = Callable[[Report], Report]


def cell(table: str, column: str, value: float, row: int = 0) -> Mutation:
    def change(report: Report) -> Report:
        changed = report.tables[table].astype({column: float})
        changed.loc[row, column] = value
        return replace(report, tables={**report.tables, table: changed})

    return change


def number(chapter: str, name: str, value: float) -> Mutation:
    return lambda report: replace(report, numbers={**report.numbers, chapter: {**report.numbers[chapter], name: value}})


def text(old: str, new: str) -> Mutation:
    return lambda report: replace(report, texts={"00_summary": report.texts["00_summary"].replace(old, new)})


CASES: list[tuple[str, Mutation, str]] = [
    ("Quartiles", cell("02_course_course", "q1", 6.2, 1), "median 6.1"),
    ("Quartiles", cell("02_course_course", "maximum", 21.4), "median 14.2"),
    ("Intervals", cell("02_course_paired", "shift", -9.2), "shift -9.2 not within -9.1 to -2.2"),
    ("Percentages", cell("04_response_classes", "proportion", 0.42), "8 of 19 is not 0.42"),
    ("Percentages", cell("04_response_classes", "count", 9), "9 of 19 is not 0.421053"),
    ("Percentages", cell("08_sensitivity_estimands", "share", 0.4), "0.4 is no count of 18"),
    ("Bounds", number("02_course", "p_week_4_v_baseline", 1.2), "P is 1.2"),
    ("Bounds", cell("04_response_classes", "proportion", 20 / 19), "proportion is 1.05263"),
    ("Sums", cell("02_course_course", "missing", 1, 1), "n + missing is 18, not 19"),
    ("Sums", cell("04_response_classes", "count", 10, 1), "count is 18, not 19"),
    ("Sums", number("01_cohort", "n_in_follow_up_week_4", 1), "18 patients in all states at week_4, not 19"),
    ("Patients", cell("02_course_paired", "n_pairs", 20), "n_pairs is 20 of 19 patients"),
    ("P and statistic", cell("03_trajectory_contrasts", "p", 0.02), "P 0.02, by its statistic 0.01029"),
    ("P and interval", cell("03_trajectory_contrasts", "upper", 3.0), "beside the interval -52 to 3"),
    ("P and interval", cell("02_course_paired", "p", 0.11), "P 0.11 beside the interval -9.1 to -2.2"),
    ("Sentences", number("02_course", "n_week_4", 16), "n_week_4 is 16, in 02_course_course.csv 17"),
    ("First page", number("00_summary", "median_week_4", 6.2), "6.2 here, 6.1 in its chapter"),
    ("Printed percentages", text("(42%)", "(43%)"), "8/19 is printed as 43%"),
    ("Printed percentages", text("7/18 (38.9%)", "7/18 (38,8%)"), "7/18 is printed as 38.8%"),
    ("Printed P", text("P = .004", "P = .000"), "P is printed as .000"),
]


def test_a_whole_report_passes_every_check() -> None:
    verdict = check(WHOLE)
    assert verdict.failed == () and verdict.checks == len(CHECKS) and verdict.numbers > 40
    assert str(verdict) == f"{len(CHECKS)} checks on {verdict.numbers} numbers, all passed"


def test_every_check_looks_at_something_here_and_has_a_case_that_fails_it() -> None:
    assert [one.name for one in CHECKS if not list(one.look(WHOLE))] == []
    assert {name for name, _, _ in CASES} == {one.name for one in CHECKS}


@pytest.mark.parametrize(("name", "mutation", "wrong"), CASES, ids=[f"{name}: {wrong}" for name, _, wrong in CASES])
def test_a_mutated_number_is_found(name: str, mutation: Mutation, wrong: str) -> None:
    found = [str(problem) for problem in check(mutation(WHOLE)).failed]
    assert any(problem.split(": ")[1] == name for problem in found), found
    assert any(wrong in problem for problem in found), found


def test_the_place_of_a_wrong_number_is_its_row_in_the_file() -> None:
    (problem,) = check(cell("02_course_course", "q1", 6.2, 1)(WHOLE)).failed
    assert problem.where == "02_course_course.csv, row 3" and problem.code in CODES


def test_missing_tables_numbers_and_cells_are_no_failures() -> None:
    assert check(Report({}, {}, {})) == Verdict(len(CHECKS), 0)
    masked = COURSE.astype({"n": object})
    masked.loc[1, "n"] = "< 5"
    assert check(replace(WHOLE, tables={"02_course_course": masked})).failed == ()


def test_the_verdict_is_kept_with_the_results(tmp_path: Path) -> None:
    chapter = {"title": "x", "status": "complete", "numbers": {"n_patients": 19}, "tables": [], "figures": []}
    (tmp_path / "results.json").write_text(json.dumps({"01_cohort": chapter}))
    (tmp_path / "tables").mkdir()
    COURSE.assign(n=[19, 18]).to_csv(tmp_path / "tables" / "02_course_course.csv", index=False)
    verdict = check(read_report(tmp_path, [ran("<p>3/4 (75%) <svg>9/4 (1%)</svg> &lt;5/7 (1%)</p>")]))
    keep(tmp_path, verdict)
    kept = json.loads((tmp_path / "results.json").read_text())["selfcheck"]
    assert kept["numbers"] == {"n_checks": len(CHECKS), "n_numbers": verdict.numbers, "n_failed": 2}
    assert "n + missing is 20, not 19" in kept["failed"][0] and "FAILED" in str(verdict)
    with pytest.raises(NotEstimableError, match="E407"):
        verdict.insist()


def ran(markup: str) -> Ran:
    cells = [nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("display_data", {"text/html": markup})])]
    return Ran("00_summary", nbformat.v4.new_notebook(cells=cells), {}, 0.0)


@pytest.mark.parametrize("share", [0.4, 0.5])
def test_a_report_that_contradicts_itself_is_written_says_so_and_fails(tmp_path: Path, share: float) -> None:
    cells = [
        "import pandas as pd\nfrom great_tables import GT",
        f"data = pd.DataFrame({{'n': [4], 'proportion': [{share}]}})",
        "chapter.table(GT(data), data, name='a', caption='A')",
    ]
    write_chapter(tmp_path / "notebooks", "01_a", cells)
    request = Request(Study("s", "T"), lambda names: {}, tmp_path / "notebooks", tmp_path / "reports", workers=1)
    with Kernels() as kernels:
        if share == 0.4:
            with pytest.raises(NotEstimableError, match=r"E407 01_a_a\.csv, row 2: Percentages: 2 of 4 is not 0\.4"):
                run_report(request, kernels)
        else:
            run_report(request, kernels)
    page = (tmp_path / "reports" / "s" / "report.html").read_text(encoding="utf-8")
    assert ("FAILED" in page) == (share == 0.4) and "Self-check" in page


def test_tables_are_read_with_their_labels_as_text(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("{}")
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "02_course_course.csv").write_text("visit,arm,n\n04,01,3\nNA,None,\n")
    table: Any = read_report(tmp_path, []).tables["02_course_course"]
    assert table["visit"].tolist() == ["04", "NA"] and table["arm"].tolist() == ["01", "None"]
    assert table["n"].tolist()[0] == 3 and table["n"].isna().tolist() == [False, True]


def test_arms_called_by_a_number_are_checked_too(tmp_path: Path) -> None:
    numbers = {"n_patients": 20, "n_patients_01": 9, "n_patients_02": 11}
    (tmp_path / "results.json").write_text(json.dumps({"01_cohort": {"status": "complete", "numbers": numbers}}))
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "02_course_course.csv").write_text("arm,visit,n,missing\n01,a,9,1\n02,a,11,0\n")
    (problem,) = check(read_report(tmp_path, [])).failed
    assert problem.where == "02_course_course.csv, row 2" and problem.what == "Sums: n + missing is 10, not 9"
