"""The conda file repeats the lock: whoever uses it gets the same environment."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PIN = re.compile(r'^\s*- "([A-Za-z0-9._-]+)==([^ ;"]+)', re.MULTILINE)


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def conda_pins() -> set[tuple[str, str]]:
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    return {(canonical(name), version) for name, version in PIN.findall(text)}


def locked() -> set[tuple[str, str]]:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    return {(canonical(package["name"]), package.get("version", "")) for package in lock["package"]}


def test_every_conda_pin_is_the_locks() -> None:
    assert conda_pins() <= locked()


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = {canonical(re.split(r"[<>=!~ ]", line)[0]) for line in project["dependencies"]}
    assert direct <= {name for name, _ in conda_pins()}


def test_every_dependency_has_its_reason_in_contributing() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    lines = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = [re.split(r"[<>=!~ ]", line)[0] for line in lines]
    assert [name for name in names if f"| {name} |" not in text] == []
