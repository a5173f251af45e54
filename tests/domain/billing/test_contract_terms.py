"""Terms of contracts: months from a day, spans of days, ramps, renewals, uplifts, commitments by days."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain import contract_states, contract_terms, contract_trace, ramps, renewals, term_commitments, uplifts
from billing.domain import trace as traces
from billing.domain.contract_states import InvalidContractState, Verb
from billing.domain.contract_terms import InvalidTerm, Span
from billing.domain.contract_trace import CountedInvoice
from billing.domain.ramps import InvalidRamp, Phase
from billing.domain.renewals import Decision, InvalidNotice, Renewal
from billing.domain.term_commitments import Committed, Counted
from billing.domain.uplifts import InvalidUplift
from config.kernel.dates import Period

DAY = timedelta(days=1)
days = st.dates(min_value=date(2020, 1, 1), max_value=date(2035, 12, 31))


def day(text: str) -> date:
    return date.fromisoformat(text)


def span(first: str, last: str) -> Span:
    return Span(day(first), day(last))


@pytest.mark.parametrize(
    ("starts_on", "months", "last"),
    [
        ("2026-01-01", 12, "2026-12-31"),
        ("2026-01-15", 1, "2026-02-14"),
        ("2026-01-31", 1, "2026-02-27"),  # 28 February would begin the next one
        ("2024-02-29", 12, "2025-02-27"),
        ("2026-03-01", 36, "2029-02-28"),
    ],
)
def test_a_term_of_months(starts_on: str, months: int, last: str) -> None:
    assert contract_terms.term(starts_on=day(starts_on), months=months).last == day(last)


@pytest.mark.parametrize("months", [0, -1, 241])
def test_a_term_of_no_months_is_none(months: int) -> None:
    with pytest.raises(InvalidTerm):
        contract_terms.term(starts_on=day("2026-01-01"), months=months)


def test_a_span_does_not_end_before_it_starts() -> None:
    with pytest.raises(InvalidTerm):
        span("2026-02-01", "2026-01-31")


def test_an_extended_term_is_followed_from_its_own_end() -> None:
    found = contract_terms.following(anchor=day("2026-01-01"), elapsed_months=12, last=day("2027-01-20"), months=12)
    assert found == span("2027-01-21", "2028-01-20")


@given(anchor=days, months=st.lists(st.integers(1, 24), min_size=2, max_size=8))
@settings(deadline=None, max_examples=100)
def test_renewed_terms_tile_and_keep_their_anchor(anchor: date, months: list[int]) -> None:
    spans = [contract_terms.term(starts_on=anchor, months=months[0])]
    for number, count in enumerate(months[1:], start=1):
        elapsed = sum(months[:number])
        spans.append(contract_terms.following(anchor=anchor, elapsed_months=elapsed, last=spans[-1].last, months=count))
    assert all(after.first == before.after for before, after in itertools.pairwise(spans))
    assert spans[-1] == Span(spans[-1].first, contract_terms.term(starts_on=anchor, months=sum(months)).last)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Sao_Paulo", "Europe/Berlin"])
def test_the_last_day_is_used_in_full_and_the_next_is_not_touched(zone: str) -> None:
    tz = ZoneInfo(zone)
    ends_at = contract_terms.ends_at(day("2026-03-29"), tz)
    assert ends_at.astimezone(tz).date() == day("2026-03-29")
    assert ends_at + timedelta(microseconds=1) == contract_terms.starts_at(day("2026-03-30"), tz)


def phase(first: str, last: str, terms: str) -> Phase[str]:
    return Phase(span(first, last), terms)


YEAR = [phase("2026-01-01", "2026-06-30", "a"), phase("2026-07-01", "2026-12-31", "b")]


@pytest.mark.parametrize(
    ("phases", "code"),
    [
        ([], "value_is_mandatory"),
        ([YEAR[0]], "phases_do_not_fill_the_term"),
        ([YEAR[1]], "phases_do_not_fill_the_term"),
        ([YEAR[0], phase("2026-07-02", "2026-12-31", "b")], "phases_have_a_gap"),
        ([YEAR[0], phase("2026-06-30", "2026-12-31", "b")], "phases_overlap"),
    ],
)
def test_phases_that_do_not_fit(phases: list[Phase[str]], code: str) -> None:
    with pytest.raises(InvalidRamp) as refused:
        ramps.check(phases=phases, within=span("2026-01-01", "2026-12-31"))
    assert refused.value.code == code


def test_first_days_alone_make_a_ramp() -> None:
    starts = [day("2026-01-01"), day("2026-07-01")]
    assert ramps.stepped(starts=starts, last=day("2026-12-31")) == [one.span for one in YEAR]
    with pytest.raises(InvalidRamp):
        ramps.stepped(starts=starts[::-1], last=day("2026-12-31"))


def test_an_amendment_cuts_into_phases() -> None:
    found = ramps.overlaid(phases=YEAR, new=phase("2026-06-01", "2026-07-31", "new"))
    assert [(one.span.first.month, one.terms) for one in found] == [(1, "a"), (6, "new"), (8, "b")]


@given(
    cuts=st.lists(st.integers(1, 300), max_size=5, unique=True), start=st.integers(0, 300), length=st.integers(0, 64)
)
@settings(deadline=None, max_examples=100)
def test_overlaid_phases_still_fill_the_term(cuts: list[int], start: int, length: int) -> None:
    first = day("2026-01-01")
    whole = Span(first, first + 364 * DAY)
    starts = [first, *(first + cut * DAY for cut in sorted(cuts))]
    spans = ramps.stepped(starts=starts, last=whole.last)
    phases = [Phase(one, str(number)) for number, one in enumerate(spans)]
    new = Phase(Span(first + start * DAY, first + (start + length) * DAY), "new")

    found = ramps.overlaid(phases=phases, new=new)

    ramps.check(phases=found, within=whole)
    for offset in range(365):
        at = first + offset * DAY
        before, after = ramps.at(phases=phases, day=at), ramps.at(phases=found, day=at)
        assert before is not None
        assert after is not None
        assert after.terms == ("new" if new.span.contains(at) else before.terms)


def test_phases_end_and_go_on() -> None:
    assert [one.span for one in ramps.cut(phases=YEAR, last=day("2026-05-31"))] == [span("2026-01-01", "2026-05-31")]
    assert ramps.extended(phases=YEAR, last=day("2027-01-31"))[-1].span == span("2026-07-01", "2027-01-31")
    assert ramps.extended(phases=YEAR, last=day("2026-12-31")) == YEAR


@pytest.mark.parametrize(
    ("renewal", "noticed", "today", "decision"),
    [
        ("automatic", False, "2026-12-01", Decision.WAIT),  # the last day on which notice can be given
        ("automatic", False, "2026-12-02", Decision.RENEW),
        ("automatic", True, "2026-12-02", Decision.WAIT),
        ("automatic", True, "2026-12-31", Decision.WAIT),
        ("automatic", True, "2027-01-01", Decision.END),
        ("none", False, "2026-12-31", Decision.WAIT),
        ("none", False, "2027-01-01", Decision.END),
    ],
)
def test_what_a_day_brings(renewal: str, noticed: bool, today: str, decision: Decision) -> None:
    found = renewals.decide(
        renewal=Renewal(renewal), ends_on=day("2026-12-31"), notice_days=30, is_noticed=noticed, today=day(today)
    )
    assert found is decision


def test_notice_comes_in_time_or_not_at_all() -> None:
    ends_on, today = day("2026-12-31"), day("2026-12-15")
    renewals.check_notice(given_on=day("2026-12-01"), ends_on=ends_on, notice_days=30, today=today)
    for given_on in ("2026-12-02", "2026-12-16"):
        with pytest.raises(InvalidNotice):
            renewals.check_notice(given_on=day(given_on), ends_on=ends_on, notice_days=30, today=today)


def test_an_automatic_renewal_leaves_a_day_to_decide_on() -> None:
    renewals.check(renewal=Renewal.NONE, notice_days=0)
    with pytest.raises(InvalidNotice):
        renewals.check(renewal=Renewal.AUTOMATIC, notice_days=0)


@pytest.mark.parametrize(
    ("before", "rate", "currency", "after"),
    [
        ("333.33", "0.05", "EUR", "350.00"),  # 349.9965
        ("100.50", "0.05", "EUR", "105.53"),  # 105.525, half up
        ("1000", "0.035", "JPY", "1035"),
        ("1.250", "0.1", "BHD", "1.375"),
        ("100", "-0.1", "EUR", "90.00"),
    ],
)
def test_a_fee_after_an_uplift(before: str, rate: str, currency: str, after: str) -> None:
    assert uplifts.amount(before=Decimal(before), rate=Decimal(rate), currency=currency) == Decimal(after)


@pytest.mark.parametrize(
    ("before", "rate", "after"),
    [
        ("0.01", "0.05", "0.0105"),
        ("12.50", "0.03", "12.875"),
        ("0.0000012", "0.05", "0.00000126"),
        ("0.00000000001", "0.05", "0.000000000011"),  # 12 digits at most
    ],
)
def test_a_small_price_keeps_its_uplift(before: str, rate: str, after: str) -> None:
    assert uplifts.unit_price(before=Decimal(before), rate=Decimal(rate), currency="EUR") == Decimal(after)


def test_prices_rise_in_all_models_and_limits_stay() -> None:
    before = {
        "graduated_ranges": [
            {"from_value": 0, "to_value": 10, "per_unit_amount": "1", "flat_amount": "10"},
            {"from_value": 11, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
        ],
        "rate": "1.5",
        "free_units": 100,
        "fixed_amount": "0.25",
        "pricing_group_keys": ["amount"],
    }
    found = uplifts.properties(before=before, rate=Decimal("0.1"), currency="EUR")
    assert found["graduated_ranges"][0] == {
        "from_value": 0, "to_value": 10, "per_unit_amount": "1.1", "flat_amount": "11"
    }  # fmt: skip
    assert (found["rate"], found["free_units"], found["fixed_amount"]) == ("1.5", 100, "0.275")
    assert found["pricing_group_keys"] == ["amount"]


def test_an_uplift_has_limits() -> None:
    for rate in ("-1", "10.01"):
        with pytest.raises(InvalidUplift):
            uplifts.check(Decimal(rate))


@pytest.mark.parametrize(
    ("last", "is_whole", "due"),
    [
        ("2026-12-31", False, "36500"),
        ("2026-03-31", False, "9000"),  # 36,500 × 90 / 365
        ("2026-03-31", True, "36500"),
    ],
)
def test_what_is_owed_of_a_commitment(last: str, is_whole: bool, due: str) -> None:
    whole = span("2026-01-01", "2026-12-31")
    found = Committed(Decimal(36500), Span(whole.first, day(last)), whole, is_whole=is_whole)
    assert found.due == Decimal(due)


def test_a_line_over_the_end_counts_by_its_days() -> None:
    line = Counted(Decimal(310), span("2026-01-01", "2026-01-31"))
    assert line.within(span("2026-01-01", "2026-01-15")) == 150
    assert line.within(span("2026-02-01", "2026-02-28")) == 0


@given(
    first=days,
    lengths=st.lists(st.integers(0, 90), min_size=1, max_size=6),
    amounts=st.lists(st.decimals(0, 10**6, places=2), min_size=6, max_size=6),
    cut=st.integers(0, 400),
)
@settings(deadline=None, max_examples=100)
def test_terms_next_to_each_other_count_each_line_once(
    first: date, lengths: list[int], amounts: list[Decimal], cut: int
) -> None:
    lines, start = [], first
    for length, amount in zip(lengths, amounts, strict=False):
        lines.append(Counted(amount, Span(start, start + length * DAY)))
        start = lines[-1].span.after
    end = first + 700 * DAY
    one, other = Span(first, first + cut * DAY), Span(first + (cut + 1) * DAY, end)

    parts = [term_commitments.counted(lines=lines, span=part) for part in (one, other)]

    assert abs(sum(parts) - sum(line.net for line in lines)) < Decimal("1e-20")


def test_what_was_billed_beyond_a_commitment_is_nobodys_debt() -> None:
    assert term_commitments.missing(due=Decimal(100), billed=Decimal(150)) == 0


def test_a_forecast_goes_on_as_before() -> None:
    whole = span("2026-01-01", "2026-12-31")
    assert term_commitments.forecast(billed=Decimal(90), span=whole, last=day("2026-03-31")) == 365
    assert term_commitments.forecast(billed=Decimal(365), span=whole, last=day("2027-03-31")) == 365
    assert term_commitments.forecast(billed=Decimal(0), span=whole, last=None) == 0


def test_the_trace_gives_the_amount_again() -> None:
    whole = span("2026-01-01", "2026-12-31")
    written = contract_trace.written(
        subscription_id="s", contract_id="c", contract_number="CT-000001", currency="EUR",
        committed=Committed(Decimal(36500), span("2026-01-01", "2026-03-31"), whole),
        period=Period(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)), timezone="UTC",
        counted=[CountedInvoice("sub", "A-1", 2, Decimal("310.005"))], line_ids=["b", "a"],
    )  # fmt: skip
    # 9,000.00 − 310.005 = 8,689.995, half up
    assert written["rounding"]["result"] == "8690"
    assert traces.recompute(written) == Decimal("8690.00")
    assert traces.verify(written)
    written["inputs"]["counted"][0]["amount"] = "0"
    assert not traces.verify(written)


@pytest.mark.parametrize(
    ("state", "verb"),
    [("draft", Verb.END), ("active", Verb.ACTIVATE), ("ended", Verb.AMEND), ("canceled", Verb.ACTIVATE)],
)
def test_states_refuse(state: str, verb: Verb) -> None:
    with pytest.raises(InvalidContractState):
        contract_states.after(state=state, verb=verb)
