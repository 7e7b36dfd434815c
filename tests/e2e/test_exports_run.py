"""The same patients from every format give the same `results.json`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from generators.exports import EXPORTS

ROOT = Path(__file__).parents[2]
COHORT, OF_THE_FILE = "01_cohort", {"n_log"}  # what was repaired while the file was read
SELF_CHECK = "selfcheck"  # counts the numbers of all tables, that of the missing codes among them
REST = {
    "study": "same",
    "title": "The same",
    "decision_week": 12,
    "estimand": "composite",
    "seed": 1,
    "starts": 5,
    "max_classes": 2,
}


def results(name: str, folder: Path) -> dict[str, Any]:
    """The numbers that the chapters of a run record."""
    folder.mkdir()
    with (folder / "same.yml").open("w", encoding="utf-8") as file:
        YAML().dump({**EXPORTS[name](folder), **REST}, file)
    arguments = [
        "run",
        str(folder / "same.yml"),
        "--output",
        str(folder / "out"),
        "--notebooks",
        str(ROOT / "notebooks"),
    ]
    done = subprocess.run([sys.executable, "-m", "easitrace.cli", *arguments], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    chapters = json.loads((folder / "out" / "same" / "results.json").read_text(encoding="utf-8"))
    numbers = {key: chapter["numbers"] for key, chapter in chapters.items() if key != SELF_CHECK}
    return {**numbers, COHORT: {key: value for key, value in numbers[COHORT].items() if key not in OF_THE_FILE}}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return results("csv", tmp_path_factory.mktemp("reference") / "csv")


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in EXPORTS if name != "csv"])
def test_every_export_gives_the_same_results(name: str, reference: dict[str, Any], tmp_path: Path) -> None:
    found = results(name, tmp_path / name)
    assert found.keys() == reference.keys()
    for chapter, numbers in reference.items():
        assert found[chapter] == numbers, chapter
