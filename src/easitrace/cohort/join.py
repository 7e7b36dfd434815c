"""The files of a study joined by patient: who is in which, under one identifier."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.cells import Cells
from easitrace.cohort.findings import HELD_PER_CHECK, counted, inert, place, quoted, row_list
from easitrace.cohort.layout import DATA, OF_EVENTS, OF_PATIENTS, WITH_VISITS, Layout
from easitrace.cohort.places import NOWHERE, Codes, Homes, always, first_rows

BLANK, UNKNOWN = -1, -2
MANGLED = r"^[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+$"


@dataclass(frozen=True)
class Reading:
    """The mapped cells of one file: which parameter names it (`kind`), and where its roles are."""

    kind: str
    cells: Cells
    layout: Layout

    @property
    def file(self) -> str:
        """The file's name as problems show it."""
        return self.cells.findings.file


@dataclass(frozen=True)
class Joined:
    """The readings with the patient of every row: `codes[i]` are places in `ids`, blank -1, unknown -2.

    `named` are the identifiers of all files, also those of adverse events of nobody in the study.
    """

    readings: Sequence[Reading]
    codes: Sequence[Codes]
    ids: Any
    named: Any

    def of(self, *kinds: str) -> list[tuple[int, Reading, Codes]]:
        """The readings of these kinds, with their place and the patients of their rows."""
        pairs = zip(self.readings, self.codes, strict=True)
        return [(at, reading, codes) for at, (reading, codes) in enumerate(pairs) if reading.kind in kinds]


def join(readings: Sequence[Reading]) -> Joined:
    """Join files by patient, `data` first. A blank identifier is an error and matches nothing.

    A patient of any file but that of adverse events is a patient of the study; who is in one file and not in another
    is counted in the log. Identifiers alike but for leading zeros or capitals, and those that a spreadsheet turned
    into powers of ten, are errors, in one file or across files.
    """
    columns = [reading.cells.text[reading.layout.patient] for reading in readings]
    encoded = pc.dictionary_encode(pa.concat_arrays([column.cast(pa.large_string()) for column in columns]))
    order = np.asarray(pc.sort_indices(encoded.dictionary), dtype=np.int64)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    ids = encoded.dictionary.take(pa.array(order))
    ends = np.cumsum([len(column) for column in columns])[:-1]
    codes = np.split(rank[np.asarray(encoded.indices)], ends)
    if len(ids) and ids[0].as_py() == "":
        ids, codes = ids.slice(1), [own - 1 for own in codes]
        for reading, own in zip(readings, codes, strict=True):
            blank = always("the patient is blank", "fill in the patient")
            rows = reading.cells.rows[own == BLANK]
            reading.cells.findings.errors_at("E213", rows, reading.layout.patient, blank)
    every = Joined(readings, codes, ids, named=ids)
    _check_alike(every)
    joined = _without_strangers(every)
    _check_once(joined)
    _note_absent(joined)
    return joined


def homes(joined: Joined) -> Homes:
    """Where each patient is named: the first row in the file with most patient-level roles."""
    ranked = sorted(enumerate(joined.readings), key=lambda pair: -len(pair[1].layout.patient_columns))
    file = np.zeros(len(joined.ids), dtype=np.int64)
    row = np.full(len(joined.ids), NOWHERE)
    for at, reading in ranked:
        first = first_rows(joined.codes[at], len(joined.ids), reading.cells.rows)
        new = (row == NOWHERE) & (first != NOWHERE)
        file[new], row[new] = at, first[new]
    return Homes([reading.cells.findings for reading in joined.readings], file, row)


def _without_strangers(every: Joined) -> Joined:
    """Only the patients of the study; an identifier that adverse events alone have becomes `UNKNOWN`."""
    strangers = np.ones(len(every.ids) + 1, dtype=bool)
    for _, _, codes in every.of(*WITH_VISITS, OF_PATIENTS):
        strangers[codes] = False
    strangers[-1] = False
    if not strangers.any():
        return every
    place_of = np.cumsum(~strangers) - 1
    place_of[strangers], place_of[-1] = UNKNOWN, BLANK
    ids = every.ids.filter(pa.array(~strangers[:-1]))
    return Joined(every.readings, [place_of[codes] for codes in every.codes], ids, every.named)


def _check_alike(every: Joined) -> None:
    folded = pc.replace_substring_regex(pc.utf8_lower(every.ids), "^0+([0-9]+)$", r"\1")
    groups = np.asarray(pc.dictionary_encode(folded).indices)
    alike = np.flatnonzero(pd.Series(groups).duplicated(keep=False).to_numpy())
    mangled = np.flatnonzero(np.asarray(pc.match_substring_regex(every.ids, MANGLED).to_numpy(zero_copy_only=False)))
    if not len(alike) and not len(mangled):
        return
    where = homes(every)
    for group in np.unique(groups[alike])[:HELD_PER_CHECK]:
        _report_alike(alike[groups[alike] == group], every, where)
    for member in mangled[:HELD_PER_CHECK]:
        at = int(where.file[member])
        where.files[at].error(
            "E227",
            f"{quoted(every.ids[int(member)].as_py())} is an identifier a spreadsheet turned into a power of ten",
            "format the column as text and export again",
            at=place(int(where.row[member]), every.readings[at].layout.patient),
        )


def _report_alike(members: Codes, every: Joined, where: Homes) -> None:
    members = members[np.lexsort((where.row[members], where.file[members]))]
    at = int(where.file[members[0]])
    here = members[where.file[members] == at]
    names = [
        quoted(every.ids[int(member)].as_py())
        + (
            ""
            if where.file[member] == at
            else f" ({where.files[int(where.file[member])].file} row {where.row[member]})"
        )
        for member in members
    ]
    where.files[at].error(
        "E214",
        f"{' and '.join(names)} differ only in leading zeros or capitals",
        "write the patient the same way everywhere",
        at=f"{row_list(where.row[here])}, column {every.readings[at].layout.patient}",
    )


def _check_once(joined: Joined) -> None:
    """A file with a row per patient has one."""
    for _, reading, codes in joined.of(OF_PATIENTS):
        table = pd.DataFrame({"patient": codes, "row": reading.cells.rows})
        twice = table[table.duplicated("patient", keep=False) & (table["patient"] >= 0)]
        for _, rows in list(twice.groupby("patient")["row"])[:HELD_PER_CHECK]:
            what, remedy = "one patient has two rows in a file with one row per patient", "keep one of them"
            reading.cells.findings.error("E271", what, remedy, at=row_list(rows))


def _note_absent(joined: Joined) -> None:
    """Who is in `data` and not in another file of patients or visits, or the other way round."""
    (_, data, own), *_ = joined.of(DATA)
    for _, other, codes in joined.of(*WITH_VISITS, OF_PATIENTS)[1:]:
        for one, those, another, absent in ((data, own, other, codes), (other, codes, data, own)):
            rows = first_rows(np.where(np.isin(those, absent), BLANK, those), len(joined.ids), one.cells.rows)
            rows = rows[rows != NOWHERE]
            if len(rows):
                what = f"{counted(len(rows), 'patient')} with no row in {inert(another.file)}"
                one.cells.findings.note("W225", f"{what} ({row_list(rows)})")


def of_events(joined: Joined) -> tuple[Reading, Codes] | None:
    """The file that has adverse events, if one has."""
    found = [(reading, codes) for _, reading, codes in joined.of(DATA, OF_EVENTS) if reading.layout.event_columns]
    return found[0] if found else None
