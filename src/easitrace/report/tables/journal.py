"""The journal's table: text to the left, numbers to the right."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from great_tables import GT


def journal_table(rows: Sequence[Mapping[str, str]], text: Sequence[str] = (), groups: str = "") -> "GT":
    """A table whose column names are its headers; text columns to the left, numbers to the right.

    Parameters
    ----------
    rows : sequence of mappings
        Header to formatted cell, the same headers in every row.
    text : sequence of str
        Headers of the left-aligned columns besides the first.
    groups : str
        Header whose values become row groups.
    """
    from great_tables import GT

    frame = pd.DataFrame(list(rows))
    table = GT(frame, groupname_col=groups or None)
    shown = [name for name in frame.columns if name != groups]
    left = [name for name in shown if name in text or name == shown[0]]
    right = [name for name in shown if name not in left]
    return table.cols_align("left", columns=left).cols_align("right", columns=right)


def arm_cell(row: Mapping[Any, Any]) -> dict[str, str]:
    """The cell that says which arm a row is of; none without arms."""
    return {"Arm": str(row["arm"])} if "arm" in row else {}


def arm_group(data: pd.DataFrame) -> str:
    """The row groups of a table that may have arms: the header of `arm_cell`, or none."""
    return "Arm" if "arm" in data else ""


def capital(text: object) -> str:
    """With a capital first letter, the rest as it is."""
    return str(text)[:1].upper() + str(text)[1:]


def unbroken(text: str) -> str:
    """On one line, however narrow the column."""
    return text.replace(" ", "\u00a0")
