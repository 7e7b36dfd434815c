"""What the exports of one system have in common, beyond the kind of file they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from easitrace.cohort.findings import Findings
from easitrace.cohort.formats.detect import by_ending
from easitrace.cohort.formats.options import CSV
from easitrace.cohort.formats.table import Table
from easitrace.cohort.mapping import Mapping

Roles = dict[str, str]


@dataclass(frozen=True)
class Profile:
    """How the exports of one system are read.

    Attributes
    ----------
    roles : callable
        From a header to the columns that play a role unless the analyst says otherwise.
    prepare : callable
        From the table of the file, the columns of its roles and what the analyst said of them, to a table like any
        other.
    delimiter, date_format : str, optional
        How the system writes, unless the analyst says otherwise.
    every_file : bool
        Whether files of patients and of adverse events are prepared too, and not only those of visits.
    """

    roles: Callable[[Sequence[str]], Roles]
    prepare: Callable[[Table, Roles, Mapping, Findings], Table]
    delimiter: str | None = None
    date_format: str | None = None
    every_file: bool = True

    def delimiter_of(self, path: Path) -> str | None:
        """The separator of a file of the system, none when it is not text."""
        return self.delimiter if by_ending(path) in (None, CSV) else None


def first_present(names: Sequence[str], header: Sequence[str]) -> str | None:
    """The first of these names that the header has."""
    return next((name for name in names if name in header), None)
