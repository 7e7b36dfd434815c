"""What the caller says about the file: which column plays which role, the schedule, the signs and codes."""

import datetime
import re
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, get_args

from easitrace.cohort.cohort import Visit
from easitrace.cohort.dates import declared_day
from easitrace.cohort.roles import EASI_PARTS, EVENT_ROLES, KEY_ROLES, SCORAD_PARTS
from easitrace.errors import ParameterError, Problem
from easitrace.instruments import INSTRUMENTS, Instrument, declare_instrument

SeveralRule = Literal["error", "nearest", "last", "worst", "mean"]
AgeGroup = Literal["adult", "child"]

NUMBER = re.compile(r"[0-9]+([.][0-9]+)?")

Columns = MappingOf[str, Sequence[str]]


@dataclass(frozen=True)
class Mapping:
    """The checked arguments of `read_cohort`; `windows` are in the order of `schedule`.

    `columns` has one name for a role, or for a role that is in every file the names it goes by.
    `missing_codes` is {code: reason}, the reason "" where none was given.
    """

    columns: dict[str, tuple[str, ...]]
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
    age_group: str | None = None
    data_cut: datetime.date | None = None

    @property
    def labels(self) -> list[str]:
        """The labels of the planned visits, in time order."""
        return [visit.label for visit in self.schedule]

    @property
    def printed(self) -> tuple[Visit, ...]:
        """The planned visits as a report calls them: bare numbers are weeks when all of them are, else visits."""
        bare = [visit for visit in self.schedule if NUMBER.fullmatch(visit.label)]
        noun = "week" if all(float(visit.label) == visit.week for visit in bare) else "visit"
        words = {visit.label: f"{noun} {visit.label}" for visit in bare}
        if noun == "week" and self.schedule[0] in bare:
            words[self.labels[0]] = "baseline"
        names = [words.get(label, label) for label in self.labels]
        labels = names if len({*names}) == len(names) else self.labels
        return tuple(Visit(label, visit.week) for label, visit in zip(labels, self.schedule, strict=True))

    @property
    def in_names(self) -> list[str]:
        """What `*` stands for in the columns of a wide file: each label, or what `values` says is written for it."""
        written = {ours: theirs for theirs, ours in self.values.get("visit", {}).items()}
        return [written.get(label, label) for label in self.labels]

    @property
    def from_parts(self) -> dict[str, tuple[str, ...]]:
        """The instruments that are computed, and the roles they are computed from."""
        return from_parts({*self.columns, self.outcome})


def build_mapping(
    *,
    columns: MappingOf[str, str | Sequence[str]] | None,
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
    age_group: str | None = None,
    data_cut: str | None = None,
    events_apart: bool = False,
) -> Mapping:
    """Check the arguments of `read_cohort` against each other; `events_apart`: adverse events have their own file.

    Raises
    ------
    ParameterError
        Listing every argument that is missing or contradicts another.
    """
    declared = None if instrument is None else declare_instrument(instrument)
    instruments = INSTRUMENTS if declared is None else {**INSTRUMENTS, declared.name: declared}
    schedule = tuple(Visit(str(label), float(week)) for label, week in (visits or {}).items())
    names = names_of(columns or {})
    roles = {"patient", outcome, *covariates, *names} | ({"event"} if events_apart else set())
    faults = [
        *_schedule_faults(schedule),
        *_window_faults(schedule, windows),
        *_unused_faults(roles, windows, values or {}),
        *_outcome_faults(instruments, outcome, decimal),
        *_cut_faults(data_cut),
        *choice_faults(
            names,
            labels=[visit.label for visit in schedule],
            needed=[outcome, *covariates],
            several=several,
            unscheduled=unscheduled,
            age_group=age_group,
            events_apart=events_apart,
        ),
    ]
    if faults:
        raise ParameterError(faults)
    return Mapping(
        columns=names | ({"event": ("event",)} if events_apart and "event" not in names else {}),
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
        age_group=age_group,
        data_cut=None if data_cut is None else declared_day(data_cut),
    )


def names_of(columns: MappingOf[str, str | Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """The names of every role's column: one, or one for each file."""
    return {role: (name,) if isinstance(name, str) else tuple(name) for role, name in columns.items()}


def choice_faults(
    columns: Columns,
    *,
    labels: Sequence[str],
    needed: Sequence[str],
    several: str | None,
    unscheduled: Sequence[str],
    age_group: str | None,
    events_apart: bool,
) -> list[Problem]:
    """What is wrong with the roles of columns and with the rules for several rows, unscheduled visits and parts.

    `labels` are those of the planned visits, `needed` the roles that are read without being mapped.
    """
    return [
        *_role_faults(columns, events_apart),
        *_part_faults({*columns, *needed}, age_group),
        *_rule_faults(columns, several),
        *_unscheduled_faults(columns, labels, unscheduled),
    ]


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


def _outcome_faults(instruments: dict[str, Instrument], outcome: str, decimal: str) -> list[Problem]:
    faults = []
    if outcome not in instruments:
        known = ", ".join(instruments)
        faults.append(Problem("E106", "outcome", f'"{outcome}" is not known ({known})', "declare it under instrument"))
    if decimal not in (".", ","):
        faults.append(Problem("E105", "decimal", f'"{decimal}" is no decimal sign', 'give "." or ","'))
    return faults


def _cut_faults(data_cut: str | None) -> list[Problem]:
    try:
        if data_cut is not None:
            declared_day(data_cut)
    except ValueError as error:
        return [Problem("E105", "data_cut", *error.args)]
    return []


def _role_faults(columns: Columns, events_apart: bool) -> list[Problem]:
    faults = []
    roles: dict[tuple[str, bool], str] = {}
    for role, names in columns.items():
        if len(names) != 1 and (role not in KEY_ROLES or not names):
            what = f"{role} has {len(names)} columns" if names else "no column is named"
            remedy = f"name one; {', '.join(KEY_ROLES)} may have a list, when files call them differently"
            faults.append(Problem("E105", f"columns.{role}", what, remedy))
        for name in names:
            key = (name, events_apart and role in EVENT_ROLES)
            if key in roles:
                what = f'column "{name}" already plays the role {roles[key]}'
                faults.append(Problem("E106", f"columns.{role}", what, "map each column to one role"))
            roles.setdefault(key, role)
    for one, other in (("visit", "week"), ("date", "day"), ("event_date", "event_day"), ("rescue_date", "rescue_day")):
        if {one, other} <= columns.keys():
            faults.append(Problem("E106", f"columns.{other}", f"{one} is mapped too", "map one of them"))
    lonely = sorted({*EVENT_ROLES[1:]} & columns.keys())
    if lonely and not events_apart and "event" not in columns:
        what = "mapped, but the event itself is not"
        faults.append(Problem("E104", f"columns.{lonely[0]}", what, "map event, its name"))
    return faults


def from_parts(roles: Set[str]) -> dict[str, tuple[str, ...]]:
    """The instruments that are computed when these roles are mapped, and the roles they are computed from."""
    computed: dict[str, tuple[str, ...]] = {"easi": EASI_PARTS} if roles & {*EASI_PARTS} else {}
    if "scorad_c" in roles:
        computed["scorad"] = SCORAD_PARTS
    if roles & {*SCORAD_PARTS[:2]} and ("scorad_c" not in roles or "oscorad" in roles):
        computed["oscorad"] = SCORAD_PARTS[:2]
    return computed


def _part_faults(roles: Set[str], age_group: str | None) -> list[Problem]:
    faults = []
    for name, parts in from_parts(roles).items():
        lacking = [part for part in parts if part not in roles]
        if lacking:
            what = f"{name} is computed from its parts, and these are not mapped: {', '.join(lacking)}"
            faults.append(Problem("E104", f"columns.{lacking[0]}", what, "map them"))
    if age_group is not None and age_group not in get_args(AgeGroup):
        remedy = f"use {' or '.join(get_args(AgeGroup))}"
        faults.append(Problem("E105", "age_group", f'"{age_group}" is no age group', remedy))
    if not roles & {*EASI_PARTS}:
        if age_group is not None:
            faults.append(Problem("E106", "age_group", "no part of the EASI is mapped", "leave it out"))
    elif age_group is None and "age" not in roles:
        what = "the regions of the EASI weigh otherwise below 8 years"
        faults.append(Problem("E104", "age_group", what, "map age, or say adult (8 and older) or child (below 8)"))
    elif age_group is not None and "age" in roles:
        faults.append(Problem("E106", "age_group", "age is mapped too", "leave one of them out"))
    return faults


def _rule_faults(columns: Columns, several: str | None) -> list[Problem]:
    if several is not None and several not in get_args(SeveralRule):
        return [Problem("E105", "several", f'"{several}" is no rule', f"use {', '.join(get_args(SeveralRule))}")]
    if several in ("nearest", "last") and not {"date", "day"} & columns.keys():
        return [Problem("E106", "several", f"{several} needs a day, and neither date nor day is mapped", "map one")]
    return []


def _unscheduled_faults(columns: Columns, labels: Sequence[str], unscheduled: Sequence[str]) -> list[Problem]:
    others = {"week", "date", "day"} & columns.keys()
    starred = any("*" in name for names in columns.values() for name in names)
    if unscheduled and "visit" not in columns and (others or starred):
        return [Problem("E106", "unscheduled", "no label names the visits", "map visit, or leave unscheduled out")]
    planned = sorted({*labels} & {str(label) for label in unscheduled})
    return [Problem("E106", "unscheduled", f'"{name}" is among visits too', "name it once") for name in planned]
