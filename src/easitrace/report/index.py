"""The list of studies: `reports/index.html`, made again from the reports that are there."""

import html
import json
from pathlib import Path

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


def _page(reports: Path) -> str:
    style = (TEMPLATES / "easitrace" / "style.css").read_text(encoding="utf-8")
    records = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(reports.glob(f"*/{RECORD}")))
    lines = "\n".join(_line(record) for record in records)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Reports</title>
<style>
{style}
</style>
</head>
<body class="index">
<header class="title"><h1>Reports</h1></header>
<main>
<ul class="studies">
{lines}
</ul>
</main>
</body>
</html>
"""


def _line(record: dict[str, str]) -> str:
    study, title = html.escape(record["study"]), html.escape(record["title"], quote=False)
    synthetic = ' <span class="synthetic">synthetic</span>' if record["synthetic"] else ""
    return f'<li><a href="{study}/report.html">{title}</a>{synthetic}</li>'
