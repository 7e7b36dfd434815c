"""Small chapter notebooks for the tests of running and rendering."""

from collections.abc import Sequence
from pathlib import Path

import nbformat

OPEN = "from easitrace.report.chapter import Chapter\nchapter = Chapter({name!r}, {title!r}, output=output)"
FIGURE = """import matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(4, 2.5))
axes.plot([0, 4, 8], [20, {low}, 6])
axes.set_xlabel('Week')
axes.set_ylabel('EASI')
chapter.figure(figure, name='course', caption='Observed course.', alt='EASI falls from 20 to 6 in 8 weeks')"""
TABLE = """import pandas as pd
from great_tables import GT
visits = pd.DataFrame({'visit': ['baseline', 'week 4'], 'easi': [20.0, 11.5]})
chapter.table(GT(visits, rowname_col='visit'), visits, name='visits', caption='EASI by visit.')"""


def write_chapter(
    folder: Path,
    name: str,
    cells: Sequence[str] = (),
    *,
    title: str = "A chapter",
    parameters: str = "output: str | None = None",
    end: str = "chapter.finish()",
) -> Path:
    """Write a notebook; a cell that begins with `#md ` is Markdown."""
    sources = [f"#md # {title}", OPEN.format(name=name, title=title), *cells, *([end] if end else [])]
    notebook = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    notebook.cells = [_cell(number, source) for number, source in enumerate(sources)]
    notebook.cells.insert(1, nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}, id="parameters"))
    path = folder / f"{name}.ipynb"
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


def _cell(number: int, source: str) -> nbformat.NotebookNode:
    if source.startswith("#md "):
        return nbformat.v4.new_markdown_cell(source.removeprefix("#md "), id=f"cell-{number}")
    return nbformat.v4.new_code_cell(source, id=f"cell-{number}")
