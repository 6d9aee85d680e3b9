"""What a call costs: prices from the public table or from an administrator, times tokens.

Source: reference, chats, section 3.15, and llm, section 4. Prices are in USD for a million tokens,
so tokens times price are millionths of a dollar at once. A cost that nobody can tell is None and
never zero.
"""

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from server.llm.model import CallOptions, Prices, Usage

_TABLES: Mapping[str, str] = {
    "anthropic": "anthropic",
    "openai": "openai",
    "google": "google",
    "azure": "azure",
    "bedrock": "aws",
    "openrouter": "openrouter",
}
"""Our provider -> the table's. Servers of one's own have no public price, whatever they serve."""

_VENDORS: Mapping[str, str] = {"xai": "x-ai", "amazon": "aws", "moonshot": "moonshotai"}
"""A vendor's name in front of a model's (``xai/grok-4``) -> the table's, where they differ."""


def cost_micros(usage: Usage, prices: Prices | None) -> int | None:
    """Return what a call cost in millionths of a dollar; None where no used class has a price.

    Tokens of a cache count as input where nobody told a price of their own.
    """
    if prices is None:
        return None
    classes = (
        (usage.input_tokens, prices.input),
        (usage.output_tokens, prices.output),
        (usage.cache_read_tokens, _first(prices.cache_read, prices.input)),
        (usage.cache_creation_tokens, _first(prices.cache_write, prices.input)),
    )
    costs = [tokens * price for tokens, price in classes if tokens and price is not None]
    if not costs:
        return None
    return int(sum(costs, Decimal(0)).to_integral_value(ROUND_HALF_EVEN))


def at_most_micros(request_tokens: int, options: CallOptions, prices: Prices | None) -> int | None:
    """Return what a call may cost at most; None without prices.

    ``request_tokens`` is an estimate of all that is sent; it counts as written to a cache, which
    is the dearest that a prompt can be.
    """
    if prices is None or (prices.input is None and prices.output is None):
        return None
    dearest = max((price for price in (prices.input, prices.cache_write) if price), default=None)
    most = request_tokens * (dearest or 0) + options.max_output_tokens * (prices.output or 0)
    return math.ceil(most)


def price_of(
    provider: str, model: str, overlay: Prices | None = None, *, context_tokens: int = 0
) -> Prices | None:
    """Return the prices of a model: an administrator's, and the public table's for the rest.

    Imports the table at first use, which takes a third of a second (``preload`` does it early).
    ``context_tokens`` is the size of the prompt, for models that cost more beyond a threshold.
    """
    public = _public(provider, model, context_tokens)
    if overlay is None or public is None:
        return overlay or public
    return Prices(
        source=overlay.source,
        input=_first(overlay.input, public.input),
        output=_first(overlay.output, public.output),
        cache_read=_first(overlay.cache_read, public.cache_read),
        cache_write=_first(overlay.cache_write, public.cache_write),
    )


def _public(provider: str, model: str, context_tokens: int) -> Prices | None:
    table = _TABLES.get(provider)
    if provider == "vercel" and "/" in model:
        vendor, model = model.split("/", 1)
        table = _VENDORS.get(vendor, vendor)
    if table is None:
        return None
    import genai_prices

    usage = genai_prices.Usage(input_tokens=context_tokens)
    try:
        found = genai_prices.calc_price(usage, model, provider_id=table).model_price
    except LookupError:
        return None

    def price(name: str) -> Decimal | None:
        return _at(getattr(found, name), context_tokens)

    prices = Prices(
        source=f"genai-prices {genai_prices.__version__}",
        input=price("input_mtok"),
        output=price("output_mtok"),
        cache_read=price("cache_read_mtok"),
        cache_write=price("cache_write_mtok"),
    )
    return None if prices.input is None and prices.output is None else prices


def _at(price: Any, context_tokens: int) -> Decimal | None:
    """Return a price, or that of the tier which a prompt of this size falls into."""
    if price is None or isinstance(price, Decimal):
        return price
    reached: list[Decimal] = [tier.price for tier in price.tiers if context_tokens > tier.start]
    return reached[-1] if reached else price.base


def _first(told: Decimal | None, otherwise: Decimal | None) -> Decimal | None:
    return otherwise if told is None else told
