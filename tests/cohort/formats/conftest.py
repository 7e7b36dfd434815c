from pathlib import Path

import pytest

from easitrace.cohort.formats import child, source


@pytest.fixture(autouse=True)
def in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse here, which is quicker and can be measured; a test marked `apart` leaves it to a process of its own."""
    if "apart" not in request.fixturenames:
        monkeypatch.setattr(source, "parse_apart", lambda path, name, *rest: child.PARSERS[name](path, *rest))


@pytest.fixture
def apart() -> None:
    """Asked for by tests whose files are parsed in a process of their own."""


@pytest.fixture
def cohort_file(tmp_path: Path) -> Path:
    """A sound CSV file."""
    path = tmp_path / "cohort.csv"
    path.write_text("patient,visit,easi\nA,0,12\nA,4,3\n", encoding="utf-8")
    return path
