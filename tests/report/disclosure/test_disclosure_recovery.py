"""An attacker with the shared tables recovers no masked count; without the gate there are many."""

from functools import cache

import pandas as pd
import pytest
from recovery import Attack, Frames, default_tables, recovered, sheets_and_truth

from easitrace.report.disclosure import gate
from easitrace.report.disclosure.derive import MASKED
from easitrace.report.disclosure.gate import Key, Ledger, Told
from easitrace.report.disclosure.profiles import THRESHOLDS, Interval, Profile, profile_named
from easitrace.report.disclosure.registry import SHAREABLE
from easitrace.report.disclosure.sheets import Sheets, shared_sheets

PROFILES = list(THRESHOLDS)


@cache
def both(name: str, min_cell: int | None = None) -> tuple[Sheets, Frames]:
    return sheets_and_truth(default_tables(), profile_named(name, min_cell))


def shared(name: str, min_cell: int | None = None) -> Sheets:
    return both(name, min_cell)[0]


def only_small_masked(ledger: Ledger, profile: Profile, hidden: frozenset[Key]) -> Told:
    """What people do: leave out the small counts and nothing else."""
    return Told(profile, {key: count for key, count in ledger.counts.items() if count >= profile.least})


@pytest.mark.parametrize("name", PROFILES)
def test_no_masked_count_is_recovered(name: str) -> None:
    attack = Attack()
    attack.read(shared(name).tables, both(name)[1], profile_named(name).least)
    ranges = attack.run()
    assert len(ranges) > 30
    assert recovered(ranges) == []


def test_nor_from_all_profiles_together() -> None:
    attack = Attack()
    for name in PROFILES:
        attack.read(shared(name).tables, both(name)[1], profile_named(name).least)
    assert recovered(attack.run()) == []


@pytest.mark.parametrize("name", PROFILES)
def test_leaving_out_small_counts_alone_gives_them_away(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = both(name)[1]
    monkeypatch.setattr(gate, "release", only_small_masked)
    sheets = shared_sheets(default_tables(), profile_named(name), Interval())
    attack = Attack(half=0)
    attack.read(sheets.tables, truth, profile_named(name).least)
    assert len(recovered(attack.run())) >= 3


@pytest.mark.parametrize("name", PROFILES)
def test_percentages_say_no_more_than_their_counts(name: str) -> None:
    """Of a masked count there is no percentage, of a told one the percentage of the told count."""
    for table in shared(name).tables.values():
        if "proportion" in table:
            part = next(column for column in ("responders", "count", "stopped", "patients", "met") if column in table)
            for row in table[table[part].notna()].to_dict("records"):
                if MASKED in (row[part], row["n"]):
                    assert [row["proportion"], row["lower"], row["upper"]] == [MASKED] * 3
                else:
                    assert row["proportion"] == pytest.approx(row[part] / row["n"], abs=0.005)


@pytest.mark.parametrize("name", PROFILES)
def test_all_told_counts_are_multiples_of_five(name: str) -> None:
    tables = shared(name).tables
    counts = [tables[entry.table][column] for entry in SHAREABLE if entry.table in tables for column in entry.counts]
    told = pd.to_numeric(pd.concat(counts), errors="coerce").dropna()
    assert len(told) > 50
    assert (told % 5 == 0).all()


def test_a_stricter_profile_tells_no_more() -> None:
    masked = [shared(name).masked for name in PROFILES] + [shared("share-11", 20).masked]
    assert masked == sorted(masked)
    assert masked[0] < masked[1] < masked[2] < masked[3]
