"""What calls cost, to the millionth of a dollar."""

from decimal import Decimal

import pytest

from server.llm import CallOptions, Prices, Usage, at_most_micros, cost_micros, price_of

D = Decimal
PRICES = Prices("admin", D(3), D(15), D("0.3"), D("3.75"))


def test_every_class_of_tokens_has_its_own_price() -> None:
    usage = Usage(1000, 200, cache_creation_tokens=2000, cache_read_tokens=10_000)
    assert cost_micros(usage, PRICES) == 3000 + 3000 + 7500 + 3000


def test_what_nobody_can_price_costs_none_and_not_zero() -> None:
    assert cost_micros(Usage(1000, 10), None) is None
    assert cost_micros(Usage(1000, 10), Prices("admin")) is None
    assert cost_micros(Usage(), PRICES) is None


def test_a_free_model_costs_nothing() -> None:
    assert cost_micros(Usage(1000, 10), Prices("admin", D(0), D(0))) == 0


def test_cached_tokens_count_as_input_where_they_have_no_price() -> None:
    usage = Usage(cache_read_tokens=1000, cache_creation_tokens=500)
    assert cost_micros(usage, Prices("admin", D(2), D(4))) == 3000


def test_a_fraction_is_rounded() -> None:
    assert cost_micros(Usage(1), Prices("admin", D("0.6"), D(1))) == 1
    assert cost_micros(Usage(1), Prices("admin", D("0.4"), D(1))) == 0


def test_the_most_that_a_call_may_cost() -> None:
    options = CallOptions(max_output_tokens=1000)
    assert at_most_micros(100, options, PRICES) == 375 + 15_000
    assert at_most_micros(100, options, None) is None
    assert at_most_micros(100, options, Prices("admin")) is None


@pytest.mark.parametrize(
    ("provider", "model", "price"),
    [
        ("anthropic", "claude-sonnet-4-5", D(3)),
        ("vercel", "anthropic/claude-sonnet-4-5", D(3)),
        ("openai", "gpt-5", D("1.25")),
        ("azure", "gpt-5", D("1.25")),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", D("3.3")),
    ],
)
def test_public_prices_are_found(provider: str, model: str, price: Decimal) -> None:
    found = price_of(provider, model, None)
    assert found is not None
    assert found.input == price
    assert found.source.startswith("genai-prices ")


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "no-such-model"),
        ("openai-compat", "gpt-5"),
        ("scripted", "scripted"),
        ("vercel", "nobody/nothing"),
    ],
)
def test_unknown_models_have_no_price(provider: str, model: str) -> None:
    assert price_of(provider, model, None) is None


def test_a_long_prompt_has_the_price_of_its_tier() -> None:
    found = price_of("anthropic", "claude-sonnet-4-5", None, context_tokens=300_000)
    assert found is not None
    assert found.input == D(6)


def test_an_administrators_prices_win_and_the_table_tells_the_rest() -> None:
    overlay = Prices("admin", input=D(1))
    assert price_of("openai-compat", "mine", overlay) == overlay
    assert price_of("anthropic", "claude-sonnet-4-5", overlay) == Prices(
        "admin", D(1), D(15), D("0.3"), D("3.75")
    )
