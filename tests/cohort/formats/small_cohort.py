"""One small cohort, written in every format."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

VISITS = {"baseline": 0, "week 4": 4, "week 12": 12}
COLUMNS = {"patient": "id", "visit": "visit", "date": "when", "easi": "score", "sex": "sex", "age": "age"}
MAPPED: dict[str, Any] = {"visits": VISITS, "columns": COLUMNS}
SEXES = {1: "female", 2: "male"}


def small_cohort() -> pd.DataFrame:
    """Three patients: a letter with an accent, a missing score, decimals, a leap day."""
    days = [datetime.date(2024, 2, 1), datetime.date(2024, 2, 29), datetime.date(2024, 4, 25)]
    later = [day + datetime.timedelta(days=3) for day in days]
    return pd.DataFrame(
        {
            "id": ["Zoë", "Zoë", "Zoë", "B07", "B07", "C1"],
            "visit": ["baseline", "week 4", "week 12", "baseline", "week 4", "baseline"],
            "when": [*days, later[0], later[1], None],
            "score": [24.6, 12.3, 0.1, 33.0, np.nan, 7.2],
            "sex": ["female", "female", "female", "male", "male", "female"],
            "age": [41, 41, 41, 30, 30, 58],
        }
    )


def coded() -> pd.DataFrame:
    """The same with the sexes as codes, for formats that have value labels."""
    return small_cohort().assign(sex=lambda frame: frame["sex"].map({label: code for code, label in SEXES.items()}))


def write_excel(frame: pd.DataFrame, path: Path) -> None:
    """One sheet, the header in row 1."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(list(frame))
    for row in frame.itertuples(index=False):
        book.active.append([None if pd.isna(value) else value for value in row])
    book.save(path)
    book.close()


def write(kind: str, folder: Path) -> Path:
    """Write the cohort as `kind`, which is a file ending."""
    import pyreadstat

    path = folder / f"cohort{kind}"
    frame, codes = small_cohort(), coded()
    labels = {"variable_value_labels": {"sex": SEXES}}
    match kind:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".xlsx" | ".xlsm":
            write_excel(frame, path)
        case ".sav" | ".zsav":
            pyreadstat.write_sav(codes, path, compress=kind == ".zsav", **labels)
        case ".dta":
            pyreadstat.write_dta(codes, path, **labels)
        case ".v5.xpt":
            pyreadstat.write_xport(frame, path, file_format_version=5)
        case ".v8.xpt":
            pyreadstat.write_xport(frame, path, file_format_version=8)
        case ".parquet":
            frame.to_parquet(path)
    return path
