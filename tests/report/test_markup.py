"""Whatever stands in a cell of a data file, only known elements and attributes reach the page."""

import re
from html.parser import HTMLParser

import pytest

from easitrace.report.markup import (
    EquationError,
    clean_html,
    clean_svg,
    clean_table,
    markdown_html,
    mathml,
    plain_text,
    typographic,
)

HOSTILE = [
    "<script>alert(1)</script>",
    '<img src="x" onerror="alert(1)">',
    "<svg onload=alert(1)><foreignObject><iframe src=https://x.example>",
    '<a href="javascript:alert(1)">a</a>',
    '<a href="https://x.example">a</a>',
    "<style>@import url(https://x.example/a.css)</style>",
    '<p style="background:url(https://x.example/a.png)">a</p>',
    '<link rel="stylesheet" href="https://x.example">',
    '<meta http-equiv="refresh" content="0;url=https://x.example">',
    "<math><mtext></table><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<form action=https://x.example><button>a</button></form>",
    '<object data="https://x.example"></object><embed src="https://x.example"><base href="https://x.example">',
    "<!--><script>alert(1)</script>-->",
    "<textarea></textarea><title><b onmouseover=alert(1)>",
]
HARMLESS = {"a", "p", "img", "b", "table", "tbody", "tr", "td", "th", "span", "em", "strong"}


class Seen(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name: value or "" for name, value in attrs}


def assert_inert(page: str) -> None:
    seen = Seen(page)
    assert seen.tags <= HARMLESS
    assert not [name for name in seen.attributes if name.startswith("on")]
    assert not re.search("javascript|example|import", " ".join(seen.attributes.values()))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_html_comes_out_inert(hostile: str) -> None:
    assert_inert(clean_html(hostile))
    assert_inert(clean_table(f"<table><tbody><tr><td>{hostile}</td></tr></tbody></table>"))
    assert_inert(markdown_html(hostile, lambda words, level: f"<p>{words}</p>"))


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_in_a_drawing_stays_text(hostile: str) -> None:
    escaped = hostile.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    page = clean_svg(f'<svg xmlns="http://www.w3.org/2000/svg"><text>{escaped}</text></svg>', "a", hostile)
    seen = Seen(page)
    assert seen.tags == {"svg", "text"}
    assert seen.attributes["aria-label"] == hostile


def test_a_hostile_drawing_loses_all_but_its_shapes() -> None:
    page = clean_svg(
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="alert(1)">'
        '<script>alert(1)</script><style>@import "https://x.example"</style><!-- P07 -->'
        '<a xlink:href="https://x.example"><path d="M 0 0"/></a><foreignObject><p>x</p></foreignObject>'
        '<image xlink:href="https://x.example/a.png"/><use xlink:href="https://x.example#a"/>'
        '<path d="M 1.23456 2" style="fill:url(https://x.example)" onclick="alert(1)"/></svg>',
        "a",
        "b",
    )
    seen = Seen(page)
    assert seen.tags == {"svg", "image", "use", "path"}
    assert "https" not in page and "alert" not in page and "P07" not in page and "http" not in page
    assert 'd="M 1.23 2"' in page


def test_two_drawings_do_not_share_names() -> None:
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
        '<g id="unused"/><path id="mark" d="M 0 0"/><clipPath id="clip"/>'
        '<use xlink:href="#mark" clip-path="url(#clip)"/></svg>'
    )
    page = clean_svg(drawing, "a", "")
    assert re.findall(r'(?:id|href|clip-path)="([^"]+)"', page) == ["a-mark", "a-clip", "#a-mark", "url(#a-clip)"]


def test_the_scale_of_letters_is_kept_exactly() -> None:
    page = clean_svg('<svg xmlns="http://www.w3.org/2000/svg"><g transform="scale(0.015625)"/></svg>', "a", "")
    assert 'transform="scale(0.015625)"' in page


def test_every_row_of_a_table_gets_a_header_cell() -> None:
    row = '<tr><td class="gt_row gt_left">{}</td><td class="gt_row gt_right">1.2 [0.5 to 2.0]</td></tr>'
    page = clean_table(f"<table><tbody>{row.format('week 4')}{row.format('week 12')}</tbody></table>")
    assert page.count('<th scope="row"') == 2
    assert plain_text(page) == "week 41.2 [0.5 to 2.0]week 121.2 [0.5 to 2.0]"
    assert '<span class="whole">1.2</span> <span class="whole">[0.5 to 2.0]</span>' in page


def test_an_equation_becomes_mathml_with_its_source_as_alternative_text() -> None:
    page = mathml(r"y_{ij} = x_{ij}^\top \beta", block=True)
    assert page.startswith('<math display="block" alttext="y_{ij} = x_{ij}^\\top \\beta">')
    assert "http" not in page


@pytest.mark.parametrize("latex", [r"\begin{aligned} a &= b \end{aligned}", r"a \sim N(0, 1)", r"\text{ or } x"])
def test_common_equations_can_be_set(latex: str) -> None:
    assert "<math" in mathml(latex, block=False)


def test_blanks_of_words_in_an_equation_stay() -> None:
    assert "<mtext>\u00a0or\u00a0</mtext>" in mathml(r"a \text{ or } b", block=False)


@pytest.mark.parametrize("latex", [r"\frac{1}{", r"\nosuchcommand x"])
def test_an_equation_that_cannot_be_set_is_an_error(latex: str) -> None:
    with pytest.raises(EquationError):
        mathml(latex, block=False)


def test_an_equation_carries_no_link() -> None:
    assert (
        "javascript"
        not in mathml(r"\href{javascript:alert(1)}{y}", block=False).replace("alttext=", "", 1).split(">", 1)[1]
    )


def test_text_cannot_pass_for_an_equation_put_aside() -> None:
    page = markdown_html("a \ue0000\ue001 $x$", lambda words, level: words)
    assert page.count("<math") == 1


def test_a_p_value_is_not_broken_over_two_lines() -> None:
    assert typographic("(P = .003; n = 25; P &lt; .001)") == (
        "(P\u00a0=\u00a0.003; n\u00a0=\u00a025; P\u00a0&lt;\u00a0.001)"
    )


def test_quotation_marks_are_curled_in_text_but_not_in_tags_and_code() -> None:
    page = typographic('<p class="a">the patient\'s "best" score</p><code>d["a"]</code>')
    assert page == '<p class="a">the patient\u2019s \u201cbest\u201d score</p><code>d["a"]</code>'


def test_short_words_of_a_cell_stay_on_a_line_and_long_ones_break() -> None:
    row = '<tr><td>a</td><td class="gt_left">week 4</td><td>met at week 4</td></tr>'
    page = clean_table(f"<table><tbody>{row}</tbody></table>")
    assert '<span class="whole">week 4</span>' in page and "<td>met at week 4</td>" in page


def test_an_equation_on_a_line_of_its_own_scrolls_by_keyboard() -> None:
    page = markdown_html("$$x$$ and $y$", lambda words, level: words)
    frame = '<span class="equation" role="group" tabindex="0" aria-label="Equation">'
    assert page.count(f'{frame}<math display="block"') == 1 and page.count("<math") == 2
