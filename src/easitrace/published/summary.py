"""A published table as a typed YAML file: what the paper prints, what had to be assumed, what is invented."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from easitrace.cohort.builtin import BUILTIN
from easitrace.errors import ParameterError, Problem
from easitrace.instruments import INSTRUMENTS, Instrument, declare_instrument
from easitrace.paired import QuartileMethod
from easitrace.published.printed import Printed, printed
from easitrace.response.expression import atoms, parse_criterion

LARGEST_FILE = 256 * 1024
STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False, arbitrary_types_allowed=True)


def _figure(entry: Any) -> Printed:
    if isinstance(entry, Printed):
        return entry
    assumed = isinstance(entry, dict) and list(entry) == ["assumed"]
    text = entry["assumed"] if assumed else entry
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str):
        raise ValueError("put a printed figure in quotes, so that its digits are kept")
    return printed(text, assumed=assumed)


def _count(entry: Any) -> Printed:
    figure = _figure(entry)
    if not figure.text.isdigit():
        raise ValueError(f"{figure.text!r} is no count; write a whole number")
    return Printed(figure.text, figure.value, figure.value, figure.value, 1.0, figure.assumed)


Figure = Annotated[Printed, BeforeValidator(_figure)]
Count = Annotated[Printed, BeforeValidator(_count)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Share = Annotated[float, Field(ge=0, le=1)]
ClassLabel = Literal[
    "responder",
    "temporary responder",
    "non-responder",
    "stopped for side effects",
    "stopped, other reason",
    "not classifiable yet",
    "not classifiable, visit missing",
]
StopReason = Literal["inefficacy", "side effects", "inefficacy and side effects", "other"]


class Entry(BaseModel):
    """An entry of the file: unknown keys are refused, nothing is converted."""

    model_config = STRICT


class Statistics(Entry):
    """What a table prints of a distribution; `median` to `sd` in the unit of the score."""

    median: Figure | None = None
    q1: Figure | None = None
    q3: Figure | None = None
    mean: Figure | None = None
    sd: Figure | None = None

    def given(self) -> dict[str, Printed]:
        """The figures that are printed, by name."""
        figures = {name: getattr(self, name) for name in Statistics.model_fields}
        return {name: figure for name, figure in figures.items() if figure is not None}


class VisitEntry(Statistics):
    """A planned visit and the outcome of those seen there."""

    week: float = Field(ge=0)
    n: Count


class TestEntry(Entry):
    """A paired test between two visits."""

    visit: str
    against: str
    p: Figure
    instrument: Name | None = None
    test: Literal["Wilcoxon signed-rank"] = "Wilcoxon signed-rank"


class StoppedEntry(Entry):
    """Patients who stopped before a visit, by reason."""

    before: str
    n: Count
    reasons: dict[StopReason, Count]


class WaitingEntry(Entry):
    """Patients still in follow-up who have not reached a visit."""

    before: str
    n: Count


class ClassEntry(Entry):
    """Response classes under one rule and their counts; patients in no class are not listed."""

    criterion: str
    loss_rule: Literal["strict", "half_of_best"] = "strict"
    decision_week: float
    estimand: Literal["treatment-policy", "while-on-treatment", "composite", "hypothetical"]
    counts: dict[ClassLabel, Count]


class ResponseEntry(Entry):
    """How many of those seen at a visit meet a criterion there."""

    criterion: str
    visit: str
    count: Count
    percent: Figure | None = None


class NumberEntry(Statistics):
    """A numeric characteristic of the patients; its shape beyond the printed figures is invented."""

    label: str
    unit: str
    minimum: float
    maximum: float
    grid: float = 1.0
    spread: float = Field(default=0.3, gt=0)


class CategoryEntry(Entry):
    """A characteristic in levels, with the number of patients in each."""

    label: str
    levels: dict[str, Count]
    percent: dict[str, Figure] = {}


class ShapeEntry(Entry):
    """The outcome's shape where the paper is silent, on the square-root scale.

    `spread` is the coefficient of variation of sqrt(outcome - lowest) at the first visit and `later_spread` at the
    others; `correlation` is that between visits; nobody starts at or below `lowest_baseline` or gets worse than
    `worst` times the own baseline.
    """

    spread: float = Field(default=0.28, gt=0)
    later_spread: float = Field(default=0.42, gt=0)
    correlation: Share = 0.6
    lowest_baseline: float | None = None
    worst: float | None = Field(default=None, gt=1)


class RelatedEntry(Entry):
    """An invented score: intercept + slope * sqrt(outcome) + a patient's own deviation + a visit's."""

    intercept: float
    slope: float
    patient_sd: float = Field(ge=0)
    visit_sd: float = Field(ge=0)
    missing: Share = 0.0


class BandedEntry(Entry):
    """An invented grade: how many of the cuts lie below the outcome."""

    cuts: list[float]


class EventEntry(Entry):
    """An invented adverse event: the share of patients who have it."""

    share: Share
    serious: Share = 0.0
    stops: bool = False


class InventedEntry(Entry):
    """How the columns on which the paper is silent are drawn."""

    outcome: ShapeEntry = ShapeEntry()
    day_jitter: int = Field(default=0, ge=0)
    related: dict[Name, RelatedEntry] = {}
    banded: dict[Name, BandedEntry] = {}
    events: dict[str, EventEntry] = {}


class Summary(Entry):
    """A published table: the whole file."""

    study: Name
    source: str
    seed: int = Field(ge=0, lt=2**32)
    patients: Count
    outcome: Name = "easi"
    instrument: dict[str, Any] | None = None
    quartiles: QuartileMethod = "linear"
    visits: dict[str, VisitEntry] = Field(min_length=1)
    tests: list[TestEntry] = []
    stopped: StoppedEntry | None = None
    in_follow_up: WaitingEntry | None = None
    classes: ClassEntry | None = None
    responses: list[ResponseEntry] = []
    numbers: dict[Name, NumberEntry] = {}
    categories: dict[Name, CategoryEntry] = {}
    invented: InventedEntry = InventedEntry()

    @property
    def n(self) -> int:
        """Patients in the cohort."""
        return int(self.patients.value)

    def measure(self, name: str | None = None) -> Instrument:
        """An instrument of the table; the outcome when no name is given."""
        if self.instrument and name in (None, self.outcome):
            return declare_instrument(self.instrument)
        return INSTRUMENTS[name or self.outcome]

    @model_validator(mode="after")
    def _criteria_are_of_the_outcome(self) -> Self:
        criteria = [response.criterion for response in self.responses]
        criteria += [self.classes.criterion] if self.classes else []
        for criterion in criteria:
            try:
                expression = parse_criterion(criterion, self.outcome)
            except ParameterError as error:
                raise ValueError(f"{error.problems[0].what}; {error.problems[0].remedy}") from error
            for atom in atoms(expression):
                if atom.instrument != self.outcome:
                    raise ValueError(f"criterion {criterion!r} is not about {self.outcome}, which is searched")
        return self

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        weeks = [visit.week for visit in self.visits.values()]
        if weeks != sorted(set(weeks)):
            raise ValueError("visits: list them in time order, each week once")
        labels = [label for test in self.tests for label in (test.visit, test.against)]
        labels += [entry.before for entry in (self.stopped, self.in_follow_up) if entry]
        labels += [response.visit for response in self.responses]
        if unknown := sorted(set(labels) - set(self.visits)):
            raise ValueError(f"{unknown[0]!r} is no visit; the visits are {', '.join(self.visits)}")
        if self.classes and self.classes.decision_week not in weeks:
            raise ValueError(f"classes: decision_week {self.classes.decision_week:g} is no visit's week")
        scores = {*self.invented.related, *self.invented.banded, *(t.instrument for t in self.tests if t.instrument)}
        declared = {self.outcome} if self.instrument else set()
        if unknown := sorted({*scores, self.outcome} - set(INSTRUMENTS) - declared):
            raise ValueError(f"{unknown[0]!r} is no instrument; known are {', '.join(INSTRUMENTS)}")
        return self


def read_summary(path: str | Path) -> Summary:
    """Read a published table; `path` may be the name of a built-in cohort.

    Raises
    ------
    ParameterError
        E280 with every problem of the file: unreadable, not YAML 1.2, unknown key, wrong value.
    """
    where = str(path)
    return _checked(_parsed(summary_bytes(path), where), where)


def summary_bytes(path: str | Path) -> bytes:
    """The bytes of a published table; `path` may be the name of a built-in cohort.

    Raises
    ------
    ParameterError
        E280 when the file cannot be read.
    """
    where = str(path)
    if where in BUILTIN:
        return resources.files("easitrace.cohort").joinpath("data", where, "summary.yml").read_bytes()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ParameterError(Problem("E280", where, error.strerror or str(error), "give a .yml file")) from error


def _parsed(raw: bytes, where: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    if len(raw) > LARGEST_FILE:
        raise ParameterError(Problem("E280", where, f"larger than {LARGEST_FILE // 1024} KiB", "a table is short"))
    try:
        return YAML(typ="safe", pure=True).load(raw.decode("utf-8-sig"))
    except (YAMLError, UnicodeDecodeError) as error:
        what = " ".join(str(error).split())
        raise ParameterError(Problem("E280", where, f"not valid YAML: {what}", "correct the file")) from error


def _checked(content: Any, where: str) -> Summary:
    if not isinstance(content, Mapping):
        raise ParameterError(Problem("E280", where, "no mapping at the top", "write `name: value` lines"))
    try:
        return Summary.model_validate(content)
    except ValidationError as error:
        raise ParameterError(
            Problem("E280", f"{where} {'.'.join(map(str, fault['loc']))}".strip(), fault["msg"])
            for fault in error.errors()
        ) from error
