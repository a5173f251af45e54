"""What a long invoice's document puts together."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from invoicing.domain import document_folding
from invoicing.domain.document_folding import Detail, Row

HIGH, LOW = Decimal("0.19"), Decimal("0.07")


def row(contract: str = "A", item: str = "api", rate: Decimal = HIGH, parts: int = 0) -> Row:
    return Row(contract=contract, item=("charge", item), tax_rate=rate, parts=parts)


def test_what_fits_is_shown_with_its_parts() -> None:
    # 2 lines with 3 parts in all, of one contract: 5 rows
    folded = document_folding.fold(rows=[row(parts=1), row(parts=2)], detailed=5, longest=3)
    assert folded == document_folding.Folded(Detail.PARTS, ((0,), (1,)))
    assert not folded.has_annex


def test_parts_go_first() -> None:
    folded = document_folding.fold(rows=[row(parts=1), row(parts=3)], detailed=5, longest=3)
    assert folded == document_folding.Folded(Detail.LINES, ((0,), (1,)))
    assert folded.has_annex


def test_names_and_sums_of_contracts_are_rows() -> None:
    # 2 lines and 2 × 2 rows around them
    rows = [row("A"), row("B")]
    assert document_folding.fold(rows=rows, detailed=6, longest=9).detail is Detail.PARTS
    assert document_folding.fold(rows=rows, detailed=5, longest=9).detail is Detail.LINES


def test_lines_of_an_item_share_a_row_within_their_contract() -> None:
    rows = [row("A"), row("B"), row("A", "seats"), row("A"), row("B")]
    # 3 items and 2 × 2 rows around them
    folded = document_folding.fold(rows=rows, detailed=1, longest=7)
    assert folded == document_folding.Folded(Detail.ITEMS, ((0, 3), (1, 4), (2,)))


def test_many_contracts_share_rows_too() -> None:
    rows = [row("A"), row("B"), row("C", "seats"), row("D")]
    folded = document_folding.fold(rows=rows, detailed=1, longest=2)
    assert folded == document_folding.Folded(Detail.ITEMS_OF_ALL, ((0, 1, 3), (2,)))


def test_of_very_many_items_the_first_ones_keep_their_rows() -> None:
    rows = [row("A", "a"), row("A", "b"), row("A", "c", LOW), row("A", "d"), row("A", "e", LOW)]
    # Of 4 rows the two rates of tax take one each.
    folded = document_folding.fold(rows=rows, detailed=1, longest=4)
    assert folded == document_folding.Folded(Detail.FIRST_ITEMS, ((0,), (1,), (2, 4), (3,)), others=2)


@given(
    st.lists(
        st.builds(
            row,
            st.sampled_from("ABC"),
            st.sampled_from(["api", "seats", "storage"]),
            st.sampled_from([HIGH, LOW]),
            st.integers(0, 3),
        )
    ),
    st.integers(1, 12),
    st.integers(2, 12),
)
def test_every_line_is_in_one_row_and_rates_never_mix(rows: list[Row], detailed: int, longest: int) -> None:
    folded = document_folding.fold(rows=rows, detailed=detailed, longest=longest)
    assert sorted(number for bundle in folded.bundles for number in bundle) == list(range(len(rows)))
    assert all(len({rows[number].tax_rate for number in bundle}) == 1 for bundle in folded.bundles)
    assert len(folded.bundles) <= max(detailed, longest)
