from pathlib import Path

import pytest


@pytest.fixture
def cohort_file(tmp_path: Path) -> Path:
    """A sound CSV file."""
    path = tmp_path / "cohort.csv"
    path.write_text("patient,visit,easi\nA,0,12\nA,4,3\n", encoding="utf-8")
    return path
