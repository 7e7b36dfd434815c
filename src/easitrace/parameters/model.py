"""The parameters of a report: names, types, defaults and meanings, the same in YAML, notebooks and functions."""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, Self, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, model_validator
from pydantic_core import PydanticCustomError

from easitrace.cohort.builtin import BUILTIN
from easitrace.cohort.dates import declared_day
from easitrace.cohort.mapping import AgeGroup, SeveralRule
from easitrace.errors import ParameterError, Problem
from easitrace.paired import QuartileMethod
from easitrace.parameters.findings import did_you_mean, plain
from easitrace.response.classify import LossRule
from easitrace.response.estimands import Estimand
from easitrace.response.missing import MissingRule
from easitrace.response.proportions import Interval

STRICT = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)
LONGEST_TEXT = 200

Covariance = Literal["us", "toeph", "toep", "ar1h", "ar1", "csh", "cs", "adh", "ad"]
BaselineRule = Literal["common", "own", "covariate", "covariate-by-visit"]
Disclosure = Literal["internal", "share-5", "share-8", "share-11"]
DegreesOfFreedom = Literal["satterthwaite", "kenward-roger", "kenward-roger-linear", "between-within", "residual"]


def refused(what: str, remedy: str = "") -> PydanticCustomError:
    """What a validator raises: what is wrong and what to do."""
    return PydanticCustomError("refused", "{what}; {remedy}", {"what": what, "remedy": remedy})


def _matching(pattern: str, remedy: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise refused(f"{text[:LONGEST_TEXT]!r} cannot be used here", remedy)
        return text

    return check


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > LONGEST_TEXT:
        raise refused("not one line of text", f"write 1 to {LONGEST_TEXT} printable characters")
    return text


def _plain_text(text: str) -> str:
    return _one_line(text) if text else text


def _column_names(names: Any) -> str | list[str]:
    if isinstance(names, str):
        return _one_line(names)
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise refused(f"{names!r:.{LONGEST_TEXT}} names no column", "give the column, or a list when files differ")
    return [_one_line(name) for name in names]


def _whole_if_whole(number: float) -> float:
    return int(number) if number == int(number) else number


def _encoding(name: str) -> str:
    try:
        "a".encode(name)
    except (LookupError, UnicodeError, ValueError):
        remedy = did_you_mean(name, ["utf-8", "utf-8-sig", "utf-16", "cp1252", "latin-1"])
        raise refused(f"{name[:LONGEST_TEXT]!r} is no text encoding", remedy) from None
    return name


def _separator(text: str) -> str:
    if len(text) != 1 or text.isalnum() or text in "\"'\r\n-+":
        raise refused(
            f"{text[:LONGEST_TEXT]!r} cannot separate fields", 'write ",", ";", "|" or "\\t" in double quotes'
        )
    return text


def _date_format(text: str) -> str:
    parts = re.findall(r"[a-z]+", text.lower())
    if sorted(part[0] for part in parts) != ["d", "m", "y"] or not {*parts} <= {"d", "dd", "m", "mm", "yyyy"}:
        shown = text[:LONGEST_TEXT]
        raise refused(f"{shown!r} is no date format", "write it like dd-mm-yyyy, d/m/yyyy or yyyy-mm-dd")
    return text


def _day(text: str) -> str:
    try:
        declared_day(text)
    except ValueError as error:
        raise refused(*error.args) from None
    return text


def _missing_codes(codes: Any) -> list[str] | dict[str, str]:
    texts = [*codes, *codes.values()] if isinstance(codes, dict) else codes
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise refused(f"{str(codes)[:LONGEST_TEXT]!r} is not a list", "write [-99, ND] or {-99: not done}")
    return cast("list[str] | dict[str, str]", codes)


def _once_each(formats: list[str]) -> list[str]:
    if not formats or len(set(formats)) < len(formats):
        raise refused("not a list of different formats", "write such as [html, pdf, docx]")
    return formats


Name = Annotated[str, AfterValidator(_matching(r"[a-z][a-z0-9_]{0,63}", "use small letters, digits and _"))]
Slug = Annotated[
    str,
    AfterValidator(_matching(r"[a-z0-9][a-z0-9_-]{0,63}", "it names a folder: use small letters, digits, - and _")),
]
Line = Annotated[str, AfterValidator(_one_line)]
Text = Annotated[str, AfterValidator(_plain_text)]
Number = Annotated[float, AfterValidator(_whole_if_whole)]
Columns = Annotated[str | list[str], PlainValidator(_column_names)]


Format = Literal["csv", "excel", "spss", "sas", "stata", "parquet", "redcap", "castor", "adam"]


class InstrumentEntry(BaseModel):
    """An outcome the package does not know: its range, grid and direction."""

    model_config = STRICT

    name: Name
    label: Line | None = None
    minimum: Number
    maximum: Number
    grid: Annotated[Number, Field(gt=0)]
    better: Literal["lower", "higher"]


class StyleEntry(BaseModel):
    """How numbers are printed; what is not given keeps the default of `easitrace.report.style.Style`."""

    model_config = STRICT

    p_leading_zero: bool = False
    decimal: Literal[".", ","] = "."
    digits: Annotated[int, Field(ge=0, le=6)] = 1


class Parameters(BaseModel):
    """Everything that can be chosen about a report, checked.

    Raises
    ------
    ValidationError
        pydantic's, when a value does not fit. `check_parameters` turns it into a `ParameterError`.
    """

    model_config = STRICT

    study: Slug = Field(description="folder of the report under reports/")
    title: Line = Field(description="title of the report")
    drug: Text = Field("", description="name of the drug in the text")
    data: Line = Field(description="name of a built-in cohort, or path of a file")
    format: Format | None = Field(None, description="format of the file; none: by its ending")
    sheet: Line | None = Field(None, description="sheet of the workbook; none: the only one")
    header_row: Annotated[int, Field(ge=1)] = Field(1, description="row of the column names")
    delimiter: Annotated[str, AfterValidator(_separator)] | None = Field(
        None, description="field separator; none: found from the header"
    )
    encoding: Annotated[str, AfterValidator(_encoding)] = Field("utf-8", description="encoding of the file")
    decimal: Literal[".", ","] = Field(".", description="decimal sign of the file")
    date_format: Annotated[str, AfterValidator(_date_format)] | None = Field(
        None, description="order of day, month and year in the file, e.g. dd-mm-yyyy"
    )
    missing_codes: Annotated[Any, AfterValidator(_missing_codes)] = Field(
        [], description="cell texts that mean missing, or code -> why it is missing"
    )
    data_cut: Annotated[str, AfterValidator(_day)] | None = Field(
        None, description="day on which the data were taken, yyyy-mm-dd; no date lies after it"
    )
    visit_data: list[Line] = Field([], description="further files with rows per visit")
    patient_data: Line | None = Field(None, description="file with one row per patient")
    event_data: Line | None = Field(None, description="file with one row per adverse event")
    columns: dict[Name, Columns] | None = Field(None, description="role -> column of the file")
    values: dict[Name, dict[str, str]] | None = Field(None, description="role -> value in the file -> our value")
    visits: dict[Line, Number] | None = Field(None, description="visit label -> planned week; the first is baseline")
    windows: dict[Line, list[Number]] | None = Field(None, description="visit label -> [first day, last day]")
    several: SeveralRule | None = Field(
        None, description="several rows for one visit; none: windows take the nearest, labels refuse"
    )
    unscheduled: list[Line] = Field([], description="labels of visits outside the schedule")
    age_group: AgeGroup | None = Field(
        None, description="adult or child, when EASI comes from its regions and age is not mapped"
    )
    only: dict[Line, list[str]] | None = Field(None, description="column -> values of the rows that are read")
    decision_week: Annotated[Number, Field(gt=0)] = Field(description="week at which response is judged")
    outcome: Name = Field("easi", description="instrument the report is about")
    instrument: InstrumentEntry | None = Field(None, description="declares an outcome the package does not know")
    scale: Literal["raw", "log1p", "sqrt"] = Field("log1p", description="scale on which the model is fitted")
    covariates: list[Name] = Field([], description="patient-level covariates of the model")
    arm: Name | None = Field(None, description="patient-level column of the treatment group")
    reference_arm: Line | None = Field(None, description="arm that the others are compared with")
    strata: list[Name] = Field([], description="patient-level columns the randomisation was stratified by")
    baseline: BaselineRule = Field("common", description="how the baseline enters the model of arms")
    covariance_by_arm: bool = Field(False, description="a covariance matrix of its own for each arm")
    criterion: Line = Field("easi50", description="response criterion")
    loss_rule: LossRule = Field("strict", description="when a response counts as lost")
    estimand: Estimand = Field(description="how stopping treatment enters the analysis")
    missing: MissingRule = Field("observed", description="missing-data rule of the responder proportions")
    imputations: Annotated[int, Field(ge=2, le=1000)] = Field(50, description="number of imputations")
    covariance: Covariance = Field("us", description="covariance structure of the trajectory model")
    df: DegreesOfFreedom = Field("kenward-roger", description="degrees of freedom of its tests")
    max_classes: Annotated[int, Field(ge=1, le=8)] = Field(3, description="largest number of latent classes")
    starts: Annotated[int, Field(ge=1, le=1000)] = Field(50, description="random starts of each latent class model")
    level: Annotated[float, Field(gt=0.5, lt=1)] = Field(0.95, description="confidence level")
    interval: Interval = Field("wilson", description="interval for proportions")
    quartiles: QuartileMethod = Field("linear", description="definition of quartiles, by its NumPy name")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(description="start of the random numbers")
    published: Line | None = Field(None, description="published figures to set beside ours")
    context: bool = Field(True, description="draw published cohorts beside this one")
    formats: Annotated[list[Literal["html", "pdf", "docx"]], AfterValidator(_once_each)] = Field(
        ["html"], description="what the report is written as; the HTML page always is"
    )
    disclosure: Disclosure = Field("internal", description="internal, or the profile of a report for others")
    min_cell: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="smallest number of patients told to others, when above the profile's"
    )
    style: StyleEntry = Field(StyleEntry(), description="how numbers are printed")
    show_code: bool = Field(False, description="show the code in the report")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        from easitrace.parameters.checks import contradictions

        found = list(contradictions({name: getattr(self, name) for name in type(self).model_fields}))
        if found:
            raise refused("; ".join(f"{finding.path}: {finding.what}" for finding in found))
        return self

    @property
    def built_in(self) -> bool:
        """Whether `data` names a cohort that ships with the package."""
        return self.data in BUILTIN

    def for_chapter(self, names: Iterable[str]) -> dict[str, Any]:
        """The values of these parameters as JSON knows them, for the parameters cell of a notebook.

        Raises
        ------
        ParameterError
            E103 when a name is no parameter.
        """
        wanted = list(names)
        fields = list(type(self).model_fields)
        unknown = [name for name in wanted if name not in fields]
        if unknown:
            raise ParameterError(
                Problem("E103", f"chapter, key {name}", "unknown parameter", did_you_mean(name, fields))
                for name in unknown
            )
        return {name: plain(getattr(self, name)) for name in wanted}

    def cohort_arguments(self) -> dict[str, Any]:
        """Keyword arguments of `read_cohort` besides the data: `read_cohort(p.data, **p.cohort_arguments())`."""
        from easitrace.parameters.checks import FILE_ONLY, OF_PATIENTS

        names = [*([] if self.built_in else FILE_ONLY), "outcome", "covariates", *OF_PATIENTS]
        return self.for_chapter(names)
