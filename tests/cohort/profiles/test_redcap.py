"""REDCap: events, repeats, and checkboxes that are unchecked in the rows of other events."""

import numpy as np
import pyarrow as pa
import pytest

from easitrace.cohort.findings import Findings
from easitrace.cohort.formats.table import TEXT, Table
from easitrace.cohort.mapping import build_mapping
from easitrace.cohort.profiles import PROFILES

REDCAP = PROFILES["redcap"]


def prepared(columns: dict[str, list[str]], **roles: str) -> tuple[Table, Findings]:
    findings = Findings("redcap.csv")
    rows = np.arange(2, 2 + len(next(iter(columns.values()))))
    table = Table.of({name: pa.array(cells, type=TEXT) for name, cells in columns.items()}, rows)
    named = REDCAP.roles(table.header) | roles
    mapping = build_mapping(
        columns=named,
        visits={"baseline_arm_1": 0, "week_4_arm_1": 4}, values=None, windows=None, decimal=".", date_format=None,
        missing_codes=(), outcome="easi", instrument=None, covariates=(),
    )  # fmt: skip
    return REDCAP.prepare(table, named, mapping, findings), findings


@pytest.mark.parametrize(
    ("ticked", "empty", "name"), [("1", "0", "prior___2"), ("Checked", "Unchecked", "Prior (choice=CsA)")]
)
def test_a_checkbox_is_ticked_for_a_patient_when_it_is_ticked_in_any_event(ticked: str, empty: str, name: str) -> None:
    table, findings = prepared(
        {
            "record_id": ["1", "1", "2", "2", "3"],
            "redcap_event_name": ["baseline_arm_1", "week_4_arm_1"] * 2 + ["baseline_arm_1"],
            "easi": ["9", "3", "12", "8", "4"],
            name: [ticked, empty, empty, empty, ""],
        },
        ciclosporin=name,
    )
    assert table.columns([name])[name].to_pylist() == ["yes", "yes", "no", "no", ""]
    assert [problem.code for problem in findings.log] == ["F229"]
    assert "5 rows" in str(findings.log[0])


def test_other_columns_stay_as_they_are() -> None:
    columns = {"record_id": ["1"], "easi": ["9"], "score___x": ["7"], "sex": ["1"]}
    table, findings = prepared(columns, other="score___x", sex="sex", absent="no___1")
    assert {name: column.to_pylist() for name, column in table.columns(columns).items()} == columns
    assert findings.log == []


@pytest.mark.parametrize(
    ("header", "visit"),
    [
        (["record_id", "redcap_event_name", "redcap_repeat_instance", "easi"], "redcap_event_name"),
        (["Record ID", "Event Name", "EASI"], "Event Name"),
        (["record_id", "redcap_repeat_instrument", "redcap_repeat_instance", "easi"], "redcap_repeat_instance"),
        (["record_id", "easi"], None),
    ],
)
def test_events_are_visits(header: list[str], visit: str | None) -> None:
    assert REDCAP.roles(header) == {"patient": header[0]} | ({} if visit is None else {"visit": visit})
