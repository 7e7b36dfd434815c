"""What a shareable table is: which of its columns are counts of whom, and which statistics go with them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

ARM, REFERENCE = "arm", "reference"


@dataclass(frozen=True)
class Entry:
    """A shareable table.

    Attributes
    ----------
    table : str
        The file's name under `tables/` without its ending.
    caption : str
        What it shows.
    labels : tuple of str
        Columns that say what a row is about, words of parameters and of the package.
    written : str
        The label column whose words come from cells of the data: a row is shown only when its count is told.
    pooled : bool
        Whether rows with a masked count are joined into one row "other"; else they are left out.
    counts : mapping
        Column of patients to what is counted and the label columns that tell of whom; counts of one kind, labels and
        size are one count, in whichever table they stand. "cohort" is the cohort where it has its size.
    of : mapping
        Column of patients to the column they are part of; "" is the cohort.
    within : tuple of str
        Columns of patients that are of the cohort or of their arm, and may overlap: each for itself.
    reference : tuple of str
        Columns of patients that are of the arm in column `reference`.
    down : mapping
        Column of patients to the label columns within which its rows are parts of the column it is `of`.
    total_row : (str, str) or None
        Label column and word of the row that is the total of the other rows' counts.
    share : (str, str) or None
        Part and whole of `proportion`, `lower`, `upper`, which are computed anew from told counts.
    quantiles, estimates : tuple of str
        Columns told only when `n_of` is large enough; estimates only when it reaches the threshold.
    n_of : tuple of str
        Columns of patients that the quantiles or estimates are from; of another table as "table.column", all its rows.
    optional : tuple of str
        Columns that a table lacks when it has nothing of their kind.
    finest : float
        Quantiles and estimates are told to two significant digits and no finer than this.
    """

    table: str
    caption: str
    labels: tuple[str, ...]
    counts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    of: Mapping[str, str] = field(default_factory=dict)
    within: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    down: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    written: str = ""
    pooled: bool = False
    total_row: tuple[str, str] | None = None
    share: tuple[str, str] | None = None
    quantiles: tuple[str, ...] = ()
    estimates: tuple[str, ...] = ()
    p: str = ""
    n_of: tuple[str, ...] = ("n",)
    optional: tuple[str, ...] = ()
    finest: float = 0.5

    def labels_of(self, table: "pd.DataFrame") -> list[str]:
        """The label columns of a table, which may be by arm."""
        arms = [ARM, *([REFERENCE] if self.reference else [])] if ARM in table else []
        return [*arms, *self.labels]

    @property
    def columns(self) -> list[str]:
        """The columns of the table that are used."""
        return [*self.labels, *self.counts, *self.quantiles, *self.estimates, *([self.p] if self.p else [])]
