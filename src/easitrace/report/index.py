"""The list of studies: `reports/index.html`, made again from the reports that are there."""

import html
import json
from pathlib import Path
from typing import Any

from easitrace.report.render import TEMPLATES
from easitrace.report.staging import AREA, RECORD, disk_errors, lock, write_atomically

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


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
    found = ((path.parent.name, _record(path)) for path in sorted(reports.glob(f"*/{RECORD}")))
    lines = "\n".join(_line(study, record) for study, record in found if record.get("study") == study)
    return page("Reports", f'<ul class="studies">\n{lines}\n</ul>')


def _record(path: Path) -> dict[str, Any]:
    """A completion record; empty for a file of that name that is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _line(study: str, record: dict[str, Any]) -> str:
    title = html.escape(record["title"], quote=False)
    synthetic = ' <span class="synthetic">synthetic</span>' if record["synthetic"] else ""
    return f'<li><a href="{study}/report.html">{title}</a>{synthetic}</li>'
