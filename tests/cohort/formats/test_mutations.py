"""Files with bytes changed at random end in an error of ours or in a reading, never in a crash or without an end."""

import io
import os
import signal
import time
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from small_cohort import MAPPED, write

from easitrace.cohort.findings import Findings
from easitrace.cohort.formats import child, limits
from easitrace.cohort.formats.detect import by_ending
from easitrace.cohort.formats.options import Options
from easitrace.cohort.read import read_cohort
from easitrace.errors import EasitraceError

SOUND = Path(__file__).parents[2] / "data" / "cohort.sas7bdat"
KINDS = [".xlsx", ".sav", ".zsav", ".dta", ".v5.xpt", ".v8.xpt", ".sas7bdat", ".parquet"]
LONGEST = 30.0
MANY, FEW = 10_000, 2
READ, REFUSED = 0, 1


def sound_bytes(kind: str, folder: Path) -> bytes:
    return (SOUND if kind == ".sas7bdat" else write(kind, folder)).read_bytes()


def changed(raw: bytes, kind: str, rng: np.random.Generator) -> bytes:
    """A changed file; of workbooks every other time a changed part inside a sound archive."""
    if kind != ".xlsx" or rng.integers(2):
        return mutated(raw, rng)
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as archive, zipfile.ZipFile(packed, "w") as copy:
        chosen = archive.namelist()[rng.integers(len(archive.namelist()))]
        for name in archive.namelist():
            part = archive.read(name)
            copy.writestr(name, mutated(part, rng) if name == chosen else part)
    return packed.getvalue()


def mutated(raw: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes changed, a piece cut out, repeated or moved, or the end cut off; the first four bytes stay."""
    data = bytearray(raw)
    match rng.integers(6):
        case 0 | 1 | 2:
            at = rng.integers(4, len(data), size=rng.integers(1, 9))
            for place in at:
                data[place] = rng.integers(256)
        case 3:
            start, length = rng.integers(4, len(data)), rng.integers(1, 64)
            del data[start : start + length]
        case 4:
            start, length = rng.integers(4, len(data)), rng.integers(1, 64)
            data[start:start] = data[start : start + length]
        case _:
            data = data[: rng.integers(5, len(data))]
    return bytes(data)


def ends_well(path: Path) -> str:
    """What became of reading the file, and that it was in time."""
    start = time.monotonic()
    try:
        read_cohort(path, **MAPPED)
        ending = "read"
    except EasitraceError as error:
        ending = error.problems[0].code
    assert time.monotonic() - start < LONGEST
    return ending


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize("kind", KINDS)
def test_a_few_changed_files_end_in_an_error_or_a_reading(kind, tmp_path):
    rng, path = np.random.default_rng(1), tmp_path / f"changed{kind}"
    raw = sound_bytes(kind, tmp_path)
    for _ in range(FEW):
        path.write_bytes(changed(raw, kind, rng))
        ends_well(path)


def parse_and_end(path: Path, name: str) -> None:
    """What the child does, in a fork of this process, which is quicker than to start one."""
    status = REFUSED
    try:
        child._limit(limits.LIMITS[name].memory, limits.LIMITS[name].seconds)
        table = child.PARSERS[name](path, Findings(path.name), Options())
        table.columns(table.header)
        status = READ
    finally:
        os._exit(status)


def ending_of(path: Path, name: str) -> int:
    """The status of a fork that parses the file: `READ`, `REFUSED`, or minus the signal that ended it."""
    pid = os.fork()
    if not pid:
        parse_and_end(path, name)
    start = time.monotonic()
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() - start > LONGEST:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_many_changed_files_end_in_an_error_or_a_reading(kind, tmp_path):
    """A crash of the fork is a crash of the child, which is an E247; none may run into the time limit."""
    rng, path = np.random.default_rng(2), tmp_path / f"changed{kind}"
    raw, name = sound_bytes(kind, tmp_path), by_ending(path)
    endings = Counter()
    for _ in range(MANY):
        path.write_bytes(changed(raw, kind, rng))
        endings[ending_of(path, name)] += 1
    print(kind, dict(endings))
    assert endings[READ] and endings[REFUSED] and not endings[-signal.SIGKILL]


@pytest.mark.parametrize("kind", [".xlsx"])
def test_hundreds_of_changed_workbooks_fail_in_python_and_not_below(kind, tmp_path):
    """In this process, as the workbook's reader is Python: what it raises is what the child would end with."""
    rng, path = np.random.default_rng(3), tmp_path / f"changed{kind}"
    raw = sound_bytes(kind, tmp_path)
    failures = 0
    for _ in range(200):
        path.write_bytes(changed(raw, kind, rng))
        try:
            ends_well(path)
        except Exception:  # noqa: BLE001 - whatever a damaged workbook makes openpyxl raise
            failures += 1
    assert failures
