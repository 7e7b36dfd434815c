import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.formats import child, source
from easitrace.cohort.read import read_cohort

sys.path.insert(0, str(Path(__file__).parents[1]))

VISITS = {"baseline": 0, "week 4": 4, "week 12": 12}

Read = Callable[..., Cohort]


@pytest.fixture(autouse=True)
def in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse here, which is quicker and can be measured; a test marked `apart` leaves it to a process of its own."""
    if "apart" not in request.fixturenames:
        monkeypatch.setattr(source, "parse_apart", lambda path, name, *rest: child.PARSERS[name](path, *rest))


@pytest.fixture
def apart() -> None:
    """Asked for by tests whose files are parsed in a process of their own."""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write `content` as cohort.csv and read it with the default schedule."""

    def written(content: str | bytes, **arguments: Any) -> Cohort:
        path = tmp_path / "cohort.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_cohort(path, **{"visits": VISITS, **arguments})

    return written
