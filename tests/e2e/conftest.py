"""End-to-end tests are journeys: within a file they run in the order in which they are written."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Undo what shuffling did inside each file of journeys."""
    journeys: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        if item.get_closest_marker("e2e"):
            journeys.setdefault(str(item.path), []).append(place)
    for places in journeys.values():
        told = sorted((items[place] for place in places), key=lambda item: item.location[1] or 0)
        for place, item in zip(places, told, strict=True):
            items[place] = item
