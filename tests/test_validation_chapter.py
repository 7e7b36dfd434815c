"""Chapter 90 runs, and says that nothing is out of tolerance."""

from pathlib import Path

import pytest

from chapters import run_chapter

REFERENCE = Path(__file__).parent / "reference"


def test_the_validation_chapter_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = run_chapter("90_validation", monkeypatch, reference=str(REFERENCE))
    assert '"n_over": 0' in shown and "kenward-roger-mmrm" in shown
