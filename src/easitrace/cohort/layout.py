"""Where in the files each role is found: long (a row per visit) or wide (a row per patient, `*` for the visit)."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from easitrace.cohort.findings import Findings, inert, place, quoted
from easitrace.cohort.mapping import Mapping
from easitrace.cohort.roles import EVENT_ROLES, KEY_ROLES, PARTS, TIME_ROLES

DATA, OF_VISITS, OF_PATIENTS, OF_EVENTS = "data", "visit_data", "patient_data", "event_data"
WITH_VISITS = (DATA, OF_VISITS)


@dataclass(frozen=True)
class Opened:
    """A file whose header is known: which parameter names it, and what is found in it."""

    kind: str
    header: list[str]
    findings: Findings

    @property
    def name(self) -> str:
        """The file's name as problems show it."""
        return self.findings.file


@dataclass(frozen=True)
class Block:
    """Columns that hold one visit of every row (wide), or whose rows name their visit (long: `visit` is None)."""

    visit: int | None
    columns: dict[str, str]


@dataclass(frozen=True)
class Layout:
    """One file's column for the patient, for patient-level roles, for visits, and for adverse events."""

    patient: str
    patient_columns: dict[str, str] = field(default_factory=dict)
    blocks: tuple[Block, ...] = ()
    event_columns: dict[str, str] = field(default_factory=dict)

    @property
    def wide(self) -> bool:
        """Whether a row holds all visits of a patient."""
        return bool(self.blocks) and self.blocks[0].visit is not None

    @property
    def labelled(self) -> bool:
        """Whether rows name their visit, rather than their day telling it."""
        return self.wide or bool({"visit", "week"} & self.blocks[0].columns.keys())

    @property
    def by_role(self) -> list[tuple[str, str]]:
        """Every role and the column that plays it; a role has one column per visit in a wide file."""
        by_visit = [pair for block in self.blocks for pair in block.columns.items()]
        return [*self.patient_columns.items(), *by_visit, *self.event_columns.items()]

    @property
    def names(self) -> list[str]:
        """Every column of the file that is read."""
        return list(dict.fromkeys([self.patient, *(name for _, name in self.by_role)]))


def find_layouts(mapping: Mapping, files: Sequence[Opened]) -> list[Layout]:
    """Find every mapped column in the header of the file that has it, the first of which is `data`.

    A role is looked for in the files that can hold it: the patient in all; visits, days and scores where there are
    visits; what belongs to a patient in all but the file of adverse events; adverse events in their file, or in
    `data` when they have none. A column name that several of them have is written `file.csv:name`.

    Raises
    ------
    DataError
        Naming each column that is missing or in several files, and the nearest one present.
    """
    findings = files[0].findings
    before = len(findings.errors)
    taken = [_keys(mapping, file, files) for file in files]
    roles = _with_defaults(mapping)
    for role, names in roles.items():
        if role not in KEY_ROLES:
            holders = [at for at, file in enumerate(files) if _may_hold(file, role, mapping, files)]
            _assign(role, names[0], holders, mapping, files, taken)
    for role in TIME_ROLES:
        if role in mapping.columns and not any(role in own for own in taken):
            _missing(mapping.columns[role][0], files[0].header, findings)
    findings.stop_if_wrong(before)
    layouts = [_layout(mapping, file, own) for file, own in zip(files, taken, strict=True)]
    findings.stop_if_wrong(before)
    return layouts


def starred(pattern: str, name: str) -> str | None:
    """What the `*` of a pattern stands for in the name of a column; None where the name is not of the pattern."""
    head, star, tail = pattern.partition("*")
    fits = star and name.startswith(head) and name.endswith(tail) and len(name) > len(head + tail)
    return name[len(head) : len(name) - len(tail)] if fits else None


def _with_defaults(mapping: Mapping) -> dict[str, tuple[str, ...]]:
    """The declared columns; a needed role that is not declared is looked for under its own name."""
    roles = dict(mapping.columns)
    outcome = [] if mapping.outcome in mapping.from_parts else [mapping.outcome]
    for role in (*outcome, *mapping.covariates):
        roles.setdefault(role, (role,))
    return roles


def _keys(mapping: Mapping, file: Opened, files: Sequence[Opened]) -> dict[str, str]:
    """The columns that say whose row it is and of when: the same roles in every file."""
    wanted = ["patient", *(TIME_ROLES if file.kind in WITH_VISITS else ())]
    told = any(role in mapping.columns for role in TIME_ROLES) or _starred(mapping, file)
    defaults = {"patient": ("patient",)} | ({} if told else {"visit": ("visit",), "week": ("week",)})
    own: dict[str, str] = {}
    for role in wanted:
        names = [_inside(name, file, files) for name in mapping.columns.get(role, defaults.get(role, ()))]
        there = [name for name in names if name is not None and _has(file, name, mapping)]
        if len(there) > 1:
            what = f"{role} is both {quoted(there[0])} and {quoted(there[1])} here"
            remedy = f'name the one to read, as "{inert(file.name)}:{inert(there[0])}"'
            file.findings.error("E270", what, remedy, at=place(1))
        if there:
            own[role] = there[0]
        elif role == "patient":
            _missing(next((name for name in names if name is not None), "patient"), file.header, file.findings)
    return own


def _starred(mapping: Mapping, file: Opened) -> bool:
    return any("*" in name and _has(file, name, mapping) for names in mapping.columns.values() for name in names)


def _inside(name: str, file: Opened, files: Sequence[Opened]) -> str | None:
    """The column's name in this file; None when `other.csv:name` says that it is in another."""
    for other in files:
        if name.startswith(f"{other.name}:"):
            return name.removeprefix(f"{other.name}:") if other is file else None
    return name


def _has(file: Opened, name: str, mapping: Mapping) -> bool:
    if "*" not in name:
        return name in file.header
    return any(name.replace("*", label) in file.header for label in mapping.in_names)


def _may_hold(file: Opened, role: str, mapping: Mapping, files: Sequence[Opened]) -> bool:
    if role in EVENT_ROLES:
        return file.kind == (OF_EVENTS if any(other.kind == OF_EVENTS for other in files) else DATA)
    if role in mapping.instruments or role in PARTS:
        return file.kind in WITH_VISITS
    return file.kind != OF_EVENTS


def _assign(
    role: str,
    name: str,
    holders: list[int],
    mapping: Mapping,
    files: Sequence[Opened],
    taken: list[dict[str, str]],
) -> None:
    inside = {at: _inside(name, files[at], files) for at in holders}
    found = {at: own for at, own in inside.items() if own is not None and _has(files[at], own, mapping)}
    if len(found) > 1:
        names = " and ".join(inert(files[at].name) for at in found)
        first = inert(files[next(iter(found))].name)
        remedy = f'say which: columns.{role}: "{first}:{inert(name)}"'
        files[0].findings.error("E270", f"column {quoted(name)} is in {names}", remedy)
    elif found:
        at, own = next(iter(found.items()))
        taken[at][role] = own
    else:
        only = holders[0] if len(holders) == 1 else 0
        at = next((at for at, own in inside.items() if own is not None and own != name), only)
        shown = _inside(name, files[at], files) or name
        if "*" in shown:
            shown = shown.replace("*", mapping.in_names[0])
        everywhere = list(dict.fromkeys(column for holder in holders for column in files[holder].header))
        _missing(shown, everywhere if at == 0 else files[at].header, files[at].findings)


def _layout(mapping: Mapping, file: Opened, own: dict[str, str]) -> Layout:
    by_visit = {*mapping.instruments, *PARTS, *TIME_ROLES}
    patterns = {role: name for role, name in own.items() if "*" in name}
    plain = {role: name for role, name in own.items() if "*" not in name}
    blocks: tuple[Block, ...] = ()
    if file.kind in WITH_VISITS:
        _check_roles(mapping, patterns, plain, file.findings)
        if patterns:
            blocks = _wide_blocks(mapping, patterns, own, file)
        else:
            blocks = (Block(None, {role: name for role, name in plain.items() if role in by_visit}),)
    elif patterns:
        _refuse_starred(patterns, file.findings)
    events = {role: name for role, name in plain.items() if role in EVENT_ROLES}
    people = {role: name for role, name in plain.items() if role not in {*by_visit, *EVENT_ROLES, "patient"}}
    return Layout(plain.get("patient", ""), people, blocks, events)


def _refuse_starred(roles: Iterable[str], findings: Findings) -> None:
    for role in roles:
        findings.error("E212", f"columns.{role} cannot have a column per visit", "give a name without *")


def _check_roles(mapping: Mapping, patterns: dict[str, str], plain: dict[str, str], findings: Findings) -> None:
    allowed = {*mapping.instruments, *PARTS, "date", "day"}
    _refuse_starred(patterns.keys() - allowed, findings)
    if not patterns:
        if not any(role in plain for role in TIME_ROLES):
            findings.error(
                "E211",
                "nothing tells which visit a row belongs to",
                "map visit, week, date or day in columns",
                at=place(1),
            )
        elif "visit" not in plain and "week" not in plain and mapping.windows is None:
            findings.error("E212", "dates or days are mapped but no windows", "give windows: label: [first, last]")
        return
    for role in plain.keys() & {*mapping.instruments, *PARTS, *TIME_ROLES}:
        findings.error(
            "E212",
            f"columns.{role} names one column where {', '.join(sorted(patterns))} has one per visit",
            "use * in all of them or in none",
        )


def _wide_blocks(mapping: Mapping, patterns: dict[str, str], own: dict[str, str], file: Opened) -> tuple[Block, ...]:
    header, findings = file.header, file.findings
    needed = {mapping.outcome, *mapping.from_parts.get(mapping.outcome, ())}
    blocks = []
    for code, (label, written) in enumerate(zip(mapping.labels, mapping.in_names, strict=True)):
        names = {role: pattern.replace("*", written) for role, pattern in patterns.items()}
        for role, name in names.items():
            if name not in header:
                if role in needed:
                    _missing(name, header, findings)
                else:
                    findings.note("W211", f"no column {quoted(name)}: no {role} at {label}", at=place(1))
        blocks.append(Block(code, {role: name for role, name in names.items() if name in header}))
    read = {name for block in blocks for name in block.columns.values()} | set(own.values())
    for role, pattern in patterns.items():
        for name in header:
            unplanned = starred(pattern, name)
            if unplanned is not None and name not in read:
                what = f"not read: {quoted(unplanned)} is no planned visit (columns.{role} is {pattern})"
                findings.note("W207", what, "add it to visits if it is one", at=place(1, name))
    return tuple(blocks)


def _missing(name: str, header: list[str], findings: Findings) -> None:
    near = difflib.get_close_matches(name, header, n=3)
    there = ", ".join(quoted(column) for column in near or header[:10])
    findings.error(
        "E211",
        f"there is no column {quoted(name)}",
        f"{'nearest' if near else 'the columns are'}: {there}; correct columns",
        at=place(1),
    )
