"""The built-in cohort as a user's file, with things in its cells that must not get out."""

from pathlib import Path

import pandas as pd

from easitrace.cohort.builtin import load_builtin

HOSTILE = {
    "plain": "zq7k4v{n:02d}",
    "script": "<script>alert('zq7k4v{n:02d}')</script>",
    "event handler": "<img src=x onerror=zq7k4v{n:02d}>",
    "comment": "<!-- zq7k4v{n:02d} -->",
    "CDATA": "]]><![CDATA[zq7k4v{n:02d}",
    "entity": "&lt;zq7k4v{n:02d}&gt;",
    "attribute": "' title='zq7k4v{n:02d}",
    "style": "<style>zq7k4v{n:02d}{{}}</style>",
    "Markdown link": "[zq7k4v{n:02d}](https://example.org/x)",
    "Markdown picture": "![zq7k4v{n:02d}](https://example.org/x.png)",
    "reference": "[Table](#zq7k4v{n:02d})",
    "code": "`zq7k4v{n:02d}`",
    "LaTeX": "\\input{{zq7k4v{n:02d}}}",
    "equation": "$\\text{{zq7k4v{n:02d}}}$",
    "Typst": "#read('zq7k4v{n:02d}')",
    "formula": "=HYPERLINK('https://example.org/zq7k4v{n:02d}')",
    "command": "+cmd|zq7k4v{n:02d}",
    "sum": "@SUM(zq7k4v{n:02d})",
    "right to left": "\u202ezq7k4v{n:02d}\u202c",
    "emoji": "\U0001f4a9 zq7k4v{n:02d}",
    "template": "{{{{ 7*7 }}}} zq7k4v{n:02d}",
    "format": "%s {{0.__class__}} zq7k4v{n:02d}",
    "path": "../../zq7k4v{n:02d}",
}
CANARIES = [f"zq7k4v{number:02d}" for number in range(2 * len(HOSTILE) + 5)]
PARAMETERS = {
    "columns": {"patient": "who", "visit": "when", "easi": "score", "age": "age", "sex": "sex", "remark": "remark"},
    "visits": {"baseline": 0, "week 4": 4, "week 12": 12},
    "delimiter": ";",
}
LONG = 1_000_000


def write_cohort(folder: Path, *, long: bool = False) -> Path:
    """The cohort with a hostile identifier for every patient and a hostile remark about each; two share a remark."""
    cohort = load_builtin("baricitinib")
    templates = list(HOSTILE.values())
    people = cohort.patients[["patient", "age", "sex"]].copy()
    people["who"] = [templates[n % len(templates)].format(n=n) for n in range(len(people))]
    people["remark"] = [templates[n % len(templates)].format(n=len(templates) + n) for n in range(len(people))]
    if long:
        people.loc[3, "remark"] += "x" * LONG
    table = cohort.visits[["patient", "visit", "easi"]].merge(people, on="patient")
    table = table.rename(columns={"visit": "when", "easi": "score"})
    path = folder / "cohort.csv"
    table[["who", "when", "score", "age", "sex", "remark"]].to_csv(path, index=False, sep=";")
    return path


def words(path: Path) -> pd.DataFrame:
    """The file as text."""
    return pd.read_csv(path, sep=";", dtype=str)
