"""What is done to the tables of a study before their cells are read: rows selected, a system's export made plain."""

from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import replace

from easitrace.cohort.findings import quoted
from easitrace.cohort.layout import DATA, WITH_VISITS
from easitrace.cohort.mapping import Mapping
from easitrace.cohort.profiles.profile import Profile
from easitrace.cohort.selection import selected
from easitrace.cohort.study_files import OpenFile


def prepared(
    opened: Sequence[OpenFile], mapping: Mapping, profile: Profile | None, only: MappingOf[str, Sequence[str]]
) -> tuple[list[OpenFile], Mapping]:
    """The files with the wanted rows, made plain by the profile, and the mapping with the profile's roles.

    Raises
    ------
    DataError
        For a selection that no file has, and what a profile cannot make plain.
    """
    files = _selected(opened, only)
    if profile is None:
        return files, mapping
    mapping = _with_roles(files, mapping, profile)
    plain = [
        replace(file, table=profile.prepare(file.table, _own_columns(file, mapping), mapping, file.findings))
        if profile.every_file or file.kind in WITH_VISITS
        else file
        for file in files
    ]
    return plain, mapping


def _selected(opened: Sequence[OpenFile], only: MappingOf[str, Sequence[str]]) -> list[OpenFile]:
    findings = opened[0].findings
    before = len(findings.errors)
    for column in only:
        if not any(column in file.table.header for file in opened):
            findings.error("E211", f"there is no column {quoted(column)}", "correct only")
    files = [
        replace(
            file,
            table=selected(file.table, {name: only[name] for name in only if name in file.table.header}, file.findings),
        )
        for file in opened
    ]
    findings.stop_if_wrong(before)
    return files


def _with_roles(files: Sequence[OpenFile], mapping: Mapping, profile: Profile) -> Mapping:
    """The roles that a system fixes, where the analyst has not said otherwise."""
    found: dict[str, tuple[str, ...]] = {}
    for file in files:
        for role, name in profile.roles(file.table.header).items():
            found[role] = tuple(dict.fromkeys([*found.get(role, ()), name]))
    return replace(mapping, columns=found | mapping.columns)


def _own_columns(file: OpenFile, mapping: Mapping) -> dict[str, str]:
    """The columns of one file by role; names that no header has stay with the first file."""
    own, prefix = {}, f"{file.findings.file}:"
    for role, given in mapping.columns.items():
        names = [name.removeprefix(prefix) for name in given]
        here = [name for name in names if name in file.table.header]
        if here or file.kind == DATA:
            own[role] = here[0] if here else names[0]
    return own
