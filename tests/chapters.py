"""Running a chapter's cells in this process, without a kernel, to see what it shows and hands on."""

import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


def run_chapter(name: str, monkeypatch: pytest.MonkeyPatch, **parameters: Any) -> str:
    """Everything a chapter shows with these parameters, and the numbers it recorded."""
    from easitrace.report import chapter

    shown: list[str] = []
    monkeypatch.setattr(chapter, "_show", lambda markup, **_: shown.append(markup))
    space: dict[str, Any] = {}
    for cell in json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), name, "exec"), space)
            if "parameters" in cell["metadata"].get("tags", []):
                declared = set(space)
                space.update({key: value for key, value in parameters.items() if key in declared})
    return "\n".join([*shown, json.dumps(space["chapter"].numbers)])
