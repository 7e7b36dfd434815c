"""Strict YAML 1.2: what is written is what is read, and every value knows its line.

Scalars follow the core schema (`no` is text, `1e-3` a number, `010` ten). Refused are duplicate keys, anchors and
aliases, tags, several documents, other YAML versions, keys that are not plain values, deep nesting and large files.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from easitrace.errors import ParameterError, Problem

LARGEST_FILE = 256 * 1024
DEEPEST = 8
_NULL = re.compile(r"|~|null|Null|NULL")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_LONGEST_NUMBER = 100


@dataclass(frozen=True)
class Node:
    """A value of the file and where it stands: `content` is text, a list of nodes or a dict of nodes by key."""

    line: int
    content: "str | list[Node] | dict[str, Node]"
    quoted: bool = False

    def as_written(self, null: str | None = None) -> Any:
        """The value with every scalar as the text in the file (`007`, `NULL`); a plain null as `null` when given."""
        if isinstance(self.content, dict):
            return {key: node.as_written(null) for key, node in self.content.items()}
        if isinstance(self.content, list):
            return [node.as_written(null) for node in self.content]
        is_null = null is not None and not self.quoted and _NULL.fullmatch(self.content)
        return null if is_null else self.content

    def value(self) -> Any:
        """The value with plain scalars resolved by the core schema; keys stay text."""
        if isinstance(self.content, dict):
            return {key: node.value() for key, node in self.content.items()}
        if isinstance(self.content, list):
            return [node.value() for node in self.content]
        return self.content if self.quoted else resolve(self.content)


def resolve(text: str) -> Any:
    """A plain scalar by the YAML 1.2 core schema, without its infinities and not-a-number."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text.lower() == "true"
    if len(text) > _LONGEST_NUMBER:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _BASED.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text


def read_yaml(path: Path, where: str) -> tuple[dict[str, Node], list[Problem]]:
    """The mapping at the top of a YAML file, its values as nodes, and what is not allowed in it.

    Raises
    ------
    ParameterError
        E101 when the file cannot be read, E102 when it is not YAML with a mapping at the top.
    """
    reader = _Reader(where, _text(path, where))
    top = reader.document()
    if top is None or top.content == "":
        raise reader.refused(None, "the file is empty", "write at least study, title, data and seed")
    if not isinstance(top.content, dict):
        raise reader.refused(top.line, "a list or a value stands at the top", "write `name: value` lines")
    return top.content, reader.problems


def _text(path: Path, where: str) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise ParameterError(Problem("E101", where, error.strerror or str(error), _nearest(path))) from error
    if len(raw) > LARGEST_FILE:
        raise ParameterError(
            Problem("E101", where, f"larger than {LARGEST_FILE // 1024} KiB", "parameters are a short text file")
        )
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ParameterError(
            Problem("E101", f"{where} line {line}", "the text is not UTF-8", "save the file as UTF-8")
        ) from error


def _nearest(path: Path) -> str:
    """The file that was perhaps meant."""
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    names = sorted(p.name for p in path.parent.iterdir() if p.suffix in (".yml", ".yaml"))
    close = get_close_matches(path.name, names, n=1)
    return f"did you mean {path.parent / close[0]}?" if close else "give the path of a .yml file"


class _Reader:
    """Builds nodes from the parser's events; notes what is valid YAML and not allowed here."""

    def __init__(self, where: str, text: str) -> None:
        self.where = where
        self.problems: list[Problem] = []
        self.events = self._parse(text)

    def document(self) -> Node | None:
        """The one document of the stream, None when there is none."""
        from ruamel.yaml.events import DocumentStartEvent, StreamEndEvent

        next(self.events)
        start = next(self.events)
        if isinstance(start, StreamEndEvent):
            return None
        if start.version not in (None, (1, 2)) or start.tags:
            self._note(_line(start), "a YAML directive above this line", "remove it; the file is read as YAML 1.2")
        node = self._node(next(self.events), 0)
        next(self.events)
        after = next(self.events)
        if isinstance(after, DocumentStartEvent):
            raise self.refused(_line(after), "a second document starts", "one study per file; remove `---`")
        return node

    def refused(self, line: int | None, what: str, remedy: str) -> ParameterError:
        """All that was found up to a place after which nothing can be read."""
        self._note(line, what, remedy)
        return ParameterError(self.problems)

    def _note(self, line: int | None, what: str, remedy: str) -> None:
        place = self.where if line is None else f"{self.where} line {line}"
        self.problems.append(Problem("E102", place, what, remedy))

    def _parse(self, text: str) -> Iterator[Any]:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        try:
            yield from YAML(typ="safe", pure=True).parse(text)
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            what = ", ".join(filter(None, [error.context, error.problem]))
            line = int(mark.line) + 1 if mark else None
            raise self.refused(line, f"not valid YAML: {what}", "check colons, quotes and indents") from error
        except YAMLError as error:
            what = str(error).splitlines()[0]
            raise self.refused(None, f"not valid YAML: {what}", "remove control characters") from error

    def _node(self, event: Any, depth: int) -> Node:
        from ruamel.yaml.events import AliasEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

        line = _line(event)
        if event.anchor:
            self._note(line, "an anchor or alias (& or *)", "write the value out, or put it in quotes")
        if isinstance(event, AliasEvent):
            return Node(line, event.anchor)
        if event.tag:
            self._note(line, f"a tag ({event.tag})", "write the plain value, or put it in quotes")
        if depth > DEEPEST:
            raise self.refused(line, f"nested deeper than {DEEPEST} levels", "parameters are nearly flat")
        if isinstance(event, ScalarEvent):
            if _FORBIDDEN.search(event.value):
                self._note(line, "a control character", "remove the escape")
            return Node(line, event.value, quoted=event.style is not None)
        if isinstance(event, SequenceStartEvent):
            return Node(line, list(self._items(depth)))
        assert isinstance(event, MappingStartEvent)
        return Node(line, self._entries(depth))

    def _items(self, depth: int) -> Iterator[Node]:
        from ruamel.yaml.events import SequenceEndEvent

        while not isinstance(event := next(self.events), SequenceEndEvent):
            yield self._node(event, depth + 1)

    def _entries(self, depth: int) -> dict[str, Node]:
        from ruamel.yaml.events import MappingEndEvent

        entries: dict[str, Node] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self.events), depth + 1)
            if not isinstance(key.content, str):
                self._note(key.line, "a key is a list or a mapping", "a key is a name")
            elif key.content in entries:
                first = entries[key.content].line
                self._note(key.line, f"key {key.content} stands twice", f"first on line {first}; keep one")
            else:
                entries[key.content] = Node(key.line, value.content, value.quoted)
        return entries


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1
