"""Parameters that are each fine and contradict each other.

A check is a function whose arguments are the parameters it looks at; it runs when all of them are valid.
"""

import inspect
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from easitrace.errors import ParameterError
from easitrace.parameters.findings import Finding, did_you_mean
from easitrace.response.expression import atoms, parse_criterion

BUILT_IN: dict[str, tuple[float, ...]] = {"baricitinib": (0, 4, 12)}
FILE_ONLY: dict[str, Any] = {
    "delimiter": None,
    "encoding": "utf-8",
    "decimal": ".",
    "date_format": None,
    "missing_codes": [],
    "columns": None,
    "values": None,
    "visits": None,
    "windows": None,
    "instrument": None,
}
DATES = ("date", "start_date", "stop_date")
TIMES = ("visit", "week", "date", "day")
DAYS_A_WEEK = 7

Check = Callable[..., Iterator[Finding]]


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


def _known(data: str) -> bool:
    return data in BUILT_IN or "." in data


def _data_name(data: str) -> Iterator[Finding]:
    if not _known(data):
        remedy = f"{did_you_mean(data, BUILT_IN)} A file is named with its ending, such as .csv"
        yield Finding(("data",), "E105", f"no built-in cohort is called {data}", remedy)


def _ignored(values: Mapping[str, Any]) -> Iterator[Finding]:
    """What describes a file although the data are built in."""
    if values.get("data") in BUILT_IN:
        for name, default in FILE_ONLY.items():
            if values.get(name, default) != default:
                what = f"describes a file, but data is the built-in cohort {values['data']}"
                yield _contradiction(name, what, "remove it")


def _file_is_described(data: str, columns: Any, visits: Any) -> Iterator[Finding]:
    if data in BUILT_IN or not _known(data):
        return
    if not columns:
        yield _missing(("columns",), "required to read a file", "say which column is which: patient, visit, easi")
    if not visits:
        yield _missing(("visits",), "required to read a file", 'give the schedule, such as {"0": 0, "4": 4}')


def _needed_columns(columns: Mapping[str, str] | None, outcome: str, covariates: list[str]) -> Iterator[Finding]:
    if not columns:
        return
    for role in ["patient", outcome]:
        if role not in columns:
            remedy = f"add `{role}: <column of the file>` under columns; {did_you_mean(role, columns)}"
            yield _missing(("columns", role), "required and missing", remedy)
    for number, covariate in enumerate(covariates):
        if covariate not in columns:
            what = f"covariate {covariate} is not under columns"
            yield _contradiction(("covariates", number), what, did_you_mean(covariate, columns))


def _one_role_each(columns: Mapping[str, str] | None) -> Iterator[Finding]:
    counts = Counter((columns or {}).values())
    for role, column in (columns or {}).items():
        first = next(r for r, c in (columns or {}).items() if c == column)
        if counts[column] > 1 and role != first:
            yield _contradiction(
                ("columns", role), f"column {column} already is {first}", "map each column to one role"
            )


def _recoded_columns(columns: Mapping[str, str] | None, values: Mapping[str, Any] | None) -> Iterator[Finding]:
    for role in values or {}:
        if columns and role not in columns:
            yield _contradiction(("values", role), f"{role} is not under columns", did_you_mean(role, columns))


def _order_of_visits(visits: Mapping[str, float] | None) -> Iterator[Finding]:
    if not visits:
        return
    first = next(iter(visits))
    if visits[first] != 0:
        yield _contradiction(
            ("visits", first), "the first visit is the baseline and its week must be 0", "begin with the baseline"
        )
    if len(visits) == 1:
        yield _contradiction("visits", "only a baseline", "add the visits that follow it")
    for (label, week), (later, later_week) in pairwise(visits.items()):
        if later_week <= week:
            what = f"week {later_week:g} does not come after week {week:g} of visit {label}"
            yield _contradiction(("visits", later), what, "list the visits in time order, each week once")


def _decision_week(data: str, visits: Mapping[str, float] | None, decision_week: float) -> Iterator[Finding]:
    weeks = BUILT_IN.get(data, tuple((visits or {}).values()))[1:]
    if weeks and decision_week not in weeks:
        nearest = min(weeks, key=lambda week: abs(week - decision_week))
        planned = ", ".join(f"{week:g}" for week in weeks)
        what = f"week {decision_week:g} is not a planned week after baseline ({planned})"
        yield _contradiction("decision_week", what, f"did you mean {nearest:g}?")


def _window_labels(visits: Mapping[str, float] | None, windows: Mapping[str, Any] | None) -> Iterator[Finding]:
    if not windows or not visits:
        return
    for label in windows:
        if label not in visits:
            yield _contradiction(("windows", label), "no such visit", did_you_mean(label, visits))
    for label in visits:
        if label not in windows:
            yield _missing(("windows", label), "visit without a window", f"add `{label}: [first day, last day]`")


def _window_days(windows: Mapping[str, list[float]] | None) -> Iterator[Finding]:
    sound = {}
    for label, days in (windows or {}).items():
        if len(days) != 2 or days[0] > days[1]:
            yield Finding(("windows", label), "E105", f"{days} is no window", "write [first day, last day]")
        else:
            sound[label] = days
    for (label, days), (later, later_days) in pairwise(sorted(sound.items(), key=lambda item: item[1])):
        if later_days[0] <= days[1]:
            what = f"{later_days} overlaps {days} of visit {label}"
            yield _contradiction(("windows", later), what, f"begin after day {days[1]:g}")


def _windows_hold_their_visit(
    visits: Mapping[str, float] | None, windows: Mapping[str, list[float]] | None
) -> Iterator[Finding]:
    for label, days in (windows or {}).items():
        planned = (visits or {}).get(label)
        if planned is None or len(days) != 2 or days[0] > days[1]:
            continue
        if not days[0] <= planned * DAYS_A_WEEK <= days[1]:
            what = f"{days} does not hold the planned day {planned * DAYS_A_WEEK:g} (week {planned:g})"
            yield _contradiction(("windows", label), what, "windows are in days, visits in weeks")


def _windows_are_needed(columns: Mapping[str, str] | None, windows: Mapping[str, Any] | None) -> Iterator[Finding]:
    if not columns:
        return
    wide = any("*" in column for column in columns.values())
    timed = [role for role in TIMES if role in columns]
    if not wide and not timed:
        remedy = "add visit, week, date or day, or put * for the visit in the columns of a wide file"
        yield _missing(("columns", "visit"), "nothing says which row is which visit", remedy)
    labelled = wide or "visit" in columns or "week" in columns
    if timed and not labelled and not windows:
        what = f"required when only {timed[0]} says which row is which visit"
        yield _missing(("windows",), what, "add `visit label: [first day, last day]` for every visit")


def _date_format_is_used(columns: Mapping[str, str] | None, date_format: str | None) -> Iterator[Finding]:
    dates = [role for role in DATES if role in (columns or {})]
    if dates and date_format is None:
        what = f"required to read {dates[0]}"
        yield _missing(("date_format",), what, "say the order in the file, such as dd-mm-yyyy")
    if columns and date_format is not None and not dates:
        yield _contradiction("date_format", "no date is under columns", f"remove it, or map {' or '.join(DATES)}")


def _delimiter_is_not_decimal(delimiter: str | None, decimal: str) -> Iterator[Finding]:
    if delimiter == decimal:
        what = f"{delimiter!r} is also the decimal sign"
        yield _contradiction("delimiter", what, 'decimal comma goes with delimiter ";" or "\\t"')


def _criterion_has_data(criterion: str, outcome: str, columns: Mapping[str, str] | None) -> Iterator[Finding]:
    try:
        expression = parse_criterion(criterion, outcome)
    except ParameterError as error:
        yield from (Finding(("criterion",), p.code, p.what, p.remedy) for p in error.problems)
        return
    for name in dict.fromkeys(atom.instrument for atom in atoms(expression)):
        if columns and name not in columns:
            yield _contradiction("criterion", f"{name} is not under columns", did_you_mean(name, columns))


def _declared_outcome(outcome: str, instrument: Any) -> Iterator[Finding]:
    name = getattr(instrument, "name", None) or (instrument or {"name": outcome})["name"]
    if name != outcome:
        what = f"declares {name}, but outcome is {outcome}"
        yield _contradiction(("instrument", "name"), what, f"write outcome: {name}")


CHECKS: tuple[Check, ...] = (
    _data_name,
    _file_is_described,
    _needed_columns,
    _one_role_each,
    _recoded_columns,
    _order_of_visits,
    _decision_week,
    _window_labels,
    _window_days,
    _windows_hold_their_visit,
    _windows_are_needed,
    _date_format_is_used,
    _delimiter_is_not_decimal,
    _criterion_has_data,
    _declared_outcome,
)
