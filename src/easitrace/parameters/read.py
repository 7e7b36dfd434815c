"""Checking parameters: from a YAML file, where problems have lines, or from any mapping of values."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from easitrace.cohort.builtin import BUILTIN
from easitrace.errors import ParameterError, Problem
from easitrace.parameters.checks import contradictions
from easitrace.parameters.findings import Finding, did_you_mean
from easitrace.parameters.model import InstrumentEntry, Parameters, StyleEntry
from easitrace.parameters.strict_yaml import Node, read_yaml

AS_WRITTEN = ("columns", "values", "missing_codes", "unscheduled")
PATHS = ("data", "visit_data", "patient_data", "event_data", "published")
NESTED: dict[str, type[BaseModel]] = {"instrument": InstrumentEntry, "style": StyleEntry}
KINDS = {
    "string_type": ("text", "put it in quotes"),
    "int_type": ("a whole number", ""),
    "int_from_float": ("a whole number", ""),
    "float_type": ("a number", "write it without quotes and with a decimal point"),
    "bool_type": ("true or false", ""),
    "list_type": ("a list", "write [a, b]"),
    "dict_type": ("a mapping", "write `name: value` lines, indented"),
    "model_type": ("a mapping", "write `name: value` lines, indented"),
}
HINTS = {
    "level": "write 0.95 for 95 %",
    "seed": "any whole number from 0 to 4294967295",
    "decision_week": "give a planned week after baseline",
}
_LONGEST_VALUE = 60


def read_parameters(path: str | Path) -> Parameters:
    """Read and check a parameter file.

    A relative path of a file is looked for beside the file, then in the working directory.

    Raises
    ------
    ParameterError
        With every problem of the file: what is wrong, the line and key, and what to do.
    """
    path = Path(path)
    where = str(path)
    nodes, problems = read_yaml(path, where)
    values = {key: _taken(key, node) for key, node in nodes.items()}
    parameters, findings = _checked(values)
    for name in PATHS:
        values[name] = _located(values.get(name), path.parent)
    if isinstance(values.get("published"), str) and not any(f.path[:1] == ("published",) for f in findings):
        findings += _published_exists(values["published"])
    problems += [Problem(f.code, _place(f, nodes, where), f.what, f.remedy) for f in findings]
    if problems or parameters is None:
        raise ParameterError(sorted(problems, key=_line_of))
    return parameters.model_copy(update={name: values[name] for name in PATHS if values[name] is not None})


def check_parameters(values: Mapping[str, Any], where: str = "parameters") -> Parameters:
    """Check values that come from elsewhere than a file, such as a notebook.

    Raises
    ------
    ParameterError
        With every problem.
    """
    parameters, findings = _checked(values)
    if parameters is None:
        raise ParameterError(Problem(f.code, f"{where}, key {f.key}", f.what, f.remedy) for f in findings)
    return parameters


def _taken(key: str, node: Node) -> Any:
    if key not in AS_WRITTEN or node.value() is None:
        return node.value()
    return node.as_written(null="" if key == "values" else None)


def _checked(values: Mapping[str, Any]) -> tuple[Parameters | None, list[Finding]]:
    """The parameters, or every finding: of single values, then of what contradicts what."""
    try:
        return Parameters(**values), []
    except ValidationError as error:
        findings = [finding for e in error.errors() if e["loc"] for finding in [_explained(e)]]
    wrong = {finding.path[0] for finding in findings}
    defaults = {n: f.get_default() for n, f in Parameters.model_fields.items() if not f.is_required()}
    sound = {name: value for name, value in {**defaults, **values}.items() if name not in wrong}
    return None, findings + list(contradictions(sound))


def _explained(error: Any) -> Finding:
    """A pydantic error in words, with the nearest name or value."""
    path = tuple(part for part in error["loc"] if part != "[key]")
    kind, value, context = error["type"], _shown(error["input"]), error.get("ctx", {})
    name = str(path[0])
    if kind == "missing":
        return Finding(path, "E104", "required and missing", f"add `{path[-1]}: ...`{_meaning(path)}")
    if kind == "extra_forbidden":
        return Finding(path, "E103", "unknown parameter", _nearest_key(path))
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", context["expected"])
        remedy = did_you_mean(error["input"], allowed)
        return Finding(path, "E105", f"{value} is not allowed", remedy)
    if kind == "refused":
        return Finding(path, "E105", context["what"], context["remedy"])
    if kind in KINDS:
        what, remedy = KINDS[kind]
        return Finding(path, "E105", f"{value} is not {what}", remedy or HINTS.get(name, ""))
    return Finding(path, "E105", f"{value}: {error['msg'].lower()}", HINTS.get(name, ""))


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _meaning(path: tuple[str | int, ...]) -> str:
    field = Parameters.model_fields.get(str(path[0])) if len(path) == 1 else None
    return f" ({field.description})" if field else ""


def _nearest_key(path: tuple[str | int, ...]) -> str:
    model = Parameters if len(path) == 1 else NESTED[str(path[0])]
    return did_you_mean(path[-1], model.model_fields)


def _located(names: Any, folder: Path) -> Any:
    """The paths of files that are not built in; whatever is no text stays as it is."""
    if isinstance(names, list):
        return [_located(name, folder) for name in names]
    return str(_found(names, folder)) if isinstance(names, str) and names not in BUILTIN else names


def _found(name: str, folder: Path) -> Path:
    """The path beside the parameter file, or in the working directory when only there is such a file."""
    beside, here = (folder / name).absolute(), Path(name).absolute()
    return here if here.exists() and not beside.exists() else beside


def _published_exists(published: str) -> Iterator[Finding]:
    if published not in BUILTIN and not Path(published).is_file():
        close = get_close_matches(published, BUILTIN, n=1)
        remedy = f"did you mean {close[0]}?" if close else "give the path of a summary file"
        yield Finding(("published",), "E105", f"no file {published}", remedy)


def _place(finding: Finding, nodes: Mapping[str, Node], where: str) -> str:
    return f"{where} line {_line(finding.path, nodes)}, key {finding.key}"


def _line(path: tuple[str | int, ...], nodes: Mapping[str, Node]) -> int:
    """Where the deepest existing key of the path stands; for a key that is nowhere, where the file ends."""
    if path[0] not in nodes:
        return max((_last_line(node) for node in nodes.values()), default=1)
    node = nodes[str(path[0])]
    for part in path[1:]:
        content: Any = node.content
        known = content if isinstance(content, dict) else range(0 if isinstance(content, str) else len(content))
        if part not in known:
            break
        node = content[part]
    return node.line


def _last_line(node: Node) -> int:
    inner = node.content.values() if isinstance(node.content, dict) else node.content
    return max([node.line, *(_last_line(n) for n in inner if isinstance(n, Node))])


def _line_of(problem: Problem) -> int:
    match = re.search(r" line (\d+)(?:,|$)", problem.where)
    return int(match[1]) if match else 0
