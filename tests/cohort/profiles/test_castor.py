"""Castor: missing values that say why, in numbers, texts and dates."""

import datetime

import numpy as np
import pyarrow as pa

from easitrace.cohort.findings import Findings
from easitrace.cohort.formats.table import TEXT, Table, as_text
from easitrace.cohort.mapping import build_mapping
from easitrace.cohort.profiles import PROFILES

CASTOR = PROFILES["castor"]
HEADER = ["Participant Id", "Site Abbreviation", "easi_0", "easi_4", "sex", "start", "note"]


def prepared(columns: dict[str, pa.Array]) -> tuple[Table, Findings]:
    findings = Findings("study.csv")
    table = Table.of(columns, np.arange(2, 2 + len(next(iter(columns.values())))))
    roles = CASTOR.roles(table.header) | {"easi": "easi_*", "sex": "sex", "start_date": "start"}
    mapping = build_mapping(
        columns=roles,
        visits={"0": 0, "4": 4}, values=None, windows=None, decimal=",", date_format="dd-mm-yyyy",
        missing_codes=(), outcome="easi", instrument=None, covariates=(),
    )  # fmt: skip
    return CASTOR.prepare(table, roles, mapping, findings), findings


def texts(**columns: list[str]) -> dict[str, pa.Array]:
    return {name.replace("_Id", " Id"): pa.array(cells, type=TEXT) for name, cells in columns.items()}


def test_every_reason_is_kept() -> None:
    table, findings = prepared(
        texts(
            Participant_Id=["110001", "110002", "110003", "-95", "5"],
            easi_0=["12,8", "-95", "-96", "7", "-95,5"],
            easi_4=["-97", "-98", "-99", " -99 ", "6"],
            sex=["V", "##USER_MISSING_97##", "M", "##_USER_MISSING_98##", "V"],
            start=["02-12-2020", "01-01-2996", "01-01-2020", "31-12-2999", "01-01-2994"],
            note=["-99", "", "", "", ""],
        )
    )
    columns = table.columns(table.header)
    assert columns["easi_0"].to_pylist() == ["12,8", None, None, "7", "-95,5"]
    assert columns["sex"].to_pylist() == ["V", None, "M", None, "V"]
    assert columns["start"].to_pylist() == ["02-12-2020", None, "01-01-2020", None, "01-01-2994"]
    assert columns["Participant Id"].to_pylist()[3] == "-95"
    assert columns["note"].to_pylist()[0] == "-99"
    assert table.reasons["easi_0"].to_pylist() == [None, "measurement failed", "not applicable", None, None]
    assert table.reasons["easi_4"].to_pylist() == ["not asked", "unknown", "not done", "not done", None]
    assert table.reasons["sex"].to_pylist() == [None, "not asked", None, "unknown", None]
    assert table.reasons["start"].to_pylist() == [None, "not applicable", None, "not done", None]
    assert [str(p) for p in findings.log if "easi_4" in p.where] == [
        "F207 study.csv column easi_4: 4 cells with a missing code of Castor left empty"
    ]


def test_typed_columns_too() -> None:
    table, _ = prepared(
        {
            "Participant Id": pa.array(["1", "2", "3"], type=TEXT),
            "easi_0": pa.array([12.5, -95.0, None]),
            "easi_4": pa.array([-99, 3, 4]),
            "sex": pa.array([True, False, None]),
            "start": pa.array([datetime.date(2997, 1, 1), datetime.date(2020, 12, 2), None]),
        }
    )
    columns = table.columns(table.header)
    assert columns["easi_0"].to_pylist() == [12.5, None, None]
    assert columns["easi_4"].to_pylist() == [None, 3, 4]
    assert columns["start"].to_pylist() == [None, datetime.date(2020, 12, 2), None]
    assert table.reasons["start"].to_pylist() == ["not asked", None, None]
    assert as_text(columns["sex"]).to_pylist() == ["true", "false", ""]


def test_the_participant_is_found_under_the_names_it_has_had() -> None:
    assert CASTOR.roles(["Record Id", "Institute Abbreviation"]) == {"patient": "Record Id"}
    assert CASTOR.roles(["id"]) == {}
