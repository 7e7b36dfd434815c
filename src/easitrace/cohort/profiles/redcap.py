"""REDCap: several rows a record, one for every event and every repeat of a form; a column for every checkbox.

Raw exports name events and checkboxes as the project does (`week_4_arm_1`, `0`/`1`), label exports as people do
(`Week 4`, `Unchecked`/`Checked`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.findings import Findings, counted, place
from easitrace.cohort.formats.table import TEXT, Table, as_text
from easitrace.cohort.mapping import Mapping
from easitrace.cohort.profiles.profile import Profile, Roles, first_present
from easitrace.cohort.roles import KEY_ROLES

EVENT = ("redcap_event_name", "Event Name")
REPEAT = ("redcap_repeat_instance", "Repeat Instance")
CHECKBOX, CHOICE = "___", "(choice="
TICKED, EMPTY = ("1", "Checked"), ("0", "Unchecked", "")


def roles(header: Sequence[str]) -> Roles:
    """The record is the first column; events are the visits, or in their absence the repeats of a form."""
    visit = first_present((*EVENT, *REPEAT), header)
    return {"patient": header[0]} if visit is None else {"patient": header[0], "visit": visit}


def prepare(table: Table, columns: Roles, mapping: Mapping, findings: Findings) -> Table:
    """Checkboxes of a patient as yes or no: an export writes "unchecked" also in the rows of other events."""
    patient = columns["patient"]
    people = [name for role, name in columns.items() if role not in {*mapping.instruments, *KEY_ROLES}]
    boxes = [name for name in people if _is_checkbox(name, table)]
    if not boxes:
        return table
    found = table.columns([patient, *boxes])
    records = pd.factorize(pd.Series(pd.array(as_text(found[patient]), dtype="str")))[0]
    answers = {name: _any_ticked(found[name], records) for name in boxes}
    for name in answers:
        what = f"a checkbox: yes where any of a patient's {counted(len(table.rows), 'row')} is ticked"
        findings.note("F229", what, at=place(None, name))
    return table.with_columns(answers)


def _is_checkbox(name: str, table: Table) -> bool:
    if name not in table.header or not (CHECKBOX in name or CHOICE in name):
        return False
    texts = pc.unique(as_text(table.columns([name])[name])).to_pylist()
    return {*texts} <= {*TICKED, *EMPTY}


def _any_ticked(column: Any, records: Any) -> Any:
    text = as_text(column)
    ticked, filled = (
        pd.Series(np.array(answer)).groupby(records).transform("any").to_numpy()
        for answer in (pc.is_in(text, value_set=pa.array(TICKED, type=TEXT)), pc.not_equal(text, ""))
    )
    return pa.array(np.where(ticked, "yes", np.where(filled, "no", "")), type=TEXT)


REDCAP = Profile(roles, prepare)
