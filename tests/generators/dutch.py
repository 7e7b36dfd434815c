"""A data set as a Dutch hospital exports it: `;`, decimal comma, dd-mm-yyyy, upadacitinib, 60 patients, 4 visits.

Rows name no visit, only a date: windows decide. Two dates fall in one window and two in none. The second
half plants errors, one per row, and says what must be found.
"""

import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HEADER = [
    "Patiëntnummer",
    "Bezoekdatum",
    "EASI totaal",
    "Jeuk NRS",
    "Leeftijd",
    "Geslacht M/V",
    "Start upadacitinib",
    "Stopdatum",
    "Stopreden",
    "Status",
    "Opmerking",
]
ID, DATE, EASI, ITCH, AGE, SEX, START, STOP, REASON, STATUS, REMARK = range(len(HEADER))
PATIENTS = 60
PLANNED_DAYS = (0, 28, 56, 112)
STOPS = {5: (70, "bijwerking"), 11: (40, "onvoldoende effect"), 23: (90, "bijwerking"), 41: (30, "anders")}
IN_FOLLOW_UP = (55, 58)
MISSED = {(17, 2), (29, 1)}
EXTRA_IN_WINDOW = {9: 44, 33: 100}
EXTRA_OUTSIDE = {3: 9, 47: 12}

Rows = list[list[str]]


@dataclass(frozen=True)
class Planted:
    """An error that was put into the file: its code, the spreadsheet row and the column that must be named."""

    code: str
    row: int
    column: str


def dutch_rows(seed: int = 2024) -> Rows:
    """The data rows (no header) of the 60 patients."""
    rng = np.random.default_rng(seed)
    rows: Rows = []
    for patient in range(PATIENTS):
        rows += _patient_rows(patient, rng)
    return rows


def write_dutch(path: Path, rows: Rows | None = None, encoding: str = "utf-8") -> Path:
    """Write the rows (by default those of `dutch_rows`) under the Dutch header."""
    lines = [";".join(cells) for cells in [HEADER, *(dutch_rows() if rows is None else rows)]]
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
    return path


def plant_errors(rows: Rows) -> tuple[Rows, list[Planted]]:
    """A copy of the rows with eleven different errors, and where each must be reported."""
    rows = [list(cells) for cells in rows]
    planted = [
        _set(rows, 4, EASI, "12.5", "E207"),
        _set(rows, 10, EASI, "<2", "E207"),
        _set(rows, 16, EASI, "999", "E217"),
        _set(rows, 22, DATE, "2024-03-04", "E218"),
        _set(rows, 30, DATE, "30-02-2024", "E219"),
        _set(rows, 50, ID, "", "E213"),
        _set(rows, 60, ID, f"0{rows[60][ID]}", "E214"),
        _set(rows, 71, AGE, "17", "E221"),
        _set(rows, 80, SEX, "X", "E222"),
        _set(rows, 90, DATE, "", "E226"),
    ]
    rows[100].append("te veel")
    planted.append(Planted("E208", 102, ""))
    rows.append(list(rows[120]))
    planted.append(Planted("E215", 122, ""))
    return rows, planted


def _set(rows: Rows, index: int, column: int, text: str, code: str) -> Planted:
    rows[index][column] = text
    return Planted(code, index + 2, HEADER[column])


def _patient_rows(patient: int, rng: np.random.Generator) -> Rows:
    start = datetime.date(2023, 1, 9) + datetime.timedelta(days=int(rng.integers(0, 300)))
    stop_day, reason = STOPS.get(patient, (None, ""))
    fixed = {
        ID: str(100201 + 7 * patient),
        AGE: str(int(rng.integers(18, 75))),
        SEX: "MV"[int(rng.integers(2))],
        START: _dutch_date(start),
        STOP: "" if stop_day is None else _dutch_date(start + datetime.timedelta(days=stop_day)),
        REASON: reason,
        STATUS: "loopt nog" if patient in IN_FOLLOW_UP else "gestopt" if stop_day is not None else "afgerond",
    }
    level, decline = rng.uniform(8, 40), rng.uniform(0.4, 0.95)
    days = _visit_days(patient, stop_day, rng)
    rows = []
    for day in days:
        score = level * (1 - decline * (1 - np.exp(-day / 30))) + rng.normal(0, 1.5)
        cells = ["" for _ in HEADER]
        for column, text in fixed.items():
            cells[column] = text
        cells[DATE] = _dutch_date(start + datetime.timedelta(days=day))
        cells[EASI] = f"{min(max(score, 0.1), 72):.1f}".replace(".", ",")
        cells[ITCH] = str(int(np.clip(round(score / 4), 0, 10)))
        rows.append(cells)
    return rows


def _visit_days(patient: int, stop_day: int | None, rng: np.random.Generator) -> list[int]:
    days = [0, *(day + int(rng.integers(-4, 5)) for day in PLANNED_DAYS[1:])]
    last = 60 if patient in IN_FOLLOW_UP else stop_day
    kept = [
        day
        for number, day in enumerate(days)
        if (patient, number) not in MISSED and (last is None or PLANNED_DAYS[number] <= last)
    ]
    extra = {EXTRA_IN_WINDOW.get(patient), EXTRA_OUTSIDE.get(patient)} - {None}
    return sorted({*kept, *extra})


def _dutch_date(day: datetime.date) -> str:
    return day.strftime("%d-%m-%Y")
