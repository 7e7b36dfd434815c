"""Reports in a browser, on a wide and a narrow screen, light and dark: for everybody, whole, silent and harmless.

Needs Chromium (`apt install chromium`); axe-core and the Nu checker from `npm install --no-save axe-core vnu-jar` in
the repository or in the folder that NODE_MODULES names; Java for the checker.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import PROGRAM, Tab, browser
from hostile_study import COLUMN, HOSTILE, write_study
from study import command

ROOT = Path(__file__).parents[2]
MODULES = Path(os.environ.get("NODE_MODULES", ROOT / "node_modules"))
AXE = MODULES / "axe-core" / "axe.min.js"
CHECKER = MODULES / "vnu-jar" / "build" / "dist" / "vnu.jar"
LARGEST = 3_000_000
SCREENS: dict[str, dict[str, Any]] = {
    "wide": {"width": 1440},
    "dark": {"width": 1440, "dark": True},
    "narrow": {"width": 390},
    "narrow and dark": {"width": 390, "dark": True},
}
PLAIN = """document.head.append(Object.assign(document.createElement('style'),
    {textContent: '.scroll { background: none !important }'}))"""
ACTIVE = "document.querySelectorAll('script, iframe, object, embed, link, base, form, img, image').length"
VIOLATIONS = """axe.run(document, {resultTypes: ['violations']}).then(found => found.violations.map(
    rule => [rule.id, rule.impact, rule.help, rule.nodes.length, rule.nodes[0].html]))"""
UNDECIDED = """axe.run(document, {runOnly: ['color-contrast'], resultTypes: ['incomplete']}).then(found =>
    found.incomplete.flatMap(rule => rule.nodes.filter(node => !node.html.startsWith('<m')).map(node => node.html)))"""
LIVING = """[...document.querySelectorAll('*')].flatMap(element => [...element.attributes].filter(attribute =>
    /^on/i.test(attribute.name) || /javascript:|data:text|https?:/i.test(attribute.value) && attribute.name != 'alttext'
    && attribute.name != 'aria-label').map(attribute => `${element.tagName} ${attribute.name}=${attribute.value}`))"""
OUTLINE = """({
    landmarks: ['header', 'nav', 'main', 'footer'].map(name => document.querySelectorAll(`body > ${name}`).length),
    first: document.querySelectorAll('h1').length,
    jumps: [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(heading => +heading.tagName[1])
        .filter((level, place, all) => place && level > all[place - 1] + 1).length,
    unheaded: [...document.querySelectorAll('table')].filter(table => !table.querySelector('thead th[scope]')
        || [...table.querySelectorAll('tbody tr')].some(row => !row.querySelector('th'))).length,
    captions: document.querySelectorAll('main figure:not(:has(figcaption))').length,
    silent: [...document.querySelectorAll('main figure.figure')].filter(figure => {
        const drawing = figure.querySelector('svg[role=img]');
        return !drawing || !/[0-9]/.test(drawing.getAttribute('aria-label')) }).length})"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="needs Chromium: apt install chromium"),
]
needs_axe = pytest.mark.skipif(not AXE.is_file(), reason="needs axe-core: npm install --no-save axe-core")
needs_checker = pytest.mark.skipif(
    not CHECKER.is_file() or shutil.which("java") is None, reason="needs Java, and: npm install --no-save vnu-jar"
)


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reports folder of the study that the repository shows."""
    return made(ROOT, "parameters/baricitinib.yml", tmp_path_factory.mktemp("default"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    return made(folder, write_study(folder).name, folder / "reports")


def made(folder: Path, parameters: str, reports: Path) -> Path:
    notebooks = str(ROOT / "notebooks")
    code, _, messages = command(folder, "run", parameters, "--output", str(reports), "--notebooks", notebooks)
    assert code == 0, messages
    return reports


def pages(reports: Path) -> list[Path]:
    return [*reports.glob("*/report.html"), reports / "index.html"]


@needs_axe
@pytest.mark.parametrize("screen", SCREENS)
def test_no_rule_of_accessibility_is_violated(tab: Tab, default: Path, screen: str) -> None:
    for page in pages(default):
        tab.open(page, **SCREENS[screen])
        tab.run(f"{AXE.read_text(encoding='utf-8')}; {PLAIN}; 0")
        assert tab.run(VIOLATIONS) == []
        if SCREENS[screen]["width"] > 1000:  # where no cell is scrolled out of sight, every colour can be judged
            assert tab.run(UNDECIDED) == []


@needs_axe
def test_axe_finds_what_is_wrong(tab: Tab, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    wrong = '<main><h1>a</h1><svg role="img"></svg></main>'
    page.write_text(f'<!DOCTYPE html><html lang="en"><title>a</title>{wrong}</html>')
    tab.open(page)
    tab.run(f"{AXE.read_text(encoding='utf-8')}; 0")
    assert [rule for rule, *_ in tab.run(VIOLATIONS)] == ["svg-img-alt"]


@pytest.mark.parametrize("screen", SCREENS)
def test_a_page_asks_for_nothing_runs_nothing_and_says_nothing(tab: Tab, default: Path, screen: str) -> None:
    for page in pages(default):
        tab.open(page, **SCREENS[screen])
        assert tab.requests() == [page.as_uri()]
        assert tab.scripts() == [] and "Log.entryAdded" not in tab.named()


@pytest.mark.parametrize("width", [1440, 768, 390, 320])
def test_no_page_is_wider_than_the_screen(tab: Tab, default: Path, hostile: Path, width: int) -> None:
    for page in [*pages(default), *pages(hostile)]:
        tab.open(page, width=width)
        assert tab.run("document.documentElement.scrollWidth") <= width


def test_a_page_can_be_heard_and_used_without_a_mouse(tab: Tab, default: Path) -> None:
    page = next(default.glob("*/report.html"))
    tab.open(page)
    good = {"landmarks": [1, 1, 1, 1], "first": 1, "jumps": 0, "unheaded": 0, "captions": 0, "silent": 0}
    assert tab.run(OUTLINE) == good
    press(tab, "Tab")
    assert tab.run("[document.activeElement.className, document.activeElement.getBoundingClientRect().left >= 0]") == [
        "skip",
        True,
    ]
    press(tab, "Enter")
    assert tab.run("location.hash") == "#content"
    press(tab, "Tab")
    assert tab.run("document.activeElement.closest('main') !== null")
    assert tab.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.stat().st_size <= LARGEST


def press(tab: Tab, key: str) -> None:
    text = {"text": "\r"} if key == "Enter" else {}
    code = {"Tab": 9, "Enter": 13}[key]
    for kind in ("keyDown", "keyUp"):
        tab.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)


@pytest.mark.parametrize("policy", ["kept", "set aside"])
def test_hostile_text_does_nothing_even_without_the_policy(tab: Tab, hostile: Path, policy: str) -> None:
    tab.ask("Page.setBypassCSP", enabled=policy == "set aside")
    for page in pages(hostile):
        tab.open(page)
        assert tab.requests() == [page.as_uri()]
        assert tab.scripts() == [] and tab.run("typeof window.ran") == "undefined"
        assert {"Page.javascriptDialogOpening", "Log.entryAdded"}.isdisjoint(tab.named())
        assert tab.run(LIVING) == []
        assert tab.run(ACTIVE) == 0
        assert HOSTILE[0] in tab.run('document.body.innerText.replace(/[\u2018\u2019]/g, "\'")')
    tab.ask("Page.setBypassCSP", enabled=False)


def test_the_browser_would_have_told(tab: Tab, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<!DOCTYPE html><p>" + "".join(HOSTILE), encoding="utf-8")
    tab.open(page)
    assert "Page.javascriptDialogOpening" in tab.named() and tab.run("window.ran") == 1
    assert any("fetched.example" in address for address in tab.requests())
    assert tab.scripts() and tab.run(LIVING)


def test_hostile_text_is_carried_as_it_is(hostile: Path) -> None:
    report = hostile / "hostile"
    table = (report / "tables" / "01_cohort_baseline.csv").read_text(encoding="utf-8")
    assert "'=B [Table](#x)" in table and "'-1+cmd" in table and "'=HYPERLINK" in table and COLUMN not in table
    numbers = json.loads((report / "results.json").read_text(encoding="utf-8"))["01_cohort"]["numbers"]
    assert "<img src=x onerror=alert('ran')> {arm} $\\frac{$" in numbers["arms"]


@needs_checker
def test_pages_are_valid(default: Path, hostile: Path) -> None:
    java = ["java", "-Xss4m", "-jar", str(CHECKER), "--format", "gnu", "--errors-only"]
    files = [str(page) for page in [*pages(default), *pages(hostile)]]
    checked = subprocess.run([*java, *files], capture_output=True, text=True, check=False)
    assert checked.stderr.splitlines() == [] and checked.returncode == 0
