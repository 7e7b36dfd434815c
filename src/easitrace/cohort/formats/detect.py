"""Which format a file is in: by its ending and its first bytes, which must agree."""

from pathlib import Path

from easitrace.cohort.findings import Findings
from easitrace.cohort.formats.options import CSV, EXCEL, NAMES, PARQUET, SAS, SPSS, STATA
from easitrace.errors import ParameterError, Problem

ENDINGS = {
    CSV: (".csv", ".tsv", ".txt"),
    EXCEL: (".xlsx", ".xlsm"),
    SPSS: (".sav", ".zsav"),
    SAS: (".sas7bdat", ".xpt"),
    STATA: (".dta",),
    PARQUET: (".parquet", ".pq"),
}
SIGNATURES = {
    b"$FL2": SPSS,
    b"$FL3": SPSS,
    b"HEADER RECORD*******LIB": SAS,
    bytes(12) + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf\xbd\x92\x08\x00": SAS,
    b"<stata_dta>": STATA,
    b"PAR1": PARQUET,
}
STRANGERS = {
    b"PARE": "an encrypted Parquet file",
    b"ARROW1": "an Arrow file",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
    b"%PDF": "a PDF",
    b"{\\rtf": "a text-processor file",
    b"SQLite format 3": "an SQLite database",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
    b"RDX": "an R workspace",
    b"<?xml": "an XML file",
    b"<html": "a web page, whatever its ending says",
    b"<!DOCTYPE html": "a web page, whatever its ending says",
    b"<table": "a web page, whatever its ending says",
}
ZIP, OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
WORKBOOK_PART = b"xl/"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
OLD_STATA, BYTE_ORDERS = range(104, 116), (1, 2)
PICKLES = tuple(bytes([0x80, version]) for version in range(2, 6))
LOOKED_AT = 1 << 16


def detect(path: Path, declared: str | None, findings: Findings) -> str:
    """The format of a file: the declared one, else that of its ending, else that of its first bytes.

    Raises
    ------
    ParameterError
        When the declared format is not known.
    DataError
        When the bytes are those of another format, naming it.
    """
    if declared is not None and declared not in ENDINGS:
        what, remedy = f"{declared} is no format", f"choose one of {', '.join(ENDINGS)}"
        raise ParameterError(Problem("E105", "format", what, remedy))
    with path.open("rb") as file:
        start = file.read(LOOKED_AT)
    named = declared or by_ending(path)
    found, kind = _by_bytes(start, path)
    if found is None or (named is not None and found != named):
        _complain(path, named or CSV, found, kind, findings)
    return named or found or CSV


def by_ending(path: Path) -> str | None:
    """The format that the ending of a file name stands for, none when it stands for nothing."""
    return next((name for name, endings in ENDINGS.items() if path.suffix.lower() in endings), None)


def _by_bytes(start: bytes, path: Path) -> tuple[str | None, str]:
    """The format, and what to call it; None for a kind of file that is not read."""
    for signature, found in SIGNATURES.items():
        if start.startswith(signature):
            return found, NAMES[found]
    if start.startswith(ZIP):
        workbook = WORKBOOK_PART in start or WORKBOOK_PART in _last_bytes(path)
        return (EXCEL, NAMES[EXCEL]) if workbook else (None, "a zip archive")
    if start.startswith(OFFICE):
        protected = ENCRYPTED in path.read_bytes()
        return None, "a password-protected Office file" if protected else "an Office file from before 2007 (.xls)"
    if len(start) > 3 and start[0] in OLD_STATA and start[1] in BYTE_ORDERS and start[2] == 1:
        return STATA, NAMES[STATA]
    if start.startswith(PICKLES):
        return None, "a Python pickle, which could run programs"
    strange = (kind for signature, kind in STRANGERS.items() if start.lstrip().lower().startswith(signature.lower()))
    kind = next(strange, "")
    return (None, kind) if kind else (CSV, NAMES[CSV])


def _last_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOOKED_AT))
        return file.read()


def _complain(path: Path, named: str, found: str | None, kind: str, findings: Findings) -> None:
    what = f"this is {kind}, not {NAMES[named]}"
    if found is not None:
        endings = " or ".join(ENDINGS[found])
        findings.error("E203", what, f"set format: {found}, or name the file {path.stem}{endings.partition(' ')[0]}")
    elif "password" in kind or "encrypted" in kind:
        findings.error("E245", what, "save it without a password")
    else:
        findings.error("E203", what, "save it as CSV (UTF-8) or .xlsx")
    findings.stop_if_wrong()
