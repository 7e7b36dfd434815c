"""The gate against an attacker who runs it on every table there could be, and against its own rules."""

from collections import defaultdict
from contextlib import suppress
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easitrace.errors import DisclosureError
from easitrace.report.disclosure.audit import reach
from easitrace.report.disclosure.gate import COHORT, Key, Ledger, Told, _round_about, release
from easitrace.report.disclosure.profiles import THRESHOLDS, Profile, coarse, profile_named

SHARE_5 = profile_named("share-5")
COUNTS = st.integers(0, 40)


def table_of(*parts: int) -> Ledger:
    """A cohort and the parts it falls into."""
    ledger = Ledger()
    ledger.enter(COHORT, sum(parts))
    ledger.adds_up(COHORT, [ledger.enter(("part", place), count) for place, count in enumerate(parts)])
    return ledger


def in_arms(*arms: tuple[int, ...]) -> Ledger:
    """A cohort of arms, the parts of each, and the parts of all."""
    ledger = Ledger()
    ledger.enter(COHORT, sum(map(sum, arms)))
    sizes = [ledger.enter(("arm", at), sum(parts)) for at, parts in enumerate(arms)]
    ledger.adds_up(COHORT, sizes)
    own = [[ledger.enter((at, place), count) for place, count in enumerate(parts)] for at, parts in enumerate(arms)]
    for size, keys in zip(sizes, own, strict=True):
        ledger.adds_up(size, keys)
    every = [ledger.enter(("all", place), sum(counts)) for place, counts in enumerate(zip(*arms, strict=True))]
    ledger.adds_up(COHORT, every)
    for whole, parts in zip(every, zip(*own, strict=True), strict=True):
        ledger.adds_up(whole, parts)
    return ledger


def told_of(parts: tuple[int, ...], profile: Profile = SHARE_5) -> list[int | None]:
    told = release(table_of(*parts), profile)
    return [told.count(COHORT), *(told.count(("part", place)) for place in range(len(parts)))]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("share-5", {4: None, 5: 5, 7: 5, 8: 10, 11: 10, 12: 10, 13: 15}),
        ("share-8", {7: None, 8: 10, 11: 10, 12: 10, 13: 15}),
        ("share-11", {10: None, 11: None, 12: None, 13: 15, 17: 15}),
    ],
)
def test_small_counts_are_masked_and_others_rounded_to_five(name: str, told: dict[int, int | None]) -> None:
    for count, expected in told.items():
        assert told_of((count, 60, 47), profile_named(name))[1] == expected


def test_min_cell_raises_the_threshold() -> None:
    """Of 13 to 17, all told as 15, those below 14 may not be told; so none is."""
    profile = profile_named("share-5", 14)
    assert told_of((17, 60, 47), profile)[1] is None
    assert told_of((18, 60, 47), profile)[1] == 20


def test_a_zero_is_told_only_where_it_says_nothing_about_everybody() -> None:
    assert told_of((0, 21, 9)) == [30, 0, 20, 10]
    assert told_of((0, 30)) == [30, None, 30]
    assert told_of((0, 0, 30)) == [30, None, None, 30]


def test_a_count_that_totals_give_away_takes_the_total_with_it() -> None:
    """32 is told as 30 (28 to 32), 18 as 20 (18 to 22), 13 as 15 (13 to 17): only 1 would fit to the fourth."""
    assert told_of((18, 13, 1)) == [30, None, None, None]


def test_an_empty_part_is_told_in_all_and_in_every_arm_or_nowhere() -> None:
    """Nobody is in the third part: in the second arm the zero would say that all but a few are in the second part."""
    told = release(in_arms((21, 9, 0), (18, 14, 0)), SHARE_5)
    assert [told.count(key) for key in (("all", 2), (0, 2), (1, 2))] == [0, 0, 0]
    told = release(in_arms((21, 9, 0), (3, 29, 0)), SHARE_5)
    assert [told.count(key) for key in (("all", 2), (0, 2), (1, 2))] == [None] * 3


ARMS = st.lists(st.tuples(COUNTS, COUNTS, COUNTS), min_size=2, max_size=3)


@settings(max_examples=40, deadline=None)
@given(ARMS, st.sampled_from([5, 8, 11, 14]))
def test_arms_pin_no_masked_count(arms: list[tuple[int, ...]], threshold: int) -> None:
    ledger, profile = in_arms(*arms), Profile("any", threshold)
    told = release(ledger, profile)
    small = [key for key, count in ledger.counts.items() if key not in told.counts and count < threshold]
    bounds = {key: profile.compatible(told.counts[key]) if key in told.counts else (0, None) for key in ledger.counts}
    bounds |= dict.fromkeys(small, (0, threshold - 1))
    for key, lowest, highest in reach(ledger.sums, bounds, small):
        assert highest > lowest, (key, ledger.counts, told.counts)


def told_in_all_profiles(parts: tuple[int, ...]) -> tuple[tuple[int | None, ...], ...]:
    """What the reports of all profiles tell of a table, the mildest first; nothing when one of them is refused."""
    reports: list[tuple[int | None, ...]] = []
    hidden: frozenset[Key] = frozenset()
    for name in THRESHOLDS:
        ledger = table_of(*parts)
        try:
            told = release(ledger, profile_named(name), hidden)
        except DisclosureError:
            return ()
        hidden = told.masked
        reports.append(tuple(map(told.count, ledger.counts)))
    return tuple(reports)


@pytest.mark.slow
def test_three_reports_together_betray_no_count_that_all_of_them_mask(most: int = 30) -> None:
    alike = defaultdict(list)
    for parts in product(range(most + 1), repeat=3):
        if sum(parts) <= most and (reports := told_in_all_profiles(parts)):
            alike[reports].append((sum(parts), *parts))
    complete = {reports: tables for reports, tables in alike.items() if max(table[0] for table in tables) <= most - 2}
    assert len(complete) > 150
    for reports, tables in complete.items():
        for told, values in zip(zip(*reports, strict=True), zip(*tables, strict=True), strict=True):
            assert any(count is not None for count in told) or len({*values}) > 1, (reports, tables)


def two_arms_told_alike(most: int, profile: Profile) -> dict[tuple[int | None, ...], list[tuple[int, ...]]]:
    """All tables of two arms and two parts of at most `most` patients, by what the gate tells of them."""
    alike = defaultdict(list)
    for cells in product(range(most + 1), repeat=4):
        if sum(cells) <= most:
            ledger = in_arms(cells[:2], cells[2:])
            with suppress(DisclosureError):
                told = release(ledger, profile)
                alike[tuple(map(told.count, ledger.counts))].append(tuple(ledger.counts.values()))
    return alike


@pytest.mark.slow
def test_no_table_of_two_arms_betrays_a_small_count(most: int = 17, threshold: int = 3) -> None:
    """An attacker who runs the gate on every table there could be still finds several values of each small count."""
    alike = two_arms_told_alike(most, Profile("any", threshold))
    complete = {told: tables for told, tables in alike.items() if max(table[0] for table in tables) <= most - 2}
    assert len(complete) > 200
    for told, tables in complete.items():
        for place, values in enumerate(zip(*tables, strict=True)):
            assert told[place] is not None or len({*values}) > 1 or values[0] >= threshold, (told, tables)


def test_what_protects_a_count_stays_near_it() -> None:
    """18, 13 and 1 take their total with them; a table beside theirs is told as before."""
    ledger = Ledger()
    ledger.enter(COHORT, 90)
    near, far = ledger.enter(("near",), 32), ledger.enter(("far",), 58)
    ledger.adds_up(COHORT, [near, far])
    for whole, parts in ((near, (18, 13, 1)), (far, (21, 37))):
        ledger.adds_up(whole, [ledger.enter((*whole, place), count) for place, count in enumerate(parts)])
    told = release(ledger, SHARE_5)
    assert [told.count(key) for key in ((*near, 0), (*near, 1), (*near, 2), near)] == [None] * 4
    assert [told.count(key) for key in ((*far, 0), (*far, 1), far, COHORT)] == [20, 35, 60, 90]


def test_a_rest_that_no_table_shows_binds_nothing() -> None:
    """57, 67 and 67 are told as 55, 65 and 65, so that their total is at most 191; beside 8 of it are left 183 others.

    Were the 185 of that rest told, 8 could be nothing but 8 and the nobody of the other arm nothing but nobody.
    """
    ledger = Ledger()
    total = ledger.enter(COHORT, 191)
    ledger.adds_up(total, [ledger.enter(("band", place), count) for place, count in enumerate((57, 67, 67))])
    ledger.adds_up(total, [ledger.enter(("all",), 8)])
    ledger.adds_up(("all",), [ledger.enter(("usual",), 0), ledger.enter(("new",), 8)])
    told = release(ledger, profile_named("share-8"))
    assert [told.count((name,)) for name in ("all", "usual", "new")] == [10, None, 10]


@pytest.mark.parametrize(
    ("name", "most", "min_cell"), [("share-5", 11, None), ("share-8", 11, None), ("share-5", 9, 6)]
)
def test_no_table_of_three_parts_betrays_a_masked_count(name: str, most: int, min_cell: int | None) -> None:
    """All tables that are told alike: every masked count has several values among them."""
    profile, alike = profile_named(name, min_cell), defaultdict(list)
    for parts in product(range(most + 1), repeat=3):
        if sum(parts) <= most:
            alike[tuple(told_of(parts, profile))].append((sum(parts), *parts))
    for told, tables in alike.items():
        for place in range(4):
            cut_short = max(table[0] for table in tables) > most - 2
            if told[place] is None and not cut_short:
                assert len({table[place] for table in tables}) >= 2, (told, tables)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "most", "min_cell"),
    [("share-5", 24, None), ("share-8", 26, None), ("share-11", 28, None), ("share-8", 27, 9), ("share-11", 30, 14)],
)
def test_no_larger_table_betrays_a_masked_count(name: str, most: int, min_cell: int | None) -> None:
    test_no_table_of_three_parts_betrays_a_masked_count(name, most, min_cell)


@settings(max_examples=60, deadline=None)
@given(st.lists(COUNTS, min_size=2, max_size=5), st.lists(COUNTS, min_size=1, max_size=3), st.sampled_from([5, 8, 11]))
def test_nothing_told_pins_a_masked_count(first: list[int], second: list[int], threshold: int) -> None:
    """Two partitions of one cohort; the reach of every masked count is computed anew from what is told alone."""
    profile = Profile("any", threshold)
    size = max(sum(first), sum(second))
    ledger = Ledger()
    ledger.enter(COHORT, size)
    for name, parts in (("a", first), ("b", second)):
        ledger.adds_up(COHORT, [ledger.enter((name, place), count) for place, count in enumerate(parts)])
    told = release(ledger, profile)
    masked = [key for key in ledger.counts if key not in told.counts]
    bounds = {key: (0, None) if key in masked else profile.compatible(told.counts[key]) for key in ledger.counts}
    small = [key for key in masked if ledger.counts[key] < threshold]
    for key in small:
        bounds[key] = (0, threshold - 1)
    for key, lowest, highest in reach(ledger.sums, bounds, small):
        assert highest > lowest, (key, ledger.counts, told.counts)
    assert all(told.counts[key] % 5 == 0 for key in told.counts)
    assert all(abs(told.counts[key] - ledger.counts[key]) <= 2 for key in told.counts)


def test_counts_that_do_not_fit_together_are_refused() -> None:
    ledger = table_of(7, 9)
    with pytest.raises(DisclosureError, match="E501"):
        ledger.enter(("part", 0), 8)
    with pytest.raises(DisclosureError, match="E501"):
        ledger.enter(("part", 7), 2.5)
    with pytest.raises(DisclosureError, match="E501"):
        ledger.adds_up(("part", 0), [("part", 1)])


def test_a_count_that_stays_exposed_with_everything_masked_is_refused() -> None:
    ledger = table_of(3, 9)
    assert _round_about(("part", 0), ledger, {("part", 0)}) == {("part", 1)}
    assert _round_about(("part", 0), ledger, {("part", 0), ("part", 1)}) == {COHORT}
    with pytest.raises(DisclosureError, match="E502 count of part, 0: stays exposed; share no report"):
        _round_about(("part", 0), ledger, {*ledger.counts})


def test_quantiles_need_the_threshold_on_every_side() -> None:
    """20 patients may be 18: enough for a median of 9 and 9, not for quartiles."""
    assert SHARE_5.quantile_is_safe(20, "median")
    assert not SHARE_5.quantile_is_safe(20, "q1")
    assert SHARE_5.quantile_is_safe(25, "q1")
    assert not Told(SHARE_5, {}).quantile(("masked",), "median")


@pytest.mark.parametrize(
    ("threshold", "least", "milder"), [(5, 5, None), (6, 8, 5), (8, 8, 5), (9, 13, 8), (11, 13, 8), (14, 18, 11)]
)
def test_counts_are_told_from_where_all_profiles_round_alike(threshold: int, least: int, milder: int | None) -> None:
    profile = Profile("any", threshold)
    assert profile.least == least
    assert (profile.milder and profile.milder.threshold) == milder


@pytest.mark.parametrize("count", range(61))
def test_several_reports_divide_the_counts_no_finer_than_the_mildest(count: int) -> None:
    told = [profile for profile in map(profile_named, THRESHOLDS) if count >= profile.least]
    assert len({profile.compatible(profile.rounded(count)) for profile in told}) <= 1


@pytest.mark.parametrize(("value", "least", "told"), [(12.83, 0.5, 13.0), (9.33, 0.5, 9.5), (-41.4, 0, -41), (0, 0, 0)])
def test_statistics_are_told_coarsely(value: float, least: float, told: float) -> None:
    assert coarse(value, least) == told
