"""Where in the file each role is found: long (a row per visit) or wide (a row per patient, `*` for the visit)."""

import difflib
from dataclasses import dataclass

from easitrace.cohort.findings import Findings, place, quoted
from easitrace.cohort.mapping import Mapping
from easitrace.cohort.roles import TIME_ROLES


@dataclass(frozen=True)
class Block:
    """Columns that hold one visit of every row (wide), or whose rows name their visit (long: `visit` is None)."""

    visit: int | None
    columns: dict[str, str]


@dataclass(frozen=True)
class Layout:
    """The file's column for the patient, for every patient-level role, and for the visits."""

    patient: str
    patient_columns: dict[str, str]
    blocks: tuple[Block, ...]

    @property
    def wide(self) -> bool:
        """Whether a row holds all visits of a patient."""
        return self.blocks[0].visit is not None

    @property
    def labelled(self) -> bool:
        """Whether rows name their visit, rather than their day telling it."""
        return self.wide or bool({"visit", "week"} & self.blocks[0].columns.keys())

    @property
    def names(self) -> list[str]:
        """Every column of the file that is read."""
        by_visit = [name for block in self.blocks for name in block.columns.values()]
        return list(dict.fromkeys([self.patient, *self.patient_columns.values(), *by_visit]))


def find_layout(mapping: Mapping, header: list[str], findings: Findings) -> Layout:
    """Find every mapped column in the header.

    Raises
    ------
    DataError
        Naming each column that is missing and the nearest one present.
    """
    before = len(findings.errors)
    roles = _with_defaults(mapping, header)
    starred = {role: name for role, name in roles.items() if "*" in name}
    plain = {role: name for role, name in roles.items() if "*" not in name}
    _check_roles(mapping, starred, plain, findings)
    for name in plain.values():
        if name not in header:
            _missing(name, header, findings)
    visit_roles = {*mapping.instruments, *TIME_ROLES}
    if starred:
        blocks = _wide_blocks(mapping, starred, header, findings)
    else:
        blocks = (Block(None, {role: name for role, name in plain.items() if role in visit_roles}),)
    findings.stop_if_wrong(before)
    per_patient = {r: name for r, name in plain.items() if r not in visit_roles and r != "patient"}
    return Layout(plain["patient"], per_patient, blocks)


def _with_defaults(mapping: Mapping, header: list[str]) -> dict[str, str]:
    """The declared columns; a needed role that is not declared is looked for under its own name."""
    roles = dict(mapping.columns)
    for role in ("patient", mapping.outcome, *mapping.covariates):
        roles.setdefault(role, role)
    wide = any("*" in name for name in roles.values())
    if not wide and not any(role in roles for role in TIME_ROLES):
        roles |= {role: role for role in ("visit", "week") if role in header}
    return roles


def _check_roles(mapping: Mapping, starred: dict[str, str], plain: dict[str, str], findings: Findings) -> None:
    allowed = {*mapping.instruments, "date", "day"}
    for role in starred.keys() - allowed:
        findings.error("E212", f"columns.{role} cannot have a column per visit", "give a name without *")
    if not starred:
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
    for role in plain.keys() & {*mapping.instruments, *TIME_ROLES}:
        findings.error(
            "E212",
            f"columns.{role} names one column where {', '.join(sorted(starred))} has one per visit",
            "use * in all of them or in none",
        )


def _wide_blocks(mapping: Mapping, starred: dict[str, str], header: list[str], findings: Findings) -> tuple[Block, ...]:
    blocks = []
    for code, label in enumerate(mapping.labels):
        names = {role: pattern.replace("*", label) for role, pattern in starred.items()}
        for role, name in names.items():
            if name not in header:
                if role == mapping.outcome:
                    _missing(name, header, findings)
                else:
                    findings.note("W211", f"no column {quoted(name)}: no {role} at {label}", at=place(1))
        blocks.append(Block(code, {role: name for role, name in names.items() if name in header}))
    read = {name for block in blocks for name in block.columns.values()} | set(mapping.columns.values())
    for role, pattern in starred.items():
        head, _, tail = pattern.partition("*")
        for name in header:
            if name not in read and name.startswith(head) and name.endswith(tail) and len(name) > len(head + tail):
                label = name[len(head) : len(name) - len(tail)]
                what = f"not read: {quoted(label)} is no planned visit (columns.{role} is {pattern})"
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
