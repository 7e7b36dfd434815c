"""Modules import only from lower floors: the flow of data is the flow of imports."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "easitrace"
FLOORS = {
    "errors": 0,
    "instruments": 1,
    "covariance": 1,
    "paired": 1,
    "scores": 1,
    "cohort": 2,
    "models": 3,
    "response": 4,
    "published": 5,
    "report": 6,
    "parameters": 7,
    "cli": 7,
}
STRANGERS = {("models", "cohort")}  # the engine knows arrays and data frames, never a cohort
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py" or path.parent != PACKAGE)


def room_of(dotted: str) -> str:
    return dotted.split(".")[1]


def imported_rooms(source: str) -> set[str]:
    """The rooms of easitrace that a module imports, wherever in its text."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            own = [alias.name for alias in node.names if not alias.name.startswith("__")]
            names |= {node.module} if node.module != "easitrace" else {f"easitrace.{name}" for name in own}
    return {room_of(name) for name in names if name.startswith("easitrace.")}


def climbs(room: str, source: str) -> list[str]:
    others = imported_rooms(source) - {room}
    too_high = {other for other in others if FLOORS[other] >= FLOORS[room] and {room, other} != {"cli", "parameters"}}
    return sorted(too_high | {other for other in others if (room, other) in STRANGERS})


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_from_lower_floors(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert climbs(room, path.read_text(encoding="utf-8")) == []


def test_a_climbing_import_is_seen() -> None:
    assert climbs("models", "from easitrace.cohort.read import read_cohort") == ["cohort"]
    assert climbs("models", "def f():\n    import easitrace.report.tables") == ["report"]
    assert climbs("response", "from easitrace import report") == ["report"]
    assert climbs("report", "from easitrace.models import mmrm") == []


def test_every_room_has_a_floor() -> None:
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES}
    assert rooms <= set(FLOORS)
