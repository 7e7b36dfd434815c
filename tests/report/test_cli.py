"""Commands: every problem at once, exit codes, nothing heavy loaded for nothing."""

import datetime
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from easitrace.cli import _study, main
from easitrace.cohort.cohort import Calendar
from easitrace.cohort.read import read_cohort
from easitrace.parameters import read_parameters

CUT = datetime.date(2021, 6, 30)
PARAMETERS = """study: small
title: Small
data: visits.csv
columns: {patient: id, visit: visit, easi: easi}
visits: {baseline: 0, week 4: 4}
decision_week: 4
estimand: treatment-policy
seed: 1
"""


def write(folder: Path, parameters: str = PARAMETERS, score: str = "20") -> str:
    (folder / "visits.csv").write_text(f"id,visit,easi\np1,baseline,{score}\np1,week 4,9.5\n")
    (folder / "small.yml").write_text(parameters)
    return str(folder / "small.yml")


def ended(*arguments: str) -> object:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return caught.value.code


def test_check_finds_nothing_in_the_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("check", write(tmp_path)) == 0
    assert "1 patients, visits at weeks 0, 4; nothing in the way" in capsys.readouterr().out


def test_check_lists_every_wrong_parameter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = PARAMETERS.replace("estimand", "estimant").replace("seed: 1", "seed: one")
    assert ended("check", write(tmp_path, wrong)) == 2
    messages = capsys.readouterr().err
    assert "E103" in messages and "estimand" in messages and "seed" in messages and "Traceback" not in messages


@pytest.mark.parametrize("command", ["check", "run"])
def test_wrong_data_end_with_their_own_code(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert ended(command, write(tmp_path, score="99")) == 3
    assert "E217" in capsys.readouterr().err
    assert not (tmp_path / "reports").exists()


def test_check_speaks_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("check", write(tmp_path, score="99"), "--format", "json") == 3
    (problem,) = json.loads(capsys.readouterr().out)
    assert problem["code"] == "E217" and set(problem) == {"code", "where", "what", "remedy"}


def test_a_bug_of_ours_ends_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("easitrace.cli._cohort", lambda parameters: 1 / 0)
    assert ended("check", write(tmp_path)) == 70
    messages = capsys.readouterr().err
    assert messages.startswith("a bug in easitrace: ZeroDivisionError") and "Traceback" not in messages


@pytest.mark.parametrize(
    ("calendar", "synthetic", "told"),
    [
        (Calendar(cut=CUT), "", "30 June 2021"),
        (Calendar(CUT, CUT, CUT), "", "not stated; last visit 30 June 2021"),
        (Calendar(), "", "not stated; visits have no dates"),
        (Calendar(), "Synthetic.", "not applicable: no patient data"),
    ],
)
def test_the_head_of_a_report_says_when_the_data_were_cut(calendar: Calendar, synthetic: str, told: str) -> None:
    cohort = replace(read_cohort("baricitinib"), calendar=calendar, synthetic=synthetic)
    parameters = read_parameters(Path(__file__).parents[2] / "parameters" / "baricitinib.yml")
    assert dict(_study(parameters, cohort).facts)["Data cut"] == told


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"], ["check", "nowhere.yml"]])
def test_small_commands_load_nothing_heavy(command: list[str]) -> None:
    heavy = "{'papermill', 'nbconvert', 'matplotlib', 'scipy'}"
    script = (
        "import atexit, sys\nfrom easitrace.cli import main\n"
        f"atexit.register(lambda: print('heavy:', {heavy} & set(sys.modules)))\nmain({command!r})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "heavy: set()" in done.stdout
