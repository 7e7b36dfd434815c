"""Whole runs in a share profile, from the command line; and several reports of one cohort beside each other."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hostile import CANARIES, PARAMETERS, words, write_cohort
from recovery import Attack, recovered, sheets_and_truth

from chapters import run_chapter
from easitrace.report.disclosure.extract import pieces
from easitrace.report.disclosure.needles import found, prepare
from easitrace.report.disclosure.profiles import THRESHOLDS, Interval, profile_named
from easitrace.report.disclosure.scan import scan
from easitrace.report.disclosure.share import write_share
from easitrace.report.disclosure.sharing import Sharing
from easitrace.report.render import Study

ROOT = Path(__file__).parents[3]
STUDY = {
    "study": "hostile",
    "title": "A cohort with hostile cells",
    "data": "cohort.csv",
    "decision_week": 12,
    "estimand": "treatment-policy",
    "seed": 1,
}


def run(folder: Path, **changes: object) -> subprocess.CompletedProcess[str]:
    """Run the study with some parameters changed."""
    content = {**STUDY, **PARAMETERS, **changes}
    (folder / "hostile.yml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    command = ["run", "hostile.yml", "--output", "out", "--notebooks", str(ROOT / "notebooks")]
    return subprocess.run(
        [sys.executable, "-m", "easitrace.cli", *command], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
def test_a_hostile_cohort_is_shared_without_its_words(tmp_path: Path) -> None:
    data = write_cohort(tmp_path)
    ran = run(tmp_path, disclosure="share-5")
    assert ran.returncode == 0, ran.stderr
    report = tmp_path / "out" / "hostile"
    assert scan(report / "share", CANARIES).problems == ()
    for name in THRESHOLDS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "tables").symlink_to(report / "tables")
        sharing = Sharing(profile_named(name), CANARIES, "EASI", "log1p", Interval(), {})
        assert write_share(tmp_path / name, Study("x", "X"), sharing, ("html", "pdf", "docx")).withheld is None
        assert scan(tmp_path / name / "share", CANARIES).problems == ()
        kinds = {path.suffix for path in (tmp_path / name / "share").rglob("*") if path.is_file()}
        assert kinds == {".html", ".pdf", ".docx", ".json", ".csv", ".svg"}
    planted = {canary for canary in CANARIES if any(canary in remark for remark in words(data)["remark"])}
    assert len(planted) == 25
    for internal in ("report.html", "notebooks/01_cohort.ipynb", "tables/01_cohort_baseline.csv"):
        assert held_by(report / internal) == planted
    assert prepare(CANARIES).short == {}


def held_by(file: Path) -> set[str]:
    """The canaries that a file holds: the control, without which nothing might have been planted."""
    needles = prepare(CANARIES)
    texts = [piece.text for piece in pieces(file.read_bytes(), file.name)]
    return {identifier for text in texts for _, identifier in found(text, needles)}


@pytest.mark.slow
def test_an_identifier_in_the_title_withholds_the_report_for_others(tmp_path: Path) -> None:
    write_cohort(tmp_path)
    ran = run(tmp_path, disclosure="share-5", title="Course of zq7k4v00")
    assert ran.returncode == 5
    assert "E504 report.html" in ran.stderr
    assert "zq7k4v00" not in ran.stderr
    assert (tmp_path / "out" / "hostile" / "report.html").is_file()
    assert not (tmp_path / "out" / "hostile" / "share").exists()


@pytest.mark.slow
def test_reports_with_other_parameters_give_no_masked_count_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attack = Attack()
    for number, (criterion, week) in enumerate([("easi50", 12), ("easi75", 12), ("easi50", 4), ("easi<=7", 4)]):
        stage = tmp_path / str(number)
        for chapter in ("01_cohort", "02_course", "04_response"):
            run_chapter(chapter, monkeypatch, output=str(stage), criterion=criterion, decision_week=week)
        for name in THRESHOLDS:
            sheets, truth = sheets_and_truth(stage / "tables", profile_named(name))
            attack.read(sheets.tables, truth, profile_named(name).least, f"{criterion} {week}")
    ranges = attack.run()
    assert len(ranges) > 50
    assert recovered(ranges) == []
