"""Parameters that are each fine and contradict each other.

A check is a function whose arguments are the parameters it looks at; it runs when all of them are valid.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from easitrace.cohort.builtin import BUILTIN, load_builtin
from easitrace.cohort.formats.detect import by_ending
from easitrace.cohort.formats.guard import ADDRESS
from easitrace.cohort.formats.options import CSV, NAMES, Options, unused_options
from easitrace.cohort.mapping import choice_faults, from_parts, names_of
from easitrace.cohort.profiles import PROFILES
from easitrace.cohort.roles import DATE_ROLES
from easitrace.errors import ParameterError
from easitrace.instruments import INSTRUMENTS, Instrument, declare_instrument
from easitrace.parameters.findings import Finding, did_you_mean, plain
from easitrace.report.disclosure.profiles import INTERNAL, THRESHOLDS
from easitrace.response.criteria import wrong_way
from easitrace.response.expression import atoms, parse_criterion

FILE_ONLY: dict[str, Any] = {
    "format": None,
    "sheet": None,
    "header_row": 1,
    "delimiter": None,
    "encoding": "utf-8",
    "decimal": ".",
    "date_format": None,
    "missing_codes": [],
    "data_cut": None,
    "visit_data": [],
    "patient_data": None,
    "event_data": None,
    "columns": None,
    "values": None,
    "visits": None,
    "windows": None,
    "several": None,
    "unscheduled": [],
    "age_group": None,
    "only": None,
    "instrument": None,
}
OF_PATIENTS = ("arm", "reference_arm", "strata")
OF_ARMS: dict[str, Any] = {"reference_arm": None, "strata": [], "baseline": "common", "covariance_by_arm": False}
DAYS = ("date", "day")
LABELS = ("visit", "week")
DEFAULT_ROLES = ("patient", *LABELS)
DAYS_A_WEEK = 7

Columns = Mapping[str, str | list[str]] | None
Visits = Mapping[str, float] | None
Windows = Mapping[str, list[float]] | None


def contradictions(values: Mapping[str, Any]) -> Iterator[Finding]:
    """What contradicts what among parameters that are valid one by one; absent ones silence their checks."""
    yield from _ignored(values)
    for check in CHECKS:
        names = inspect.signature(check).parameters
        if all(name in values for name in names):
            yield from check(**{name: values[name] for name in names})


def _contradiction(key: str | tuple[str | int, ...], what: str, remedy: str) -> Finding:
    return Finding((key,) if isinstance(key, str) else key, "E106", what, remedy)


def _missing(path: tuple[str | int, ...], what: str, remedy: str) -> Finding:
    return Finding(path, "E104", what, remedy)


def _ignored(values: Mapping[str, Any]) -> Iterator[Finding]:
    """What describes a file although the data are built in."""
    if values.get("data") in BUILTIN:
        for name, default in FILE_ONLY.items():
            if values.get(name, default) != default:
                what = f"describes a file, but data is the built-in cohort {values['data']}"
                yield _contradiction(name, what, "remove it")


def _names_a_file(data: str) -> bool:
    return data not in BUILTIN and "." in data


def _data_name(data: str) -> Iterator[Finding]:
    if ADDRESS.match(data):
        yield Finding(("data",), "E105", "this is an address", "only local files are read: fetch the file first")
        return
    if data not in BUILTIN and not _names_a_file(data):
        remedy = f"{did_you_mean(data, BUILTIN)} A file is named with its ending, such as .csv"
        yield Finding(("data",), "E105", f"no built-in cohort is called {data}", remedy)


def _schedule_is_given(data: str, visits: Visits) -> Iterator[Finding]:
    if _names_a_file(data) and not visits:
        yield _missing(("visits",), "required to read a file", 'give the schedule, such as {"0": 0, "4": 4}')


def _choices_of_the_data(
    columns: Columns,
    visits: Visits,
    outcome: str,
    covariates: list[str],
    several: str | None,
    unscheduled: list[str],
    age_group: str | None,
    event_data: str | None,
) -> Iterator[Finding]:
    """What `read_cohort` would refuse before it opens a file."""
    names = names_of(columns or {})
    for fault in choice_faults(
        names,
        labels=list(visits or {}),
        needed=[outcome, *covariates],
        several=several,
        unscheduled=unscheduled,
        age_group=age_group,
        events_apart=event_data is not None,
    ):
        yield Finding(tuple(fault.where.split(".")), fault.code, fault.what, fault.remedy)


def _recoded_columns(
    columns: Columns, values: Any, outcome: str, covariates: list[str], arm: str | None, strata: list[str]
) -> Iterator[Finding]:
    known = [*(columns or {}), *DEFAULT_ROLES, outcome, *covariates, *strata, *([arm] if arm else [])]
    for role in values or {}:
        if role not in known:
            yield _contradiction(("values", role), f"{role} is not under columns", did_you_mean(role, known))


def _arms_are_whole(
    arm: str | None, reference_arm: str | None, strata: list[str], baseline: str, covariance_by_arm: bool
) -> Iterator[Finding]:
    given: dict[str, Any] = {"reference_arm": reference_arm, "strata": strata, "baseline": baseline}
    given["covariance_by_arm"] = covariance_by_arm
    if arm is None:
        for name, value in given.items():
            if value != OF_ARMS[name]:
                yield _contradiction(name, "is about arms, but there is no arm", "name the column under arm")
    elif reference_arm is None:
        yield _missing(("reference_arm",), "required with arm", "name the arm that the others are compared with")


def _one_use_each(arm: str | None, strata: list[str], covariates: list[str], outcome: str) -> Iterator[Finding]:
    named = {"outcome": [outcome], "arm": [arm] if arm else [], "strata": strata, "covariates": covariates}
    seen: dict[str, str] = {}
    for key, names in named.items():
        for name in names:
            if name in seen:
                yield _contradiction(key, f"{name} already is under {seen[name]}", "name each column once")
            seen.setdefault(name, key)


def _baseline_rule_has_visits(visits: Visits, baseline: str) -> Iterator[Finding]:
    if visits and len(visits) == 2 and baseline.startswith("covariate"):
        what = f"{baseline} models the visits after baseline, and there is one"
        yield _contradiction("baseline", what, "use common or own")


def _order_of_visits(visits: Visits) -> Iterator[Finding]:
    if not visits:
        return
    first = next(iter(visits))
    if visits[first] != 0:
        what = "the first visit is the baseline and its week must be 0"
        yield _contradiction(("visits", first), what, "begin with the baseline")
    if len(visits) == 1:
        yield _contradiction("visits", "only a baseline", "add the visits that follow it")
    for (label, week), (later, later_week) in pairwise(visits.items()):
        if later_week <= week:
            what = f"week {later_week:g} does not come after week {week:g} of visit {label}"
            yield _contradiction(("visits", later), what, "list the visits in time order, each week once")


def _decision_week(data: str, visits: Visits, decision_week: float) -> Iterator[Finding]:
    planned_visits = (
        [visit.week for visit in load_builtin(data).schedule] if data in BUILTIN else (visits or {}).values()
    )
    weeks = list(planned_visits)[1:]
    if weeks and decision_week not in weeks:
        nearest = min(weeks, key=lambda week: abs(week - decision_week))
        planned = ", ".join(f"{week:g}" for week in weeks)
        what = f"week {decision_week:g} is not a planned week after baseline ({planned})"
        yield _contradiction("decision_week", what, f"did you mean {nearest:g}?")


def _window_labels(visits: Visits, windows: Windows) -> Iterator[Finding]:
    if not windows or not visits:
        return
    for label in windows:
        if label not in visits:
            yield _contradiction(("windows", label), "no such visit", did_you_mean(label, visits))
    for label in visits:
        if label not in windows:
            yield _missing(("windows", label), "visit without a window", f"add `{label}: [first day, last day]`")


def _window_days(windows: Windows) -> Iterator[Finding]:
    for label, days in (windows or {}).items():
        if not _sound(days):
            yield Finding(("windows", label), "E105", f"{days} is no window", "write [first day, last day]")
    ordered = sorted(((label, days) for label, days in (windows or {}).items() if _sound(days)), key=lambda w: w[1])
    for (label, days), (later, later_days) in pairwise(ordered):
        if later_days[0] <= days[1]:
            what = f"{later_days} overlaps {days} of visit {label}"
            yield _contradiction(("windows", later), what, f"begin after day {days[1]:g}")


def _windows_hold_their_visit(visits: Visits, windows: Windows) -> Iterator[Finding]:
    for label, days in (windows or {}).items():
        week = (visits or {}).get(label)
        if week is not None and _sound(days) and not days[0] <= week * DAYS_A_WEEK <= days[1]:
            what = f"{days} does not hold the planned day {week * DAYS_A_WEEK:g} (week {week:g})"
            yield _contradiction(("windows", label), what, "windows are in days, visits in weeks")


def _sound(days: list[float]) -> bool:
    return len(days) == 2 and days[0] <= days[1]


def _kind_of_file(data: str, format: str | None) -> str | None:
    """The format of the file itself, which an export of a system says nothing about."""
    return format if format and format not in PROFILES else by_ending(Path(data))


def _windows_are_needed(columns: Columns, format: str | None, windows: Windows) -> Iterator[Finding]:
    roles = columns or {}
    days = [role for role in DAYS if role in roles]
    starred = any("*" in name for names in names_of(roles).values() for name in names)
    labelled = starred or format in PROFILES or any(role in roles for role in LABELS)
    if days and not labelled and not windows:
        what = f"required when only {days[0]} says which row is which visit"
        yield _missing(("windows",), what, "add `visit label: [first day, last day]` for every visit")
    if windows and not days:
        yield _contradiction("windows", "neither date nor day is under columns", "map one of them, or remove windows")


def _date_format_is_used(data: str, format: str | None, columns: Columns, date_format: str | None) -> Iterator[Finding]:
    dates = [role for role in DATE_ROLES if role in (columns or {})]
    typed = _kind_of_file(data, format) not in (None, CSV)
    declared = date_format or (format in PROFILES and PROFILES[format].date_format)
    if dates and not declared and not typed:
        what = f"required to read {dates[0]}"
        yield _missing(("date_format",), what, "say the order in the file, such as dd-mm-yyyy")
    if date_format is not None and not dates:
        yield _contradiction("date_format", "no date is under columns", f"remove it, or map {' or '.join(DATE_ROLES)}")


def _options_fit_the_format(
    data: str, format: str | None, delimiter: str | None, encoding: str, sheet: str | None, header_row: int
) -> Iterator[Finding]:
    file_format = _kind_of_file(data, format)
    if data not in BUILTIN and file_format in NAMES:
        options = Options(delimiter=delimiter, encoding=encoding, sheet=sheet, header_row=header_row)
        for problem in unused_options(options, file_format):
            yield _contradiction(problem.where, problem.what, problem.remedy)


def _delimiter_is_not_decimal(delimiter: str | None, decimal: str) -> Iterator[Finding]:
    if delimiter == decimal:
        what = f"{delimiter!r} is also the decimal sign"
        yield _contradiction("delimiter", what, 'decimal comma goes with delimiter ";" or "\\t"')


def _criterion_fits(criterion: str, outcome: str, columns: Columns, instrument: Any) -> Iterator[Finding]:
    try:
        expression = parse_criterion(criterion, outcome)
    except ParameterError as error:
        yield from _as_findings("criterion", error)
        return
    instruments = {**INSTRUMENTS, **_declared(instrument)}
    for atom in dict.fromkeys(atoms(expression)):
        name = atom.instrument
        if columns and name not in {*columns, *from_parts({*columns, outcome}), outcome}:
            yield _contradiction("criterion", f"{name} is not under columns", did_you_mean(name, columns))
        elif name in instruments:
            yield from _as_findings("criterion", ParameterError(wrong_way(atom, instruments[name])))
        elif name != outcome:
            yield _contradiction("criterion", f"{name} is no instrument", did_you_mean(name, instruments))


def _outcome_is_known(outcome: str, instrument: Any) -> Iterator[Finding]:
    if instrument is None and outcome not in INSTRUMENTS:
        remedy = f"{did_you_mean(outcome, INSTRUMENTS)} Or declare it under instrument"
        yield _contradiction("outcome", f"{outcome} is no instrument", remedy)
    if instrument is not None and plain(instrument)["name"] != outcome:
        what = f"declares {plain(instrument)['name']}, but outcome is {outcome}"
        yield _contradiction(("instrument", "name"), what, f"write outcome: {plain(instrument)['name']}")


def _instrument_is_sound(instrument: Any) -> Iterator[Finding]:
    try:
        if instrument is not None:
            declare_instrument(plain(instrument))
    except ParameterError as error:
        yield from _as_findings("instrument", error)


def _declared(instrument: Any) -> dict[str, Instrument]:
    """The declared instrument by name, none when it is unsound."""
    if instrument is None or list(_instrument_is_sound(instrument)):
        return {}
    declared = declare_instrument(plain(instrument))
    return {declared.name: declared}


def _min_cell_is_used(disclosure: str, min_cell: int | None) -> Iterator[Finding]:
    if min_cell is None:
        return
    if disclosure == INTERNAL:
        yield _contradiction("min_cell", "nothing is masked in an internal report", "remove it, or set disclosure")
    elif min_cell <= THRESHOLDS[disclosure]:
        what = f"{min_cell} is not above the smallest number of {disclosure}, {THRESHOLDS[disclosure]}"
        yield _contradiction("min_cell", what, "remove it, or raise it")


def _as_findings(key: str, error: ParameterError) -> Iterator[Finding]:
    yield from (Finding((key,), problem.code, problem.what, problem.remedy) for problem in error.problems)


CHECKS: tuple[Callable[..., Iterator[Finding]], ...] = (
    _data_name,
    _schedule_is_given,
    _choices_of_the_data,
    _recoded_columns,
    _arms_are_whole,
    _one_use_each,
    _baseline_rule_has_visits,
    _order_of_visits,
    _decision_week,
    _window_labels,
    _window_days,
    _windows_hold_their_visit,
    _windows_are_needed,
    _date_format_is_used,
    _options_fit_the_format,
    _delimiter_is_not_decimal,
    _criterion_fits,
    _outcome_is_known,
    _instrument_is_sound,
    _min_cell_is_used,
)
