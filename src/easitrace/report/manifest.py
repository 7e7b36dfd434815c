"""What a report was made from: written last, so that a folder with this record is a whole report."""

import hashlib
import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from easitrace.report.execute import Ran
from easitrace.report.staging import RECORD

PACKAGES = (
    *("easitrace", "numpy", "scipy", "pandas", "statsmodels", "formulaic", "matplotlib", "seaborn"),
    *("great-tables", "papermill", "nbclient", "nbconvert", "ipykernel"),
    *("pypandoc-binary", "python-docx", "typst"),
)


def write_manifest(folder: Path, about: Mapping[str, Any], chapters: Sequence[Ran], times: Mapping[str, Any]) -> None:
    """Write `manifest.json`, the completion record: what went in, with what it was computed, what came out.

    Parameters
    ----------
    folder : Path
        The finished report.
    about : mapping
        `study`, `title`, `synthetic`, `parameters`, `sources` (path and SHA-256), `seed`.
    chapters : sequence of Ran
        For their durations and what they printed on standard error.
    times : mapping
        `started` and `ended` (UTC), `seconds`.
    """
    content = {
        **about,
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "platform": platform.platform(),
        "commit": _commit(),
        **times,
        "chapters": {
            ran.name: {"status": ran.result["status"], "seconds": round(ran.seconds, 2), "messages": _messages(ran)}
            for ran in chapters
        },
        "files": {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        },
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    (folder / RECORD).write_text(text, encoding="utf-8", newline="\n")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit the package runs from, None when it is not in a git work tree."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return None
    return answer.stdout.strip() or None


def _messages(ran: Ran) -> list[str]:
    outputs = [output for cell in ran.notebook.cells for output in cell.get("outputs", ())]
    return [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"]
