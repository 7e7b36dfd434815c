"""What can go wrong, said once: a problem names what is wrong, where, and what to do about it.

Codes are stable. E is an error (nothing is computed), W a warning (printed in the report),
F a repair (counted in the report's cleaning log). The table of codes is `CODES`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SHOWN_PROBLEMS = 50

CODES: dict[str, str] = {
    "E101": "parameter file cannot be read",
    "E102": "parameter file is not valid YAML",
    "E103": "unknown parameter",
    "E104": "parameter missing",
    "E105": "parameter has the wrong type or value",
    "E106": "parameters contradict each other",
}


@dataclass(frozen=True)
class Problem:
    """One located problem: `E207 cohort.csv row 14, column easi: ... is not a number; set decimal: ","`."""

    code: str
    where: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{self.code} {self.where}: {self.what}{remedy}"


class EasitraceError(Exception):
    """Base of all errors of the package; `problems` holds every problem found, `exit_code` the command's status."""

    exit_code = 70

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        """Keep all problems; the message lists the first 50 and counts the rest."""
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__(listing(self.problems))


class ParameterError(EasitraceError):
    """The parameter file is wrong (exit code 2)."""

    exit_code = 2


class DataError(EasitraceError):
    """The data are wrong (exit code 3)."""

    exit_code = 3


class NotEstimableError(EasitraceError):
    """A model or a chapter cannot be computed from these data (exit code 4)."""

    exit_code = 4


class MachineError(EasitraceError):
    """Disk, permission, kernel or a missing program (exit code 6)."""

    exit_code = 6


def listing(problems: Sequence[Problem]) -> str:
    """The problems one to a line, at most `SHOWN_PROBLEMS`, then how many more there are."""
    lines = [str(problem) for problem in problems[:SHOWN_PROBLEMS]]
    more = len(problems) - SHOWN_PROBLEMS
    return "\n".join([*lines, f"... and {more} more problems"] if more > 0 else lines)
