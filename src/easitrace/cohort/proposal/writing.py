"""How a file writes numbers and dates, and which cells mean that a value is missing."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from easitrace.cohort.dates import calendar, date_pattern
from easitrace.cohort.findings import counted, quoted
from easitrace.cohort.proposal.guess import Guess
from easitrace.cohort.proposal.vocabulary import MISSING, SENTINELS, plain
from easitrace.instruments import Instrument

NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")
MOSTLY = 0.8
READINGS = [("dd", "mm", "yyyy"), ("mm", "dd", "yyyy"), ("yyyy", "mm", "dd")]
SIGNS = ("-", "/", ".")
Texts = Sequence[str]


def filled(texts: Iterable[str]) -> list[str]:
    """The cells that are not blank, trimmed."""
    return [text.strip() for text in texts if text.strip()]


def mostly_numbers(texts: Texts) -> bool:
    """Whether at least four of five filled cells are numbers."""
    cells = filled(texts)
    return bool(cells) and sum(NUMBER.fullmatch(cell) is not None for cell in cells) >= MOSTLY * len(cells)


def propose_decimal(columns: Iterable[Texts]) -> list[Guess]:
    """The decimal sign, when it is not the point."""
    signs = Counter(
        sign for texts in columns for cell in filled(texts) if NUMBER.fullmatch(cell) for sign in ".," if sign in cell
    )
    if signs[","] and signs["."]:
        note = f"{signs[',']} numbers have a comma, {signs['.']} a point"
        return [Guess(("decimal",), "," if signs[","] > signs["."] else ".", note)]
    return [Guess(("decimal",), ",")] if signs[","] else []


def propose_missing(columns: Iterable[tuple[Texts, Instrument | None]]) -> list[Guess]:
    """Cells that cannot be scores and often mean that a score is missing."""
    words: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    for texts, instrument in columns:
        for cell in filled(texts):
            if NUMBER.fullmatch(cell) is None:
                words[cell] += plain(cell) in MISSING or not plain(cell)
            elif instrument is not None and _is_sentinel(float(cell.replace(",", ".")), instrument):
                numbers[cell] += 1
    found = [cell for cell, n in (words + numbers).items() if n]
    if not found:
        return []
    counts = ", ".join(f"{quoted(cell)} in {counted((words + numbers)[cell], 'cell')}" for cell in found)
    return [Guess(("missing_codes",), found, f"do these mean missing? {counts}")]


def _is_sentinel(value: float, instrument: Instrument) -> bool:
    return value in SENTINELS and bool(instrument.out_of_range(value).any())


def propose_date_format(columns: Iterable[Texts]) -> list[Guess]:
    """The one format in which every date exists; None when there are several readings or none."""
    texts = [cell for column in columns for cell in filled(column)]
    if not texts:
        return []
    fitting = [form for form in _formats() if _all_days(texts, form)]
    strict = [form for form in fitting if "dd" in form and "mm" in form] or fitting
    orders = {re.sub(r"[^dmy]", "", form).replace("dd", "d").replace("mm", "m") for form in strict}
    if len(orders) == 1:
        return [Guess(("date_format",), strict[0])]
    if strict:
        return [Guess(("date_format",), None, f'"{texts[0]}" can be read as {" or ".join(strict)}')]
    return [Guess(("date_format",), None, f'"{texts[0]}" and the other dates fit no format known')]


def _formats() -> list[str]:
    long = [sign.join(reading) for reading, sign in product(READINGS, SIGNS)]
    short = [form.replace("dd", "d").replace("mm", "m") for form in long]
    return [*long, *short]


def _all_days(texts: Texts, form: str) -> bool:
    parts = pc.extract_regex(pa.array(texts, type=pa.large_string()), date_pattern(form))
    days, _, _ = calendar(parts)
    return not bool(np.isnat(days).any())


def is_date_like(texts: Texts) -> bool:
    """Whether every filled cell is written like a date."""
    cells = filled(texts)
    return bool(cells) and all(re.fullmatch(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}", cell) for cell in cells)


def distinct(texts: Texts) -> list[str]:
    """The different filled cells, in the order they come."""
    return list(dict.fromkeys(filled(texts)))


def as_texts(column: Any) -> list[str]:
    """An Arrow column of text as Python strings."""
    return [text or "" for text in column.to_pylist()]
