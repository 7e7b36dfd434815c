"""Labels, reasons, dates and precision of SPSS, SAS and Stata files."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from easitrace.cohort.findings import Findings
from easitrace.cohort.formats.options import Options
from easitrace.cohort.formats.statistical import parse_statistical
from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError

VISITS = {"0": 0, "4": 4}
FRAME = pd.DataFrame({"patient": ["A", "A", "B"], "week": [0, 4, 0], "easi": [20.5, -96, 7.1], "sex": [1, 1, 2]})
LABELS = {"sex": {1: "man", 2: "vrouw"}, "easi": {-96: "not applicable"}}


def parsed(path: Path, **options: Any) -> tuple[dict[str, list[Any]], Any, Findings]:
    findings = Findings(path.name)
    table = parse_statistical(path, findings, Options(**options))
    return {name: column.to_pylist() for name, column in table.columns(table.header).items()}, table, findings


def spss(folder: Path, frame: pd.DataFrame = FRAME, **about: Any) -> Path:
    path = folder / "cohort.sav"
    pyreadstat.write_sav(frame, path, **about)
    return path


def test_user_missing_values_are_missing_with_the_reason_their_label_gives(tmp_path):
    ranges = {"easi": [{"lo": -99, "hi": -95}], "sex": [2]}
    path = spss(tmp_path, variable_value_labels=LABELS, missing_ranges=ranges)
    cohort = read_cohort(path, visits=VISITS, covariates=["sex"])
    assert cohort.visits["easi"].tolist() == [20.5, 7.1]
    assert cohort.missing_reasons.values.tolist() == [["sex", "vrouw", 1], ["easi", "not applicable", 1]]
    assert cohort.patients["sex"].fillna("").tolist() == ["man", ""]
    _, table, _ = parsed(path)
    assert table.labels == {"sex": {"1": "man"}}
    assert table.reasons["easi"].to_pylist() == [None, "not applicable", None]


def test_a_user_missing_value_without_a_label_is_its_own_reason(tmp_path):
    _, table, _ = parsed(spss(tmp_path, missing_ranges={"easi": [7.1, -96], "patient": ["B"]}))
    assert table.reasons["easi"].to_pylist() == [None, "-96", "7.1"]
    assert table.reasons["patient"].to_pylist() == [None, None, "B"]
    cells, _, _ = parsed(spss(tmp_path, missing_ranges={"easi": [{"lo": 500, "hi": 900}]}))
    assert cells["easi"] == [20.5, -96.0, 7.1]


def test_codes_are_labelled_and_recodes_take_the_label_or_the_code(tmp_path):
    path = spss(tmp_path, FRAME.assign(easi=[20.5, 1, 7.1]), variable_value_labels=LABELS)
    sexes = {name: read_cohort(path, visits=VISITS, covariates=["sex"], values={"sex": recode}).patients["sex"].tolist()
             for name, recode in {"none": {}, "labels": {"man": "male", "vrouw": "female"},
                                  "codes": {1: "male", 2: "female"}}.items()}  # fmt: skip
    assert sexes == {"none": ["man", "vrouw"], "labels": ["male", "female"], "codes": ["male", "female"]}


def test_a_score_with_labels_is_its_code(tmp_path):
    frame = pd.DataFrame({"patient": ["A", "A"], "week": [0, 4], "easi": [20, 4], "iga": [4, 0]})
    path = spss(tmp_path, frame, variable_value_labels={"iga": {0: "clear", 4: "severe"}})
    cohort = read_cohort(path, visits=VISITS, columns={"week": "week", "iga": "iga"})
    assert cohort.visits["iga"].tolist() == [4.0, 0.0]


def test_a_covariate_is_words_when_its_codes_are_labelled_and_numbers_when_none_is(tmp_path):
    frame = pd.DataFrame({"patient": ["A", "B"], "week": [0, 0], "easi": [20, 4], "weight": [81.5, -9], "site": [1, 2]})
    labels = {"weight": {-9: "not weighed"}, "site": {1: "north", 2: "south"}}
    path = spss(tmp_path, frame, variable_value_labels=labels)
    wanted = {"visits": {"0": 0}, "covariates": ["weight", "site"]}
    cohort = read_cohort(path, **wanted, missing_codes={-9: "not weighed"})
    assert cohort.patients["weight"].fillna(0).tolist() == [81.5, 0]
    assert cohort.patients["site"].tolist() == ["north", "south"]
    assert cohort.missing_reasons.values.tolist() == [["weight", "not weighed", 1]]
    message = r'E222 cohort.sav row 1, column weight: "81.5" has no label, other codes have; label it, or add it to'
    with pytest.raises(DataError, match=message):
        read_cohort(path, **wanted)


def test_stata_reasons_labels_and_types(tmp_path):
    frame = pd.DataFrame({"patient": ["A", "B", "C"], "easi": [1.5, "a", "b"], "n": [1, 2, "c"]})
    path = tmp_path / "cohort.dta"
    tags = {"easi": ["a", "b"], "n": ["c"]}
    pyreadstat.write_dta(frame, path, missing_user_values=tags, variable_value_labels={"easi": {"a": "not done"}})
    cells, table, _ = parsed(path)
    assert cells["easi"] == [1.5, None, None] and cells["n"] == [1, 2, None]
    assert table.reasons["easi"].to_pylist() == [None, "not done", ".b"]
    assert table.reasons["n"].to_pylist() == [None, None, ".c"]
    assert table.labels == {}


def test_single_precision_is_read_as_the_number_that_was_typed(tmp_path):
    path = tmp_path / "cohort.dta"
    scores = np.array([12.3, 20.5, np.nan], dtype=np.float32)
    frame = pd.DataFrame({"patient": ["A", "B", "C"], "week": [0, 0, 0], "easi": scores})
    frame.to_stata(path, write_index=False)
    cohort = read_cohort(path, visits={"0": 0})
    assert cohort.visits["easi"].tolist() == [12.3, 20.5]
    assert "F222 cohort.dta column easi: 1 number of single precision read as the shortest decimal" in [
        str(entry) for entry in cohort.log
    ]


def test_times_of_day_are_left_out_of_dates_and_counted(tmp_path):
    moments = pd.to_datetime(["2024-01-02 10:30", "2024-01-30 00:00", None])
    frame = pd.DataFrame({"patient": ["A", "A", "B"], "week": [0, 4, 0], "easi": [9, 3, 5], "when": moments})
    columns = {"week": "week", "date": "when"}
    cohort = read_cohort(spss(tmp_path, frame), visits=VISITS, columns=columns)
    assert cohort.visits["day"].fillna(-1).tolist() == [0, 28, -1]
    assert "F220 cohort.sav column when: the time of day left out of 1 date" in [str(entry) for entry in cohort.log]


def test_times_without_a_date_are_text_and_missing_dates_with_codes_are_said(tmp_path):
    day = datetime.date(2024, 1, 2)
    frame = pd.DataFrame({"t": [datetime.time(3, 4), None], "d": [day, None], "empty": [np.nan, np.nan]})
    cells, table, findings = parsed(spss(tmp_path, frame))
    assert cells == {"t": ["03:04:00", None], "d": [day, None], "empty": [None, None]}
    assert str(table.columns(["empty"])["empty"].type) == "double"
    assert findings.log == []
    _, _, findings = parsed(spss(tmp_path, frame, missing_ranges={"d": [0]}))
    assert [str(entry) for entry in findings.log] == [
        "W221 cohort.sav column d: user-missing values of a date are read as dates"
    ]


def test_blanks_that_pad_text_are_trimmed_and_counted(tmp_path):
    path = tmp_path / "cohort.dta"
    pyreadstat.write_dta(FRAME.assign(patient=["A  ", "A", "B"], easi=[20, 3, 4]), path)
    log = [str(entry) for entry in read_cohort(path, visits=VISITS).log]
    assert "F205 cohort.dta column patient: blanks trimmed from 1 cell" in log


def test_an_encoding_is_the_files_own_unless_declared(tmp_path):
    path = tmp_path / "cohort.xpt"
    frame = FRAME.assign(patient=["Zo\u00eb", "Zo\u00eb", "B"], easi=[20, 3, 4])
    pyreadstat.write_xport(frame, path, file_format_version=5)
    path.write_bytes(path.read_bytes().replace("Zo\u00eb".encode(), "Zo\u00eb ".encode("cp1252")))
    assert parsed(path, encoding="cp1252")[0]["patient"] == ["Zo\u00eb", "Zo\u00eb", "B"]


def test_a_transport_file_with_two_datasets_is_refused(tmp_path):
    path = tmp_path / "cohort.xpt"
    pyreadstat.write_xport(FRAME, path, file_format_version=5)
    raw = path.read_bytes()
    path.write_bytes(raw + raw[240:])
    with pytest.raises(
        DataError, match=r"E253 cohort\.xpt: the transport file holds 2 datasets, of which only the fir"
    ):
        parsed(path)


def test_a_file_without_a_case_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"E202 cohort\.sav: the file holds no case"):
        parsed(spss(tmp_path, FRAME.iloc[:0]))
