"""Who depends on whom, from ``terraform graph``."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

# OpenTofu still writes every node of its plan, as ``[root] coder_agent.main (expand)``.
_NODE = re.compile(r"^\[root\] | \(\w+\)$")
_EDGE = re.compile(r'^\s*"((?:[^"\\]|\\.)+)" -> "((?:[^"\\]|\\.)+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Graph:
    """Labels (addresses without instance keys) and what they lean on."""

    needs: Mapping[str, frozenset[str]]
    needed_by: Mapping[str, frozenset[str]]

    @classmethod
    def parse(cls, dot: str) -> "Graph":
        """Read the DOT text."""
        needs, needed_by = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
        for edge in _EDGE.findall(dot):
            upper, lower = (_NODE.sub("", node) for node in edge)
            needs[upper].add(lower)
            needed_by[lower].add(upper)
        return cls(
            {name: frozenset(others) for name, others in needs.items()},
            {name: frozenset(others) for name, others in needed_by.items()},
        )

    def nearest_above(self, label: str, wanted: Collection[str]) -> str | None:
        """Return the closest of ``wanted`` that depends on ``label``; ties by name."""
        return _nearest(self.needed_by, label, wanted)

    def nearest_below(self, label: str, wanted: Collection[str]) -> str | None:
        """Return the closest of ``wanted`` that ``label`` depends on; ties by name."""
        return _nearest(self.needs, label, wanted)


def _nearest(
    edges: Mapping[str, frozenset[str]], start: str, wanted: Collection[str]
) -> str | None:
    seen, ring = {start}, {start}
    while ring:
        ring = {other for label in ring for other in edges.get(label, ())} - seen
        seen |= ring
        if found := sorted(ring.intersection(wanted)):
            return found[0]
    return None
