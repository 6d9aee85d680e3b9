"""Names for versions that nobody named: an adjective, somebody who found something, a digit."""

import secrets

# fmt: off
_ADJECTIVES = (
    "amber", "amiable", "ample", "bold", "brave", "bright", "brisk", "calm", "candid",
    "cheerful", "civil", "clever", "cosmic", "curious", "daring", "deft", "eager", "earnest",
    "fair", "fearless", "festive", "fond", "gentle", "glad", "golden", "graceful", "happy",
    "hardy", "honest", "humble", "keen", "kind", "lively", "loyal", "lucid", "lucky", "mellow",
    "merry", "modest", "nimble", "noble", "patient", "placid", "polite", "proud", "quick",
    "quiet", "rapid", "ready", "serene", "sharp", "shiny", "silent", "sincere", "sleek",
    "smart", "snappy", "steady", "sunny", "swift", "tidy", "trusty", "upbeat", "vivid", "warm",
    "wise", "witty", "zesty",
)
_FINDERS = (
    "agnesi", "ampere", "anning", "archimedes", "babbage", "bell", "bernoulli", "boole", "bohr",
    "carson", "cauchy", "celsius", "clarke", "colden", "curie", "darwin", "davinci", "dijkstra",
    "dirac", "einstein", "elion", "euclid", "euler", "faraday", "fermat", "fermi", "feynman",
    "franklin", "galileo", "galois", "gauss", "germain", "goodall", "hamilton", "herschel",
    "hertz", "hilbert", "hodgkin", "hopper", "hubble", "hypatia", "johnson", "kepler",
    "khayyam", "knuth", "kovalevskaya", "lamarr", "leavitt", "liskov", "lovelace", "maxwell",
    "meitner", "mendel", "mirzakhani", "nash", "newton", "nobel", "noether", "pascal",
    "pasteur", "payne", "planck", "ptolemy", "ramanujan", "ride", "rubin", "sagan", "sammet",
    "shannon", "snyder", "tesla", "thales", "turing", "volta", "wiles", "wu", "yalow",
)
# fmt: on


def generated_name() -> str:
    """Return a name such as ``brisk_noether7``."""
    adjective, finder = secrets.choice(_ADJECTIVES), secrets.choice(_FINDERS)
    return f"{adjective}_{finder}{secrets.randbelow(10)}"
