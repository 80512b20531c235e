import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from symposia.core.models import RequestUsage, TokenPrice

JSON = TypeAdapter(RequestUsage)


def test_usages_add_up() -> None:
    usages = [RequestUsage(1, 10), RequestUsage(2, 20), RequestUsage(3, 30)]
    assert sum(usages, RequestUsage(0, 0)) == RequestUsage(6, 60)


def test_adding_usages_changes_neither() -> None:
    first, second = RequestUsage(1, 10, model="a"), RequestUsage(2, 20, model="b")
    total = first
    total += second
    total += RequestUsage(4, 40, model="a")
    assert (first, second, total) == (RequestUsage(1, 10), RequestUsage(2, 20), RequestUsage(7, 70))
    assert [part.prompt_tokens for part in total.parts] == [5, 2]


def test_a_sum_of_one_model_keeps_its_name_and_its_money() -> None:
    total = sum([RequestUsage(1, 2, model="a", usd=0.5, reasoning_tokens=1)] * 2, RequestUsage(0, 0))
    assert (total.model, total.usd, total.parts, total.reasoning_tokens) == ("a", 1.0, (), 2)
    assert total.by_model == (total,)


def test_a_sum_over_models_tells_them_apart_and_says_which_tokens_have_no_price() -> None:
    usages = [
        RequestUsage(1, 2, model="a", usd=0.5),
        RequestUsage(10, 20, model="b"),
        RequestUsage(100, 200),
        RequestUsage(1, 2, model="a", usd=0.25, cached_tokens=1),
    ]
    total = sum(usages, RequestUsage(0, 0))
    assert (total.model, total.usd, total.unpriced_tokens, total.total_tokens) == (None, 0.75, 330, 336)
    assert [(part.model, part.usd, part.total_tokens, part.cached_tokens) for part in total.by_model] == [
        ("a", 0.75, 6, 1),
        ("b", None, 30, 0),
        (None, None, 300, 0),
    ]


def test_nothing_spent_has_no_model_and_a_usage_without_a_price_is_unpriced() -> None:
    assert RequestUsage(0, 0).by_model == ()
    assert (RequestUsage(0, 0) + RequestUsage(0, 0, usd=0.0, model="a")).unpriced_tokens == 0
    assert RequestUsage(3, 4).unpriced_tokens == 7
    assert RequestUsage(3, 4, usd=0.0).unpriced_tokens == 0


def test_the_marks_are_written_to_json_where_they_are_set() -> None:
    assert JSON.dump_python(RequestUsage(1, 2)) == {"prompt_tokens": 1, "completion_tokens": 2}
    total = RequestUsage(1, 2, model="a", usd=0.5) + RequestUsage(3, 4, model="b", estimated=True)
    read = JSON.validate_json(JSON.dump_json(total))
    assert (read, read.usd, read.estimated) == (total, 0.5, True)
    assert [(part.model, part.usd) for part in read.by_model] == [("a", 0.5), ("b", None)]


usages = st.builds(
    RequestUsage,
    st.integers(0, 9),
    st.integers(0, 9),
    estimated=st.booleans(),
    cached_tokens=st.integers(0, 9),
    reasoning_tokens=st.integers(0, 9),
    model=st.sampled_from([None, "a", "b"]),
    usd=st.sampled_from([None, 0.0, 0.25, 1.0]),
)


def spent(usage: RequestUsage) -> dict[object, tuple[int, int, float]]:
    return {
        (part.model, part.usd is None): (part.prompt_tokens, part.completion_tokens, part.usd or 0.0)
        for part in usage.by_model
    }


@given(st.lists(usages, max_size=6), st.integers(0, 6))
def test_it_does_not_matter_in_which_order_usages_are_added(parts: list[RequestUsage], cut: int) -> None:
    nothing = RequestUsage(0, 0)
    total = sum(parts, nothing)
    halves = sum(parts[:cut], nothing) + sum(parts[cut:], nothing)
    assert (total, spent(total), total.usd) == (halves, spent(halves), halves.usd)
    assert total.unpriced_tokens == sum(part.unpriced_tokens for part in parts)
    assert sum(part.total_tokens for part in total.by_model) == total.total_tokens


@pytest.mark.parametrize(
    ("price", "usd"),
    [
        (TokenPrice(3, 15), 3 + 15),
        (TokenPrice(3, 15, cached=0.3), 3 * 0.8 + 0.3 * 0.2 + 15),
        (TokenPrice(3, 15, cached=0.3, cache_write=6), 3 * 0.6 + 0.3 * 0.2 + 6 * 0.2 + 15),
        (TokenPrice(3, 15, long_from=1_000_000, long=TokenPrice(6, 30)), 3 + 15),
        (TokenPrice(3, 15, long_from=999_999, long=TokenPrice(6, 30)), 6 + 30),
    ],
)
def test_a_price_knows_the_cache_and_long_prompts(price: TokenPrice, usd: float) -> None:
    cost = price.cost(1_000_000, 1_000_000, cached_tokens=200_000, cache_write_tokens=200_000)
    assert cost == pytest.approx(usd)


def test_tokens_of_a_cache_that_are_counted_apart_take_nothing_off_the_price() -> None:
    price = TokenPrice(prompt=2.0, completion=4.0, cached=0.0)
    assert price.cost(10, 1, cached_tokens=100) == price.cost(0, 1) > 0


def test_what_is_known_of_the_tokens_is_shown() -> None:
    assert repr(RequestUsage(3, 4)) == "RequestUsage(prompt_tokens=3, completion_tokens=4)"
    priced = RequestUsage(3, 4, cached_tokens=1, model="gpt-4o", usd=0.5)
    shown = "RequestUsage(prompt_tokens=3, completion_tokens=4, cached_tokens=1, model='gpt-4o', usd=0.5)"
    assert repr(priced) == shown
    assert repr(RequestUsage(1, 1, usd=0.0)) == "RequestUsage(prompt_tokens=1, completion_tokens=1)"


def test_a_sum_keeps_the_names_that_the_servers_report() -> None:
    june, may = (RequestUsage(1, 1, model="m", usd=1.0, reported_models=(name,)) for name in ("m-june", "m-may"))
    other = RequestUsage(1, 1, model="n")
    assert (may + june + may).reported_models == ("m-june", "m-may")
    assert (RequestUsage(0, 0) + may).reported_models == ("m-may",)
    assert [part.reported_models for part in (may + other + june).by_model] == [("m-june", "m-may"), ()]
    assert "reported_models" not in repr(other)


@pytest.mark.parametrize(
    ("usd", "money"),
    [
        (0.0128, "$0.0128"),
        (0.0001, "$0.0001"),
        (0.00006, "under $0.0001"),
        (1e-9, "under $0.0001"),
        (0.0, "$0.00"),
        (None, "price not known"),
    ],
)
def test_money_that_was_spent_is_not_written_as_zero(usd: float | None, money: str) -> None:
    assert RequestUsage(10, 1, model="m", usd=usd).money == money


def test_money_names_the_tokens_whose_price_is_not_known() -> None:
    usage = RequestUsage(10, 1, model="m", usd=0.5) + RequestUsage(1_000, 2, model="n")
    assert usage.money == "$0.5000 and 1,002 tokens without a known price"
