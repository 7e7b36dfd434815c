"""The Dutch export: read through its parameter file, in two encodings, and with errors planted."""

import shutil
from pathlib import Path

import pytest

from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError
from easitrace.parameters import read_parameters
from generators.dutch import IN_FOLLOW_UP, PATIENTS, STOPS, dutch_rows, plant_errors, write_dutch

PARAMETER_FILE = Path(__file__).parents[1] / "data" / "dutch.yml"


@pytest.fixture
def parameters(tmp_path):
    write_dutch(tmp_path / "dutch.csv")
    return read_parameters(shutil.copy(PARAMETER_FILE, tmp_path / "dutch.yml"))


def test_the_parameter_file_is_at_most_25_lines():
    assert len(PARAMETER_FILE.read_text(encoding="utf-8").splitlines()) <= 25


def test_sixty_patients_are_read(parameters):
    cohort = read_cohort(parameters.data, **parameters.cohort_arguments())
    assert len(cohort.patients) == PATIENTS
    assert set(cohort.patients["sex"]) == {"male", "female"}
    stopped = cohort.patients.loc[list(STOPS), ["stop_day", "stop_reason"]].values.tolist()
    assert stopped == [[70, "side effects"], [40, "inefficacy"], [90, "side effects"], [30, "other"]]
    waiting = cohort.patients.index[cohort.patients["status"] == "in follow-up"]
    assert tuple(waiting) == IN_FOLLOW_UP
    assert [problem.code for problem in cohort.log] == ["F204", "W204", "W203", "W203"]
    flow = cohort.flow[cohort.flow["detail"] == "week 16"].set_index("step")["n"]
    assert flow[["seen", "stopped", "in follow-up", "missed"]].tolist() == [54, 4, 2, 0]


def test_scores_come_back_as_they_were_written(parameters):
    cohort = read_cohort(parameters.data, **parameters.cohort_arguments())
    written = {row[2] for row in dutch_rows()}
    assert {f"{score:.1f}".replace(".", ",") for score in cohort.visits["easi"]} <= written


def test_both_encodings_read_the_same(parameters, tmp_path):
    write_dutch(tmp_path / "oud.csv", encoding="cp1252")
    arguments = parameters.cohort_arguments()
    first = read_cohort(parameters.data, **arguments)
    second = read_cohort(tmp_path / "oud.csv", **arguments | {"encoding": "cp1252"})
    assert first.visits.equals(second.visits)
    with pytest.raises(DataError, match=r'E204 oud\.csv row 1: byte 0xeb after "Pati"'):
        read_cohort(tmp_path / "oud.csv", **arguments)


def test_every_planted_error_is_found_and_nothing_else(parameters):
    rows, planted = plant_errors(dutch_rows())
    write_dutch(Path(parameters.data), rows)
    with pytest.raises(DataError) as raised:
        read_cohort(parameters.data, **parameters.cohort_arguments())
    problems = list(raised.value.problems)
    assert len(problems) == len(planted) >= 10
    for error in planted:
        found = [p for p in problems if p.code == error.code and str(error.row) in p.where and error.column in p.where]
        assert len(found) == 1, error


def test_the_data_set_is_the_same_every_time():
    assert dutch_rows() == dutch_rows()
    assert dutch_rows(1) != dutch_rows(2)
