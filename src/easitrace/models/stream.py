"""Sufficient statistics of Parquet files too large for memory, chunk after chunk."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from easitrace.errors import DataError, Problem
from easitrace.models.design import factor_names, observed_levels, prepare, variables
from easitrace.models.moments import Moments, from_rows

CHUNK_ROWS = 1_000_000


def collect_parquet(
    formula: str,
    path: Any,
    *,
    patient: str,
    visit: str,
    by: str | None = None,
    levels: Mapping[str, Any] | None = None,
    storage: str = "auto",
    chunk_rows: int = CHUNK_ROWS,
) -> Moments:
    """As `collect`, from a Parquet file or a folder of them, holding about `chunk_rows` rows at a time.

    Raises
    ------
    DataError : also when the rows of a patient are not neighbours (a patient would be counted twice).
    """
    columns = list(dict.fromkeys([*variables(formula), patient, visit, *([by] if by else [])]))
    known = _levels(formula, path, columns, visit, by) | dict(levels or {})
    total: Moments | None = None
    hashes = []
    for frame in _whole_patients(path, columns, patient, chunk_rows):
        hashes.append(pd.util.hash_array(frame[patient].unique(), categorize=False))
        try:
            recipe, rows = prepare(formula, frame, patient=patient, visit=visit, by=by, levels=known)
        except DataError as error:
            if error.problems[0].code == "E306":
                continue
            raise
        part = from_rows(recipe, rows, storage)
        total = part if total is None else total + part
    if total is None:
        raise DataError(Problem("E306", str(path), "no row has all variables of the model"))
    _refuse_scattered(np.concatenate(hashes), path, patient)
    return total


def _dataset(path: Any, columns: list[str]) -> Any:
    """The files; DataError when there are none, or a column is not in them."""
    import pyarrow.dataset

    if not Path(path).exists():
        raise DataError(Problem("E303", str(path), "does not exist"))
    data = pyarrow.dataset.dataset(path, format="parquet")
    missing = [name for name in columns if name not in data.schema.names]
    if missing:
        raise DataError([Problem("E303", f"column {name}", f"is not in {path}") for name in missing])
    return data


def _batches(path: Any, columns: list[str], rows: int) -> Iterator[Any]:
    """Record batches of the columns, in the order of the files."""
    data = _dataset(path, columns)
    yield from data.to_batches(columns=columns, batch_size=rows, batch_readahead=0, fragment_readahead=0)


def _levels(formula: str, path: Any, columns: list[str], visit: str, by: str | None) -> dict[str, tuple[Any, ...]]:
    """Levels of the factors in all files, from a pass over those columns alone."""
    import pyarrow as pa

    example = _dataset(path, columns).schema.empty_table().select(columns).to_pandas()
    names = list(dict.fromkeys([*factor_names(formula, example, visit), *([by] if by else []), visit]))
    found: dict[str, list[Any]] = {name: [] for name in names}
    for batch in _batches(path, names, CHUNK_ROWS):
        for name in names:
            found[name].append(batch.column(name).unique())
    return {
        name: observed_levels(pa.chunked_array(parts).unique().drop_null().to_pandas().rename(name), name == visit)
        for name, parts in found.items()
    }


def _whole_patients(path: Any, columns: list[str], patient: str, rows: int) -> Iterator[pd.DataFrame]:
    """Frames that end where a patient ends."""
    held: list[pd.DataFrame] = []
    size = 0
    for batch in _batches(path, columns, min(rows, 131_072)):
        held.append(batch.to_pandas())
        size += len(held[-1])
        if size < rows:
            continue
        frame = pd.concat(held, ignore_index=True)
        values = frame[patient].to_numpy()
        changes = np.flatnonzero(values[1:] != values[:-1])
        cut = int(changes[-1]) + 1 if len(changes) else 0
        held, size = [frame.iloc[cut:]], len(frame) - cut
        if cut:
            yield frame.iloc[:cut]
    if held:
        yield pd.concat(held, ignore_index=True)


def _refuse_scattered(hashes: Any, path: Any, patient: str) -> None:
    """DataError when a patient was met in two chunks."""
    ordered = np.sort(hashes)
    twice = int((ordered[1:] == ordered[:-1]).sum())
    if twice:
        what = f"rows of {twice} patients are not neighbours"
        raise DataError(Problem("E314", f"{path}, column {patient}", what, "sort the files by patient"))
