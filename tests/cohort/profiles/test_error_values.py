"""An error value of a workbook stays an error in what a profile prepares, and never becomes a missing value."""

from pathlib import Path

import openpyxl
import pytest

from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError

REDCAP = [
    ["record_id", "redcap_event_name", "easi", "prior___1", "remark"],
    ["1", "baseline_arm_1", 12, 1, "#N/A"],
    ["1", "week_4_arm_1", 3, 0, ""],
    ["2", "baseline_arm_1", 20, 0, ""],
]
CASTOR = [
    ["Participant Id", "Participant Status", "easi_0", "easi_4", "sex", "remark"],
    ["110001", "Not Set", 12.5, -97, "V", "#N/A"],
    ["110002", "Not Set", 8, 3, "##USER_MISSING_96##", ""],
]
STUDIES = {
    "redcap": (REDCAP, {"easi": "easi", "ciclosporin": "prior___1"}, {"baseline_arm_1": 0, "week_4_arm_1": 4}),
    "castor": (CASTOR, {"easi": "easi_*", "sex": "sex"}, {"0": 0, "4": 4}),
}


def workbook(path: Path, system: str, cell: str | None = None) -> Path:
    book = openpyxl.Workbook()
    for line in STUDIES[system][0]:
        book.active.append(line)
    if cell:
        book.active[cell] = "#N/A"
    book.save(path / "study.xlsx")
    return path / "study.xlsx"


@pytest.mark.parametrize("system", STUDIES)
def test_one_in_a_column_that_is_not_read_does_no_harm(system: str, tmp_path: Path) -> None:
    _, columns, visits = STUDIES[system]
    cohort = read_cohort(workbook(tmp_path, system), format=system, columns=columns, visits=visits)
    assert len(cohort.patients) == 2


@pytest.mark.parametrize(
    ("system", "cell", "column"),
    [("redcap", "D3", "prior___1"), ("redcap", "C4", "easi"), ("redcap", "A4", "record_id"),
     ("redcap", "B3", "redcap_event_name"), ("castor", "D2", "easi_4"), ("castor", "E3", "sex"),
     ("castor", "A3", "Participant Id")],
)  # fmt: skip
def test_one_in_a_column_that_is_read_is_an_error(system: str, cell: str, column: str, tmp_path: Path) -> None:
    _, columns, visits = STUDIES[system]
    with pytest.raises(DataError) as raised:
        read_cohort(workbook(tmp_path, system, cell), format=system, columns=columns, visits=visits)
    place = f"study.xlsx row {cell[1:]}, column {column} (cell {cell})"
    assert [problem.where for problem in raised.value.problems if problem.code == "E251"] == [place]
