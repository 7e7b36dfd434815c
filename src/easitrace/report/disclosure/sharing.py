"""How a run is shared, and what came of it."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from easitrace.errors import DisclosureError, Problem
from easitrace.report.disclosure.profiles import Interval, Profile

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "share"


@dataclass(frozen=True)
class Sharing:
    """How a run is shared.

    Attributes
    ----------
    profile : Profile
        Which counts are masked.
    identifiers : sequence of str
        The patients' identifiers, which no shared file may hold.
    outcome : str
        Label of the outcome.
    scale : str
        Scale of the trajectory model.
    interval : Interval
        Of proportions.
    style : dict
        Fields of `Style`.
    criterion : callable
        A criterion in words: "EASI-50" for "easi50".
    methods : str
        What was done, from parameters alone.
    flow : DataFrame or None
        `Cohort.flow`.
    judged : (str, float) or None
        The response criterion, as written, and the week at which it is judged; without them no key results.
    cut : date or None
        The data cut, of which the month is told.
    """

    profile: Profile
    identifiers: Sequence[str]
    outcome: str
    scale: str
    interval: Interval
    style: dict[str, Any]
    criterion: Callable[[str], str] = str
    methods: str = ""
    flow: "pd.DataFrame | None" = None
    judged: tuple[str, float] | None = None
    cut: datetime.date | None = None


@dataclass(frozen=True)
class Shared:
    """What came of it.

    Attributes
    ----------
    problems : list of Problem
        What is wrong with the shared documents.
    record : dict
        For the manifest: profile, counts masked, warnings.
    withheld : DisclosureError or None
        Why nothing was shared.
    """

    problems: list[Problem] = field(default_factory=list)
    record: dict[str, Any] = field(default_factory=dict)
    withheld: DisclosureError | None = None
