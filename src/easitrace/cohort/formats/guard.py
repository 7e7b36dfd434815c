"""What is looked at before a file is parsed: where it is, what kind of file, how large it is and would become."""

import difflib
import re
import stat
import zipfile
from pathlib import Path

from easitrace.cohort.findings import Findings, inert
from easitrace.cohort.formats.limits import (
    GIB,
    LIMITS,
    MIB,
    MOST_COLUMNS,
    MOST_ZIP_BYTES,
    MOST_ZIP_ENTRIES,
    MOST_ZIP_RATIO,
    SMALL_ZIP_BYTES,
)
from easitrace.cohort.formats.options import NAMES

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
KINDS = {
    stat.S_ISDIR: "a folder",
    stat.S_ISFIFO: "a pipe",
    stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device",
    stat.S_ISBLK: "a device",
}
ENCRYPTED_FLAG = 1


def check_place(data: str | Path, findings: Findings) -> None:
    """Only a regular file of this machine is read.

    Raises
    ------
    DataError
        For web addresses, for missing, unreadable and empty files, and for folders, pipes and devices.
    """
    path = Path(data)
    if ADDRESS.match(str(data)):
        findings.error("E240", "this is an address", "only local files are read: fetch the file first")
        findings.stop_if_wrong()
    try:
        about = path.stat()
        kind = next((kind for holds, kind in KINDS.items() if holds(about.st_mode)), None)
        if kind:
            findings.error("E241", f"this is {kind}", "name a file")
        elif not about.st_size:
            findings.error("E202", "the file is empty", "export the data again")
        else:
            path.open("rb").close()
    except FileNotFoundError:
        findings.error("E201", f"no such file in {inert(path.parent)}", _nearest_file(path))
    except OSError as error:
        findings.error("E201", f"cannot be read: {error.strerror}", "choose a file you may read")
    findings.stop_if_wrong()


def _nearest_file(path: Path) -> str:
    names = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    return f"did you mean {near[0]}?" if near else "check the name in data"


def check_size(path: Path, file_format: str, findings: Findings) -> None:
    """A file may be as large as `LIMITS` says of its format.

    Raises
    ------
    DataError
        E242.
    """
    size, most = path.stat().st_size, LIMITS[file_format].size
    if size > most:
        what = f"{_bytes(size)} is more than {NAMES[file_format]} may have ({_bytes(most)})"
        findings.error("E242", what, "leave out columns and rows that are not needed, or save it as Parquet")
        findings.stop_if_wrong()


def check_columns(number: int, findings: Findings) -> None:
    """A table has at most `MOST_COLUMNS` columns.

    Raises
    ------
    DataError
        E254.
    """
    if number > MOST_COLUMNS:
        findings.error("E254", f"{number:,} columns are more than {MOST_COLUMNS:,}", "leave out those not needed")
        findings.stop_if_wrong()


def check_archive(path: Path, findings: Findings) -> None:
    """What a workbook's zip archive would unpack to.

    Raises
    ------
    DataError
        E243 for too many entries, or entries too large or too tightly packed; E245 for encrypted ones.
    BadZipFile
        For an archive that is damaged.
    """
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
    whole = sum(entry.file_size for entry in entries)
    tight = [e for e in entries if e.file_size > max(SMALL_ZIP_BYTES, MOST_ZIP_RATIO * e.compress_size)]
    remedy = "save the sheet as CSV (UTF-8)"
    if len(entries) > MOST_ZIP_ENTRIES:
        findings.error("E243", f"the workbook has {len(entries):,} parts", remedy)
    if whole > MOST_ZIP_BYTES:
        findings.error("E243", f"the workbook would unpack to {_bytes(whole)}", remedy)
    for entry in tight[:1]:
        packed = f"{_bytes(entry.file_size)} are packed into {_bytes(entry.compress_size)}"
        findings.error("E243", f"in {inert(entry.filename)} {packed}", remedy)
    if any(entry.flag_bits & ENCRYPTED_FLAG for entry in entries):
        findings.error("E245", "the workbook is encrypted", "save it without a password")
    findings.stop_if_wrong()


def _bytes(number: int) -> str:
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (1 << 10, "KiB")):
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number} bytes"
