"""Lists in words, names for numbers, small differences as powers of ten."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

SUPERSCRIPTS = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")


NOISE = 1e-6


def joined(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def slug(text: Any) -> str:
    """A visit, state or class as part of a number's name: `week 12` -> `week_12`."""
    return "_".join("".join(sign if sign.isalnum() else " " for sign in str(text).lower()).split())


def number_keys(table: pd.DataFrame, key: str, columns: Mapping[str, str]) -> dict[str, Any]:
    """Cells of a tidy table as named numbers: column `median`, row `week 4` -> `median_week_4`.

    Of a table by arm the name ends in the arm: `median_week_4_placebo`.
    """
    return {
        f"{prefix}_{slug(row[key])}{'_' + slug(row['arm']) if 'arm' in row else ''}": row[column]
        for row in table.to_dict("records")
        for column, prefix in columns.items()
    }


def below(value: float) -> str:
    """A small difference as `below 10\u207b\u2076`: its power of ten, and not less than what is noise."""
    power = math.ceil(math.log10(max(value, NOISE)))
    return "below 10" + str(power).translate(SUPERSCRIPTS)
