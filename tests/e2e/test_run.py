"""From a parameter file to a report on disk, whatever happens on the way."""

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
from fake_chapters import FIGURE, write_chapter
from study import DECLARED, command, files, is_whole, left_running, make_study, set_title, start

LINUX = sys.platform == "linux"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("Étude un")
    code, output, messages = command(folder, "run", str(make_study(folder)))
    assert (code, output) == (0, "reports/small/report.html\n"), messages
    return folder


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "study"
    shutil.copytree(made, folder)
    return folder


def test_a_run_writes_everything_that_is_promised(made: Path) -> None:
    report = made / "reports" / "small"
    assert set(files(report)) == {
        "report.html",
        "results.json",
        "tables/01_cohort_visits.csv",
        "figures/02_course_course.svg",
        "notebooks/00_summary.ipynb",
        "notebooks/01_cohort.ipynb",
        "notebooks/02_course.ipynb",
    }
    assert is_whole(report)
    assert json.loads((report / "results.json").read_text())["01_cohort"]["numbers"] == {"seed": 1}
    manifest = json.loads((report / "manifest.json").read_text())
    assert manifest["parameters"]["title"] == "First" and manifest["seed"] == 1
    assert manifest["versions"]["easitrace"] and len(manifest["sources"][0]["sha256"]) == 64
    assert 'href="small/report.html">First</a>' in (made / "reports" / "index.html").read_text()


def test_the_page_shows_no_path_and_no_code(made: Path) -> None:
    page = (made / "reports" / "small" / "report.html").read_text()
    assert str(made) not in page and "import " not in page and "://" not in page


def test_two_runs_give_the_same_bytes(study: Path) -> None:
    before = files(study / "reports")
    code, _, messages = command(study, "run", "small.yml", LC_ALL="C", TZ="Asia/Tokyo", PYTHONHASHSEED="7")
    assert code == 0, messages
    after = files(study / "reports")
    different = {name for name in before if before[name] != after[name]}
    assert not {name for name in different if "notebooks" not in name and ".lock" not in name}


@pytest.mark.slow
def test_standard_kernels_give_the_same_page(study: Path) -> None:
    page = (study / "reports" / "small" / "report.html").read_bytes()
    code, _, messages = command(study, "run", "small.yml", EASITRACE_KERNELS="standard")
    assert code == 0, messages
    assert (study / "reports" / "small" / "report.html").read_bytes() == page


def test_a_failing_chapter_leaves_the_old_report(study: Path) -> None:
    before = files(study / "reports" / "small")
    write_chapter(study / "notebooks", "02_course", ["fit = 1 / 0"], parameters=DECLARED)
    code, _, messages = command(study, "run", "small.yml")
    assert code == 4
    assert (
        messages.splitlines()[-1] == 'E401 chapter 02_course, cell "fit = 1 / 0": ZeroDivisionError: division by zero'
    )
    assert "Traceback" not in messages
    assert files(study / "reports" / "small") == before


def test_a_file_that_changes_meanwhile_is_noticed(study: Path) -> None:
    before = files(study / "reports" / "small")
    change = "with open(data, 'a') as file:\n    file.write('p9,baseline,1\\n')"
    write_chapter(study / "notebooks", "02_course", [change], parameters=DECLARED)
    code, _, messages = command(study, "run", "small.yml")
    assert code == 6 and "E606" in messages and "changed while the report was made" in messages
    assert files(study / "reports" / "small") == before


def test_a_folder_that_cannot_be_written_is_found_before_any_chapter_runs(study: Path) -> None:
    (study / "file").touch()
    code, _, messages = command(study, "run", "small.yml", "--output", "file")
    assert code == 6 and messages.startswith("E602 file")


def test_two_runs_into_one_folder_are_refused(study: Path) -> None:
    wait = "import pathlib, time\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.1)"
    write_chapter(study / "notebooks", "02_course", [wait, FIGURE.format(low=12)], parameters=DECLARED)
    with start(study, "run", "small.yml") as first:
        wait_for((study / "reports" / ".staging" / "small").exists)
        code, _, messages = command(study, "run", "small.yml")
        (study / "go").touch()
        first.communicate(timeout=120)
    assert code == 6 and messages.startswith(f"E603 small: is being written by process {first.pid}")
    assert first.returncode == 0


@pytest.mark.parametrize(
    ("number", "expected"), [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)]
)
def test_a_run_that_is_ended_cleans_up(study: Path, number: signal.Signals, expected: int) -> None:
    before = files(study / "reports" / "small")
    write_chapter(study / "notebooks", "02_course", ["import time\ntime.sleep(60)"], parameters=DECLARED)
    with start(study, "run", "small.yml") as process:
        wait_for((study / "reports" / ".staging" / "small" / "results" / "01_cohort.json").exists)
        process.send_signal(number)
        _, messages = process.communicate(timeout=20)
    assert process.returncode == expected and "Traceback" not in messages
    assert files(study / "reports" / "small") == before
    assert not (study / "reports" / ".staging" / "small").exists()
    assert not LINUX or not left_running(study)


def kill_and_look(study: Path, title: str, seconds: float) -> None:
    """Kill a run after some seconds: its report is the whole old or the whole new one, and nothing is left running."""
    report = study / "reports" / "small"
    before = files(report)
    set_title(study, title)
    with start(study, "run", "small.yml") as process:
        time.sleep(seconds)
        process.kill()
        process.communicate()
    assert is_whole(report)
    assert files(report) == before or f"<title>{title}</title>" in (report / "report.html").read_text()
    assert not LINUX or not left_running(study)


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_a_killed_run_leaves_a_whole_report_and_nothing_to_clean(
    study: Path, kills: int, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = tmp_path_factory.mktemp("s")
    monkeypatch.setenv("TMPDIR", str(sockets))
    started = time.monotonic()
    assert command(study, "run", "small.yml")[0] == 0
    usual = time.monotonic() - started
    moments = random.Random(20210604)
    for kill in range(kills):
        kill_and_look(study, f"Kill {kill}", moments.uniform(0.1, 1.05) * usual)
    set_title(study, "Last")
    assert command(study, "run", "small.yml")[0] == 0
    assert "<title>Last</title>" in (study / "reports" / "small" / "report.html").read_text()
    assert sorted(path.name for path in (study / "reports" / ".staging").iterdir()) == ["index.lock", "small.lock"]
    assert list(sockets.iterdir()) == []


def wait_for(condition: object, patience: float = 30) -> None:
    end = time.monotonic() + patience
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.mark.slow
def test_hostile_cells_come_out_inert(study: Path) -> None:
    hostile = "<script>alert(1)</script>{{7*7}}=HYPERLINK()\\u202e$x$"
    show = f"import pandas as pd\nfrom great_tables import GT\nrows = pd.DataFrame({{'a': ['{hostile}']}})"
    table = "chapter.table(GT(rows), rows, name='rows', caption=rows['a'][0])\nrows"
    write_chapter(study / "notebooks", "02_course", [show, table], parameters=DECLARED)
    assert command(study, "run", "small.yml")[0] == 0
    page = (study / "reports" / "small" / "report.html").read_text()
    assert "<script" not in page and page.count("&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}=HYPERLINK()") == 3


@pytest.mark.slow
def test_no_home_is_needed(study: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    assert "HOME" not in environment
    assert command(study, "run", "small.yml", HOME="/nonexistent")[0] == 0
