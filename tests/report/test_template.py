"""The page around the chapters: what the contents leave out."""

from nbformat import v4

from easitrace.report.execute import Ran
from easitrace.report.render import Study, render

REPEATED = "What this shows and what it does not"


def test_a_section_that_every_chapter_has_is_on_the_page_and_not_in_the_contents() -> None:
    cells = [v4.new_markdown_cell(f"# A\n\n## Course\n\n## {REPEATED}\n\nMuch.")]
    result = {"title": "A", "status": "complete", "numbers": {}, "tables": [], "figures": []}
    page = render([Ran("01_a", v4.new_notebook(cells=cells), result, 0.0)], Study("s", "T"))
    contents, main = page.split("</nav>")
    assert REPEATED in main and REPEATED not in contents and ">Course</a>" in contents
