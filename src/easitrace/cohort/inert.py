"""Text that a spreadsheet would run as a formula, made to stand as text in the CSV files this package writes."""

from typing import Any

import pandas as pd

LIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
NUMBER = r"[+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?"


def inert(table: pd.DataFrame) -> pd.DataFrame:
    """The table with an apostrophe before every text and column name that a spreadsheet would take for a formula.

    Numbers stay as they are, also those that are written as text.
    """
    names = pd.Series([str(name) for name in table], dtype="str")
    columns = {place: _column(table.iloc[:, place]) for place in range(table.shape[1])}
    return pd.DataFrame(columns, index=table.index).set_axis(list(_texts(names)), axis="columns")


def _column(column: "pd.Series[Any]") -> "pd.Series[Any]":
    if isinstance(column.dtype, pd.StringDtype | pd.CategoricalDtype):
        return _texts(column.astype("str"))
    if column.dtype == object:
        texts = column.map(lambda value: isinstance(value, str)).astype(bool)
        return column.mask(texts, _texts(column.where(texts).astype("str")).astype(object))
    return column


def _texts(texts: "pd.Series[str]") -> "pd.Series[str]":
    live = texts.str.startswith(LIVE, na=False) & ~texts.str.fullmatch(NUMBER, na=False)
    return texts.mask(live, "'" + texts)
