"""How much a file of each format may be and take, in one table."""

from dataclasses import dataclass

from easitrace.cohort.formats.options import CSV, EXCEL, PARQUET, SAS, SPSS, STATA

MIB, GIB = 1 << 20, 1 << 30
MOST_COLUMNS = 16_384
MOST_CELLS = 20_000_000
MOST_ZIP_ENTRIES = 10_000
MOST_ZIP_BYTES = 2 * GIB
MOST_ZIP_RATIO = 200
SMALL_ZIP_BYTES = 32 * MIB


@dataclass(frozen=True)
class Limits:
    """Bytes of the file; bytes and seconds of the process that parses it (0: parsed in this one)."""

    size: int
    memory: int = 0
    seconds: int = 0


LIMITS = {
    CSV: Limits(2 * GIB),
    EXCEL: Limits(100 * MIB, 4 * GIB, 600),
    SPSS: Limits(100 * MIB, 4 * GIB, 600),
    SAS: Limits(100 * MIB, 4 * GIB, 600),
    STATA: Limits(100 * MIB, 4 * GIB, 600),
    PARQUET: Limits(2 * GIB, 8 * GIB, 600),
}
