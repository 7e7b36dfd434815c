"""What a run shows while it works: a line per chapter, with its seconds when it is done."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from easitrace.report.execute import Tell


@contextmanager
def progress() -> Iterator[Tell]:
    """Show chapters on standard error: live in a terminal, one line per finished chapter elsewhere."""
    if not sys.stderr.isatty():
        yield _line
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = SpinnerColumn(finished_text="\u2713"), TextColumn("{task.description}"), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True)) as display:
        tasks = {}

        def tell(name: str, seconds: float | None) -> None:
            if seconds is None:
                tasks[name] = display.add_task(name, total=1)
            else:
                display.update(tasks[name], completed=1)

        yield tell


def _line(name: str, seconds: float | None) -> None:
    if seconds is not None:
        print(f"{name}  {seconds:.1f} s", file=sys.stderr, flush=True)
