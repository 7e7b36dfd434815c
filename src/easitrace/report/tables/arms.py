"""Tables of the arms of a trial and of what they differ in."""

from typing import TYPE_CHECKING

import pandas as pd

from easitrace.report.style import Style
from easitrace.report.tables.journal import capital, journal_table
from easitrace.report.words import QUANTITY_NAMES

if TYPE_CHECKING:
    from great_tables import GT


def differences_table(data: pd.DataFrame, style: Style, level: float, unit: str) -> "GT":
    """Each arm against the reference by visit in `unit`, with interval, degrees of freedom and P.

    `data` is `easitrace.response.trajectory.arm_differences`.
    """
    digits = style.digits if unit.endswith("%") else style.digits + 1
    rows = [
        {
            "Arms": f"{capital(row['name'])}{QUANTITY_NAMES[row['quantity']]}",
            "Visit": capital(row["visit"]),
            "n": f"{row['n']} v {row['n_reference']}",
            unit: style.number(row["estimate"], digits),
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"], digits),
            "t": style.number(row["statistic"], 2),
            "df": style.number(row["df"]),
            "P": style.p(row["p"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, groups="Arms")
