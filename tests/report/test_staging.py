"""The report's folder is the whole old or the whole new report, also where folders cannot change places."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from easitrace.errors import MachineError
from easitrace.report import staging as room
from easitrace.report.staging import RECORD, put_in_place, staging


def write_report(folder: Path, text: str, *more: str) -> None:
    for name in ("report.html", *more):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / RECORD).write_text(json.dumps({"files": dict.fromkeys(("report.html", *more), "")}))


def make(reports: Path, text: str, *more: str) -> None:
    with staging(reports, "study") as stage:
        write_report(stage, text, *more)
        put_in_place(stage, reports / "study")


def content(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != RECORD)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


@pytest.fixture(params=["exchange", "one by one"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "one by one":
        monkeypatch.setattr(room, "_exchange", lambda one, other: False)
    return str(request.param)


def test_a_new_report_replaces_the_old_one_whole(tmp_path: Path, way: str) -> None:
    make(tmp_path, "old", "tables/a.csv", "gone.csv")
    make(tmp_path, "new", "tables/a.csv", "figures/b.svg")
    assert content(tmp_path / "study") == dict.fromkeys(("report.html", "tables/a.csv", "figures/b.svg"), "new")
    assert not (tmp_path / ".staging" / "study").exists()


def test_a_readers_own_file_stays(tmp_path: Path, way: str) -> None:
    make(tmp_path, "old")
    (tmp_path / "study" / "notes.docx").write_text("mine")
    make(tmp_path, "new")
    assert content(tmp_path / "study") == {"report.html": "new", "notes.docx": "mine"}


def test_a_failed_run_changes_nothing(tmp_path: Path) -> None:
    make(tmp_path, "old")
    with pytest.raises(RuntimeError), staging(tmp_path, "study") as stage:
        write_report(stage, "half")
        raise RuntimeError
    assert content(tmp_path / "study") == {"report.html": "old"}


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    make(tmp_path, "old")
    write_report(tmp_path / ".staging" / "study", "half", "rubbish.csv")
    make(tmp_path, "new")
    assert content(tmp_path / "study") == {"report.html": "new"}


def test_a_run_killed_while_it_replaced_files_is_finished_by_the_next(tmp_path: Path) -> None:
    make(tmp_path, "old", "gone.csv")
    stage = tmp_path / ".staging" / "study"
    write_report(stage, "newer", "a.csv")
    (stage / room.MARKER).touch()
    with staging(tmp_path, "study"):
        assert content(tmp_path / "study") == dict.fromkeys(("report.html", "a.csv"), "newer")


def test_two_runs_of_one_study_are_refused_and_a_dead_one_is_not_in_the_way(tmp_path: Path) -> None:
    holder = (
        "import sys, pathlib; from easitrace.report.staging import staging\n"
        f"with staging(pathlib.Path({str(tmp_path)!r}), 'study'):\n    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        with pytest.raises(
            MachineError, match=rf"E603 study: is being written by process {process.pid}, started \d+ s"
        ):
            make(tmp_path, "new")
        process.kill()
        process.wait()
    make(tmp_path, "new")
    assert content(tmp_path / "study") == {"report.html": "new"}


@pytest.mark.parametrize("kind", ["folder", "link", "file"])
def test_what_is_not_a_report_is_not_replaced(tmp_path: Path, kind: str) -> None:
    target, mine = tmp_path / "study", tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.docx").write_text("mine")
    {"folder": lambda: mine.rename(target), "link": lambda: target.symlink_to(mine), "file": target.touch}[kind]()
    with pytest.raises(MachineError, match="E604"):
        make(tmp_path, "new")


def test_a_folder_that_cannot_be_written_is_found_before_anything_is_computed(tmp_path: Path) -> None:
    (tmp_path / "reports").touch()
    with pytest.raises(MachineError, match=r"E602 .*reports"), staging(tmp_path / "reports", "study"):
        pytest.fail("it computed")


def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with pytest.raises(MachineError, match="E605"), room.disk_errors(tmp_path), Path("/dev/full").open("w") as full:
        full.write("x" * 100_000)


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2")
def test_the_exchange_is_one_step_on_linux(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    write_report(one, "1")
    write_report(other, "2")
    before = one.stat().st_ino
    assert room._exchange(one, other)
    assert other.stat().st_ino == before
