"""Write docs/codes.md: every code with its meaning, from the table in easitrace.errors."""

from pathlib import Path

from easitrace.errors import CODES

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "codes.md"
HEAD = """\
# Codes
Every problem has a code that stays the same, says where it is (file, row as a spreadsheet shows it, column; or the
line of the parameter file) and what to do. All problems of a file are shown at once, fifty at most, the rest counted.
`easitrace check FILE --format json` gives them to a program.

An **E** stops the command and nothing is written, a **W** is printed in the report, an **F** is something repaired and
counted in the report's cleaning log. Written by `tools/codes.py` from `easitrace.errors`.
"""
GROUPS = {
    "E1": "Parameters (exit code 2)",
    "E2": "Data (exit code 3)",
    "W2": "Warnings about data, printed in the report",
    "F2": "Repairs, counted in the report",
    "E3": "Models (exit code 4)",
    "E4": "Chapters and reports (exit code 4)",
    "E5": "Disclosure (exit code 5)",
    "W5": "Warnings of the disclosure scanner",
    "E6": "The machine (exit code 6)",
}


def document() -> str:
    """The whole of docs/codes.md."""
    parts = [HEAD]
    for start, title in GROUPS.items():
        rows = [f"| {code} | {meaning} |" for code, meaning in sorted(CODES.items()) if code.startswith(start)]
        parts.append("\n".join([f"\n## {title}", "| code | meaning |", "|---|---|", *rows, ""]))
    return "".join(parts)


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(document(), encoding="utf-8", newline="\n")
