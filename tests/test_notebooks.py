"""The chapters read like a paper, and their parameters are the parameters of the report."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from easitrace.parameters import Parameters, read_parameters

ROOT = Path(__file__).parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DECLARED = re.compile(r"^(\w+): ([^=]+) = (.+?)  # (.+)$")
RUN_ONLY = {"output", "reference"}
ids = [path.stem for path in CHAPTERS]


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def parameters_cell(path: Path) -> list[str]:
    tagged = [cell for cell in cells(path, "code") if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    return source(tagged[0]).splitlines()


@pytest.fixture(scope="session")
def default_study() -> Parameters:
    return read_parameters(ROOT / "parameters" / "baricitinib.yml")


@pytest.mark.parametrize("path", CHAPTERS, ids=ids)
def test_every_parameter_is_declared_as_the_model_has_it(path: Path, default_study: Parameters) -> None:
    for line in parameters_cell(path):
        match = DECLARED.match(line)
        assert match, line
        name, _, default, meaning = match.groups()
        if name in RUN_ONLY:
            continue
        assert Parameters.model_fields[name].description == meaning, name
        assert default_study.for_chapter([name])[name] == ast.literal_eval(default), name


@pytest.mark.parametrize("path", CHAPTERS, ids=ids)
def test_every_declared_parameter_is_used(path: Path) -> None:
    names = [line.split(":")[0] for line in parameters_cell(path)]
    code = [source(cell) for cell in cells(path, "code") if "parameters" not in cell["metadata"].get("tags", [])]
    used = {node.id for text in code for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    assert [name for name in names if name not in used] == []


def test_every_parameter_of_the_model_is_used_by_a_chapter_or_the_renderer() -> None:
    declared = {line.split(":")[0] for path in CHAPTERS for line in parameters_cell(path)}
    by_the_renderer = {"study", "title", "show_code", "formats", "disclosure", "min_cell"}
    assert set(Parameters.model_fields) - by_the_renderer - declared == set()


@pytest.mark.parametrize("path", CHAPTERS, ids=ids)
def test_a_chapter_reads_like_a_paper(path: Path) -> None:
    code, text = cells(path, "code"), [source(cell) for cell in cells(path, "markdown")]
    assert len(code) + len(text) <= 40
    assert text[0].startswith("# ")
    assert any(part.startswith("## What this shows and what it does not") for part in text)
    assert source(code[-1]).strip() == "chapter.finish()"
    for cell in code:
        assert cell["outputs"] == [] and cell["execution_count"] is None
        lines = [line for line in source(cell).splitlines() if line.strip()]
        assert len(lines) <= 12 or "parameters" in cell["metadata"].get("tags", []), lines[0]
        assert not [node for node in ast.walk(ast.parse(source(cell))) if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("path", CHAPTERS, ids=ids)
def test_no_number_is_typed_into_a_sentence(path: Path) -> None:
    for cell in cells(path, "code"):
        for node in ast.walk(ast.parse(source(cell))):
            said = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "say"
            if said and isinstance(node.args[0], ast.Constant):
                assert digits_outside_fields(node.args[0].value) == []


def digits_outside_fields(template: str) -> list[str]:
    return re.findall(r"\d", re.sub(r"\{[^}]*\}", "", template))


def test_a_typed_digit_is_seen() -> None:
    assert digits_outside_fields("{p:.3f} of 25") == ["2", "5"]
