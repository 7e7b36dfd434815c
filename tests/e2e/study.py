"""A small study to run from the command line."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from fake_chapters import FIGURE, TABLE, write_chapter

PARAMETERS = """study: small
title: {title}
data: visits.csv
columns: {{patient: id, visit: visit, easi: easi}}
visits: {{baseline: 0, week 4: 4}}
decision_week: 4
estimand: treatment-policy
seed: 1
"""
DECLARED = "seed: int = 0\ndata: str = ''\noutput: str | None = None"


def make_study(folder: Path, title: str = "First") -> Path:
    """Write a parameter file, a data file and three chapters."""
    rows = [f"p{patient},{visit},{score}" for patient in range(6) for visit, score in (("baseline", 20), ("week 4", 9))]
    (folder / "visits.csv").write_text("\n".join(["id,visit,easi", *rows]) + "\n")
    chapters = folder / "notebooks"
    write_chapter(chapters, "00_summary", ["#md See [Table](#01_cohort-visits)."], parameters=DECLARED)
    write_chapter(chapters, "01_cohort", ["chapter.say('Seed {seed}.', seed=seed)", TABLE], parameters=DECLARED)
    write_chapter(chapters, "02_course", [FIGURE.format(low=12)], parameters=DECLARED)
    return set_title(folder, title)


def set_title(folder: Path, title: str) -> Path:
    """Write the parameter file."""
    path = folder / "small.yml"
    path.write_text(PARAMETERS.format(title=title))
    return path


def start(folder: Path, *arguments: str, **environment: str) -> "subprocess.Popen[str]":
    """Start a command in the study's folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "easitrace.cli", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def command(folder: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run a command in the study's folder: its exit code, its output, its messages."""
    with start(folder, *arguments, **environment) as process:
        output, messages = process.communicate(timeout=120)
    return process.returncode, output, messages


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a report but its record of times."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def is_whole(report: Path) -> bool:
    """Whether the report holds exactly the files of its completion record."""
    listed = json.loads((report / "manifest.json").read_text())["files"]
    return listed == {name: hashlib.sha256(content).hexdigest() for name, content in files(report).items()}


def left_running(folder: Path, patience: float = 10) -> list[str]:
    """Processes that still work in the folder after some seconds (Linux)."""
    end = time.monotonic() + patience
    while (found := list(_working_in(folder))) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def _working_in(folder: Path) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve() == folder.resolve() and (process / "cmdline").read_bytes():
                yield process.name
        except OSError:
            continue
