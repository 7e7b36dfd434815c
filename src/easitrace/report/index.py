"""The list of studies: `reports/index.html`, made again from the reports that are there."""

import csv
import html
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from easitrace.report.markup import printable
from easitrace.report.render import TEMPLATES
from easitrace.report.staging import AREA, RECORD, disk_errors, lock, write_atomically

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
KEY = Path("tables", "00_summary_key.csv")
QUESTIONS = ("How many?", "What changed?", "How do the arms differ?", "Who responded?")
FORMS = {"PDF": "report.pdf", "Word": "report.docx", "For others": "share/report.html"}


def write_index(reports: Path) -> Path:
    """List every complete report under `reports`, by folder name.

    Raises
    ------
    MachineError
        E602 or E605 when the list cannot be written.
    """
    path = reports / "index.html"
    with lock(reports / AREA / "index.lock", wait=True), disk_errors(path):
        write_atomically(path, _page(reports))
    return path


def page(title: str, body: str) -> str:
    """A page beside the reports, in their style and with their policy; `body` is HTML."""
    style = (TEMPLATES / "easitrace" / "style.css").read_text(encoding="utf-8")
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body class="index">
<header class="title"><h1>{title}</h1></header>
<main>
{body}
</main>
</body>
</html>
"""


def _page(reports: Path) -> str:
    found = ((path.parent, _record(path)) for path in sorted(reports.glob(f"*/{RECORD}")))
    lines = "\n".join(_study(folder, record) for folder, record in found if record.get("study") == folder.name)
    return page("Reports", lines or "<p>There is no report yet.</p>")


def _record(path: Path) -> dict[str, Any]:
    """A completion record; empty for a file of that name that is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _study(folder: Path, record: dict[str, Any]) -> str:
    """Title, when and with what the report was made, its first answers, its other forms."""
    synthetic = f'<p class="synthetic">{_text(record["synthetic"])}</p>\n' if record["synthetic"] else ""
    version = record.get("versions", {}).get("easitrace")
    program = _text(f"easitrace {version}") if version else ""
    made = [_text(record.get("started", "")[:10]), program, *_other_forms(folder, record)]
    answers = "".join(f"<div><dt>{_text(asked)}</dt><dd>{_text(answer)}</dd></div>\n" for asked, answer in _key(folder))
    return f"""<article>
<h2><a href="{quote(folder.name)}/report.html">{_text(record["title"])}</a></h2>
{synthetic}<p class="made">{" · ".join(filter(None, made))}</p>
<dl class="facts">
{answers}</dl>
</article>"""


def _other_forms(folder: Path, record: dict[str, Any]) -> list[str]:
    there = [(name, path) for name, path in FORMS.items() if path in record.get("files", {})]
    return [f'<a href="{quote(folder.name)}/{path}">{name}</a>' for name, path in there]


def _key(folder: Path) -> list[tuple[str, str]]:
    """How many patients, what changed, who responded, as the first page answers it; nothing for a report without."""
    path = folder / KEY
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["question"], row["answer"]) for row in csv.DictReader(file)]
    return [(question, answer) for question, answer in rows if question in QUESTIONS]


def _text(words: str) -> str:
    return html.escape(printable(words), quote=False)
