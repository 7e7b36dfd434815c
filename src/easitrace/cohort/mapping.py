"""What the caller says about the file: which column plays which role, the schedule, the signs and codes."""

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from easitrace.cohort.cohort import Visit
from easitrace.errors import ParameterError, Problem
from easitrace.instruments import INSTRUMENTS, Instrument, declare_instrument

RULES = ("error", "nearest", "last", "worst", "mean")


@dataclass(frozen=True)
class Mapping:
    """The checked arguments of `read_cohort`; `windows` are in the order of `schedule`.

    `missing_codes` is {code: reason}, the reason "" where none was given.
    """

    columns: dict[str, str]
    values: dict[str, dict[str, str | None]]
    schedule: tuple[Visit, ...]
    windows: tuple[tuple[float, float], ...] | None
    decimal: str
    date_format: str | None
    missing_codes: dict[str, str]
    outcome: str
    instruments: dict[str, Instrument]
    covariates: tuple[str, ...]
    declared: Instrument | None
    several: str | None = None
    unscheduled: tuple[str, ...] = ()

    @property
    def labels(self) -> list[str]:
        """The labels of the planned visits, in time order."""
        return [visit.label for visit in self.schedule]


def build_mapping(
    *,
    columns: MappingOf[str, str] | None,
    values: MappingOf[str, MappingOf[Any, Any]] | None,
    visits: MappingOf[Any, float] | None,
    windows: MappingOf[Any, Sequence[float]] | None,
    decimal: str,
    date_format: str | None,
    missing_codes: Sequence[Any] | MappingOf[Any, str],
    outcome: str,
    instrument: MappingOf[str, Any] | None,
    covariates: Sequence[str],
    several: str | None = None,
    unscheduled: Sequence[str] = (),
) -> Mapping:
    """Check the arguments of `read_cohort` against each other.

    Raises
    ------
    ParameterError
        Listing every argument that is missing or contradicts another.
    """
    declared = None if instrument is None else declare_instrument(instrument)
    instruments = INSTRUMENTS if declared is None else {**INSTRUMENTS, declared.name: declared}
    schedule = tuple(Visit(str(label), float(week)) for label, week in (visits or {}).items())
    roles = {"patient", outcome, *covariates, *(columns or {})}
    faults = [
        *_schedule_faults(schedule),
        *_window_faults(schedule, windows),
        *_unused_faults(roles, windows, values or {}),
        *_role_faults(dict(columns or {}), instruments, outcome, decimal),
        *_rule_faults(dict(columns or {}), several),
        *_unscheduled_faults(dict(columns or {}), schedule, unscheduled),
    ]
    if faults:
        raise ParameterError(faults)
    return Mapping(
        columns=dict(columns or {}),
        values={role: _texts(recode) for role, recode in (values or {}).items()},
        schedule=schedule,
        windows=_ordered(schedule, windows),
        decimal=decimal,
        date_format=date_format,
        missing_codes=_reasons(missing_codes),
        outcome=outcome,
        instruments=instruments,
        covariates=tuple(covariates),
        declared=declared,
        several=several,
        unscheduled=tuple(str(label) for label in unscheduled),
    )


def _texts(recode: MappingOf[Any, Any]) -> dict[str, str | None]:
    return {str(old): None if new is None or new == "" else str(new) for old, new in recode.items()}


def _reasons(missing_codes: Sequence[Any] | MappingOf[Any, str]) -> dict[str, str]:
    if isinstance(missing_codes, MappingOf):
        return {str(code): str(reason) for code, reason in missing_codes.items()}
    return {str(code): "" for code in missing_codes}


def _ordered(
    schedule: tuple[Visit, ...], windows: MappingOf[Any, Sequence[float]] | None
) -> tuple[tuple[float, float], ...] | None:
    if windows is None:
        return None
    by_label = {str(label): window for label, window in windows.items()}
    return tuple((float(by_label[v.label][0]), float(by_label[v.label][1])) for v in schedule)


def _schedule_faults(schedule: tuple[Visit, ...]) -> list[Problem]:
    if not schedule:
        return [Problem("E104", "visits", "is missing", "give label: week for every planned visit, baseline first")]
    if any(later.week <= earlier.week for earlier, later in pairwise(schedule)):
        return [Problem("E105", "visits", "the weeks do not increase", "list the visits in time order")]
    return []


def _window_faults(schedule: tuple[Visit, ...], windows: MappingOf[Any, Sequence[float]] | None) -> list[Problem]:
    if windows is None:
        return []
    labels, given = {visit.label for visit in schedule}, {str(label) for label in windows}
    if labels != given:
        odd = ", ".join(sorted(labels ^ given))
        return [Problem("E106", "windows", f"visits and windows do not name the same visits ({odd})")]
    faults = [
        Problem("E105", f"windows.{label}", "is not [first day, last day]")
        for label, window in windows.items()
        if len(window) != 2 or window[0] > window[1]
    ]
    ordered = [] if faults else list(zip(schedule, _ordered(schedule, windows) or (), strict=True))
    faults += [
        Problem("E106", f"windows.{later.label}", f"overlaps the window of {earlier.label} or precedes it")
        for (earlier, first), (later, second) in pairwise(ordered)
        if second[0] <= first[1]
    ]
    return faults


def _unused_faults(
    roles: set[str], windows: MappingOf[Any, Sequence[float]] | None, values: MappingOf[str, Any]
) -> list[Problem]:
    faults = [
        Problem("E106", f"values.{role}", f"no column is mapped to {role}", "map it, or leave the values out")
        for role in values
        if role not in roles | {"visit", "week"}
    ]
    if windows is not None and not roles & {"date", "day"}:
        faults.append(Problem("E106", "windows", "neither date nor day is mapped", "map one, or leave windows out"))
    return faults


def _role_faults(
    columns: dict[str, str],
    instruments: dict[str, Instrument],
    outcome: str,
    decimal: str,
) -> list[Problem]:
    faults = []
    if outcome not in instruments:
        known = ", ".join(instruments)
        faults.append(Problem("E106", "outcome", f'"{outcome}" is not known ({known})', "declare it under instrument"))
    if decimal not in (".", ","):
        faults.append(Problem("E105", "decimal", f'"{decimal}" is no decimal sign', 'give "." or ","'))
    roles: dict[str, str] = {}
    for role, column in columns.items():
        if column in roles:
            faults.append(
                Problem("E106", f"columns.{role}", f'column "{column}" already plays the role {roles[column]}')
            )
        roles.setdefault(column, role)
    if {"visit", "week"} <= columns.keys():
        faults.append(Problem("E106", "columns", "both visit and week are mapped", "map one of them"))
    if {"date", "day"} <= columns.keys():
        faults.append(Problem("E106", "columns", "both date and day are mapped", "map one of them"))
    return faults


def _rule_faults(columns: dict[str, str], several: str | None) -> list[Problem]:
    if several is not None and several not in RULES:
        return [Problem("E105", "several", f'"{several}" is no rule', f"use {', '.join(RULES)}")]
    if several in ("nearest", "last") and not {"date", "day"} & columns.keys():
        return [Problem("E106", "several", f"{several} needs a day, and neither date nor day is mapped", "map one")]
    return []


def _unscheduled_faults(
    columns: dict[str, str], schedule: tuple[Visit, ...], unscheduled: Sequence[str]
) -> list[Problem]:
    others = {"week", "date", "day"} & columns.keys()
    starred = any("*" in column for column in columns.values())
    if unscheduled and "visit" not in columns and (others or starred):
        return [Problem("E106", "unscheduled", "no label names the visits", "map visit, or leave unscheduled out")]
    planned = {visit.label for visit in schedule} & {str(label) for label in unscheduled}
    return [
        Problem("E106", "unscheduled", f'"{label}" is among visits too', "name it once") for label in sorted(planned)
    ]
