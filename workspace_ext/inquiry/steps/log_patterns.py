"""Log patterns: the text of a line with what varies taken out, and a name that stays.

Three rungs, from what needs no other line to what needs many:

1. *Masks.* Times, addresses, paths, links, and words with digits in them become ``<*>`` by one
   expression for every system, and lists of such become one. Here a pattern depends on its line
   alone, and most lines need no more.
2. *Values.* Of lines with the same words in the same order, whatever stands where a value stands
   becomes ``<*>`` when it varies enough: names with dots, slashes or signs inside (hosts, classes,
   files), what follows ``=``, and what follows a word such as *user*.
3. *Words.* Of lines that differ in one plain word, the word becomes ``<*>`` when it varies much.

How much is enough never depends on how many lines there are, only on how many different ones:
more lines of the same kind change no pattern. A line's first word always stays. To decide by the
variety at a place among lines alike is the idea of Drain (He et al., ICWS 2017) and Brain (Yu et
al., IEEE TSC 2023).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workspace_ext.foundation.canonical import digest_bytes

if TYPE_CHECKING:
    import pyarrow as pa

WILD = "<*>"
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*"
_MONTH = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
MASK = "|".join(
    (
        r"[a-z][a-z0-9+.]*://[^\s\"'<>,;)\]}]+",  # links
        rf"\b(?:{_DAY},? )?{_MONTH} +\d+(?:[ ,]+\d+:\d+:\d+)?(?: [A-Z]{{3,4}})?(?:[ ,]+\d{{4}})?\b",
        r"\b[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){3,}\b",  # hardware addresses
        r"\.{0,2}\B/[^\s,;:'\")\]}>|]+",  # paths
        r"\b[A-Za-z]:\\[^\s,;:'\")\]}>|]+",
        r"\b[\w.$\-]+(?:/[\w.$\-]+){2,}",
        r"\b[\w.+\-]+@[\w\-]+\.[\w.\-]+",  # mail addresses
        # words with a digit, and what is joined to them
        r"[-+]?\b(?:[A-Za-z_]+[-.@/])*[A-Za-z_]*\d\w*(?:[-.@/:#,]\d\w*|[-.@/][A-Za-z_]\w*)*",
        r"\b(?:[a-f]{8,}|[A-F]{8,})\b",  # hexadecimal without a digit
    )
)
"""What rung 1 masks, for RE2: it knows no looking around."""

LIST = r"<\*>(?:[\s,:/.#|+&;-]{1,2}<\*>)+"
"""Masks in a row, which become one."""

_TOKEN = re.compile(r"<\*>|[A-Za-z_][\w.$@/\-]*|\w+|[^\w\s]")
_INSIDE = re.compile(r"\w[.@$/]\w")
_LABELS = frozenset(("user", "username", "account", "host", "hostname"))
_NAMES, _LABELLED, _ASSIGNED, _WORDS = 3, 2, 4, 6
"""How many different ones make a place vary. The fewer signs a word has, the more it takes."""

_ID_DIGITS = 12
_OPENING = "([{"

Tokens = tuple[str, ...]


@dataclass(frozen=True)
class Pattern:
    """A pattern. ``id`` is made of its words, so the same words have it everywhere."""

    id: str
    text: str


def masked(bodies: pa.Array) -> pa.Array:
    """Rung 1: lines with their masks, vectorised."""
    import pyarrow.compute as pc

    return pc.replace_substring_regex(pc.replace_substring_regex(bodies, MASK, WILD), LIST, WILD)


def mine(bodies: pa.Array) -> list[Pattern | None]:
    """The pattern of each line; None where there is no line.

    Args:
        bodies: Lines of one source, text.
    """
    import pyarrow.compute as pc

    lines = bodies.dictionary_encode()
    texts = masked(lines.dictionary).dictionary_encode()
    patterns = settle(texts.dictionary.to_pylist())
    places = pc.take(texts.indices, lines.indices).to_pylist()
    return [None if place is None else patterns[place] for place in places]


def settle(texts: Sequence[str]) -> list[Pattern]:
    """Rungs 2 and 3: the pattern of each masked line.

    Args:
        texts: What `masked` gave, each different; their order makes no difference.
    """
    first = [tuple(_TOKEN.findall(text)) for text in texts]
    found = _values(_filled(first))
    while (more := _words(found)) != found:
        found = more
    shown: dict[Tokens, str] = {}
    for text, tokens in zip(texts, found, strict=True):
        said = _shown(text, tokens)
        shown[tokens] = min(said, shown.get(tokens, said))
    made = {tokens: Pattern(pattern_id(tokens), text) for tokens, text in shown.items()}
    return [made[tokens] for tokens in found]


def pattern_id(tokens: Iterable[str]) -> str:
    """The name of a pattern, from its words."""
    digest = digest_bytes(" ".join(tokens).encode())
    return digest.partition(":")[2][:_ID_DIGITS]


def _filled(lines: list[Tokens]) -> list[Tokens]:
    """Empty brackets are an empty value, where others have one in them."""
    there = set(lines)

    def fill(tokens: Tokens) -> Tokens:
        out: list[str] = []
        for place, token in enumerate(tokens):
            out.append(token)
            if (
                place
                and token in _OPENING
                and tokens[place + 1 : place + 2] in ((")",), ("]",), ("}",))
            ):
                out.append(WILD)
        return tuple(out)

    return [full if (full := fill(tokens)) in there else tokens for tokens in lines]


def _values(lines: list[Tokens]) -> list[Tokens]:
    """Rung 2: lines with the same words but for values, of which those that vary are masked."""
    alike: dict[Tokens, list[int]] = defaultdict(list)
    kinds: list[dict[int, int]] = []
    for number, tokens in enumerate(lines):
        values = {
            place: needed for place in range(len(tokens)) if (needed := _value(tokens, place))
        }
        kinds.append(values)
        skeleton = tuple(
            f"<{values[place]}>" if place in values else token for place, token in enumerate(tokens)
        )
        alike[skeleton].append(number)
    found = list(lines)
    for numbers in alike.values():
        for place, needed in kinds[numbers[0]].items():
            if len({lines[number][place] for number in numbers}) >= needed:
                for number in numbers:
                    found[number] = _without(found[number], place)
    return found


def _value(tokens: Tokens, place: int) -> int:
    """How many different ones a place needs to vary; 0 where no value stands."""
    token = tokens[place]
    if not place or not _is_word(token) or tokens[place + 1 : place + 2] == ("(",):
        return 0
    if _INSIDE.search(token):
        return _NAMES
    before = tuple(part for part in tokens[max(0, place - 3) : place] if part not in "\"'")
    if before[-1:] and before[-1] in _LABELS:
        return _LABELLED
    if before[-1:] and before[-1] in "=:" and before[-2:-1] and before[-2] in _LABELS:
        return _LABELLED
    return _ASSIGNED if before[-1:] == ("=",) else 0


def _words(lines: list[Tokens]) -> list[Tokens]:
    """Rung 3, once: a plain word in which many lines differ, all else being equal."""
    holes: dict[tuple[Tokens, Tokens], set[str]] = defaultdict(set)
    for tokens in set(lines):
        for place in range(1, len(tokens)):
            if _is_word(tokens[place]):
                holes[tokens[:place], tokens[place + 1 :]].add(tokens[place])
    many = {hole for hole, words in holes.items() if len(words) >= _WORDS}
    return [_word(tokens, many) for tokens in lines] if many else lines


def _word(tokens: Tokens, many: set[tuple[Tokens, Tokens]]) -> Tokens:
    for place in range(1, len(tokens)):
        if _is_word(tokens[place]) and (tokens[:place], tokens[place + 1 :]) in many:
            return _without(tokens, place)
    return tokens


def _is_word(token: str) -> bool:
    return token != WILD and (token[0].isalnum() or token[0] == "_")


def _without(tokens: Tokens, place: int) -> Tokens:
    return (*tokens[:place], WILD, *tokens[place + 1 :])


def _shown(text: str, tokens: Tokens) -> str:
    """A pattern in the spacing of one of its lines."""
    parts = list(_TOKEN.finditer(text))
    if len(parts) != len(tokens):  # empty brackets were filled
        return " ".join(tokens)
    said = ""
    for part, token in zip(parts, tokens, strict=True):
        gap = " " if text[: part.start()][-1:].isspace() else ""
        said += gap + token
    return said.strip()
