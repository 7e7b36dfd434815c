"""Every chapter on whole studies: the built-in cohort, and a hospital export with and without errors."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from generators.dutch import dutch_rows, plant_errors, write_dutch

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "reports" / "baricitinib" / "results.json"
ACROSS_PROCESSORS = 1e-7  # relative; linear algebra differs in its last digits, optimisation a little more


def easitrace(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as an analyst gives it."""
    environment = {**os.environ, "COLUMNS": "200"}
    call = [str(Path(sys.executable).with_name("easitrace")), *arguments]
    return subprocess.run(call, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture(scope="module")
def default_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reports")
    done = easitrace("run", "parameters/baricitinib.yml", "--output", str(folder))
    assert done.returncode == 0, done.stderr
    return folder / "baricitinib"


def test_every_chapter_of_the_default_study_is_complete(default_study: Path) -> None:
    results = json.loads((default_study / "results.json").read_text(encoding="utf-8"))
    chapters = {path.stem for path in (ROOT / "notebooks").glob("[0-8]?_*.ipynb")}
    assert set(results) == chapters | {"selfcheck"}
    assert results["selfcheck"]["failed"] == [] and results["selfcheck"]["numbers"]["n_numbers"] > 1000
    assert {name: chapter["status"] for name, chapter in results.items()} == dict.fromkeys(results, "complete")
    assert results["00_summary"]["numbers"]["n_agree"] == results["00_summary"]["numbers"]["n_figures"] == 23


def test_the_default_report_is_one_small_file_without_a_remote_address(default_study: Path) -> None:
    page = (default_study / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) <= 3_000_000
    assert not re.search(r'(?:src|href|action|data)\s*=\s*["\'](?:https?:)?//', page)
    assert "@import" not in page and not re.search(r"url\(\s*['\"]?(?:https?:)?//", page)
    assert page.count("synthetic") + page.count("Synthetic") >= 1
    figures = re.findall(r"<svg [^>]*>", page)
    assert len(figures) > 15 and all('aria-label="' in figure or 'aria-hidden="true"' in figure for figure in figures)


def numbers_of(path: Path) -> dict[str, Any]:
    chapters = json.loads(path.read_text(encoding="utf-8"))
    return {f"{name}.{key}": value for name in chapters for key, value in chapters[name]["numbers"].items()}


def test_the_committed_report_is_what_the_code_makes(default_study: Path) -> None:
    ours, committed = numbers_of(default_study / "results.json"), numbers_of(COMMITTED)
    assert sorted(ours) == sorted(committed)
    apart = {
        key: (ours[key], committed[key])
        for key in ours
        if (isinstance(ours[key], float) and not math.isclose(ours[key], committed[key], rel_tol=ACROSS_PROCESSORS))
        or (not isinstance(ours[key], float) and ours[key] != committed[key])
    }
    assert apart == {}


def study(folder: Path, rows: Any = None) -> Path:
    write_dutch(folder / "dutch.csv", rows)
    return Path(shutil.copy(ROOT / "tests" / "data" / "dutch.yml", folder / "dutch.yml"))


def test_a_hospitals_export_gives_a_report(tmp_path: Path) -> None:
    done = easitrace("run", str(study(tmp_path)), "--output", str(tmp_path / "reports"))
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "reports" / "upadacitinib-nl" / "results.json").read_text(encoding="utf-8"))
    assert {chapter["status"] for chapter in results.values()} <= {"complete", "skipped"}
    assert results["01_cohort"]["numbers"]["n_patients"] == 60
    assert results["03_trajectory"]["status"] == results["04_response"]["status"] == "complete"


def test_planted_errors_are_all_located_and_nothing_is_written(tmp_path: Path) -> None:
    rows, planted = plant_errors(dutch_rows())
    done = easitrace("run", str(study(tmp_path, rows)), "--output", str(tmp_path / "reports"))
    assert done.returncode == 3
    assert len(planted) >= 10
    lines = [line for line in done.stderr.splitlines() if line.startswith("E")]
    for one in planted:
        found = [line for line in lines if line.startswith(one.code) and re.search(rf"\brows? .*\b{one.row}\b", line)]
        assert found, one
    assert "Traceback" not in done.stderr and not (tmp_path / "reports" / "upadacitinib-nl").exists()


def test_a_misspelt_parameter_is_refused_with_the_right_name(tmp_path: Path) -> None:
    text = (ROOT / "parameters" / "baricitinib.yml").read_text(encoding="utf-8")
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(text.replace("covariance: us", "covarance: us"), encoding="utf-8")
    done = easitrace("run", str(wrong), "--output", str(tmp_path / "reports"))
    assert done.returncode == 2 and re.search(r"E103 .*line \d+, key covarance: .*covariance", done.stderr)


def test_a_chapter_runs_alone_by_papermill(tmp_path: Path) -> None:
    papermill = str(Path(sys.executable).with_name("papermill"))
    out = tmp_path / "out.ipynb"
    call = [papermill, "--no-progress-bar", "notebooks/03_trajectory.ipynb", str(out), "-p", "scale", "sqrt"]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "square root of the score" in out.read_text(encoding="utf-8")
