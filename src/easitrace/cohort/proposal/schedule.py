"""The planned week that a visit's label names."""

import re
from collections.abc import Iterable

from easitrace.cohort.proposal.guess import Guess
from easitrace.cohort.proposal.vocabulary import BASELINE, MONTH, WEEK, plain

WEEKS_A_MONTH = 52 / 12
ARM = re.compile(r"\s+arm\s+\d+$")


def week_of(label: str) -> tuple[float | None, str]:
    """The planned week of a visit label and what is unsure about it; None when it names none."""
    words = ARM.sub("", plain(label))
    if words in BASELINE:
        return 0, ""
    if week := re.fullmatch(rf"(?:{WEEK}\s*(\d+)|(\d+)\s*{WEEK})", words):
        return float(week[1] or week[2]), ""
    if re.fullmatch(r"\d+(?: 0+)?", words):
        return float(words.split()[0]), "a bare number, taken for a week"
    if month := re.fullmatch(rf"(?:{MONTH}\s*(\d+)|(\d+)\s*{MONTH})", words):
        months = int(month[1] or month[2])
        return float(round(months * WEEKS_A_MONTH)), f"month {months}, in whole weeks"
    return None, ""


def propose_visits(labels: Iterable[str], *, weeks: bool = False) -> list[Guess]:
    """The schedule in time order, then the labels whose week the file does not tell.

    Bare numbers are weeks when the column says so (`weeks`) or when 0 is among them; else they count visits.
    """
    names = list(dict.fromkeys(labels))
    if not weeks and names and all(name.isdigit() for name in names) and "0" not in names:
        return [Guess(("visits", name), None, "its planned week: a number need not be a week") for name in names]
    known, unknown = [], []
    for label in names:
        week, note = week_of(label)
        if week is None:
            unknown.append(Guess(("visits", label), None, "its planned week, or list it under unscheduled"))
        else:
            known.append(Guess(("visits", label), week, "" if weeks else note))
    known.sort(key=lambda guess: float(guess.value))
    twice = {guess.value for guess in known if [other.value for other in known].count(guess.value) > 1}
    clear = [guess for guess in known if guess.value not in twice]
    unclear = [Guess(g.key, None, f"other labels name week {g.value:g} too") for g in known if g.value in twice]
    return [*clear, *unclear, *unknown]
