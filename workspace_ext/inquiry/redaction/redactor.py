"""Takes values out of text and of JSON, and counts what it took.

A value becomes ``[redacted:RULE:DIGEST]``. The digest is an HMAC-SHA256 with the store's own key
(its first 64 bits): a plain digest of a card number or a name is soon found by trying all of
them. Whoever has the store can tell which value it was; equal values have equal marks, so that a
replay can still filter and join by them.
"""

from __future__ import annotations

import hmac
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from workspace_ext.inquiry.redaction.patterns import Pattern
from workspace_ext.inquiry.redaction.policy import Policy

BY_POLICY = "policy"
CHOSEN = "params"
"""Under this key of the record stand values by names that people chose."""

_MARK = re.compile(r"\[redacted:\w+:[0-9a-f]{16}\]")
_COLOUR = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")  # ECMA-48, 5.4: also within words and assignments
_WORD = re.compile(r"\S{4,}")
_SHORTEST_LEARNED = 4
_MOST_LEARNED = 2000


class Redactor:
    """One pass over what leaves.

    Args:
        policy: What to take out.
        key: The secret of the marks' digests.
        keep: More values that stay: the names of those who worked.
    """

    def __init__(self, policy: Policy, key: bytes, keep: Iterable[str] = ()) -> None:
        self.policy = policy
        self._key = key
        self._keep = policy.keep | set(keep)
        self._learned: dict[str, re.Pattern[str]] = {}
        self._forgotten = 0
        self._values: dict[str, set[str]] = defaultdict(set)
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.unseen: Counter[str] = Counter()

    @property
    def has_learned(self) -> bool:
        """Whether there are values, taken out by the policy, that other text loses, too."""
        return bool(self._learned)

    def mark(self, value: str, rule: str, file: str) -> str:
        """What stands for a value from now on."""
        if _MARK.fullmatch(value):
            return value
        digest = hmac.digest(self._key, value.encode(errors="surrogatepass"), "sha256").hex()[:16]
        self.counts[file][rule] += 1
        self._values[rule].add(digest)
        return f"[redacted:{rule}:{digest}]"

    def whole(self, value: str, file: str) -> str:
        """What stands for a value that the policy takes out; other text loses it, too."""
        if value in self._keep or not value:
            return value
        if len(value) >= _SHORTEST_LEARNED and value not in self._learned:
            if len(self._learned) < _MOST_LEARNED:
                self._learned[value] = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)")
            else:
                self._forgotten += 1
        return self.mark(value, BY_POLICY, file)

    def text(self, text: str, file: str) -> str:
        """A text without what is to be taken out; one that loses something loses its colours."""
        plain = _COLOUR.sub("", text)
        if plain != text:
            left = self.text(plain, file)
            if left != plain:
                return left
        for literal, regex in self._learned.items():
            if literal in text:
                text = regex.sub(lambda found: self.mark(found[0], BY_POLICY, file), text)
        return self._without_patterns(text, file)

    def names_secret(self, key: str) -> str:
        """The rule by which every word under a key is taken out; empty when there is none."""
        rules = (each for each in self.policy.patterns if each.key and each.key.search(key))
        return next((each.name for each in rules), "")

    def value(self, key: str, text: str, file: str) -> str:
        """The text that stands under a key, without what is to be taken out."""
        rule = self.names_secret(key)
        if rule and text not in self._keep and _WORD.fullmatch(text):
            return self.mark(text, rule, file)
        return self.text(text, file)

    def key(self, key: str, file: str) -> str:
        """A key that whoever sent the data made, without what is to be taken out."""
        return self._without_patterns(key, file)

    def tree(self, value: Any, file: str, fixed: frozenset[str] = frozenset()) -> Any:
        """JSON without what is to be taken out of its texts.

        Args:
            value: Any JSON; it is not changed.
            file: Where it will stand.
            fixed: Keys whose values are names of the record itself. Where there are none, the
                keys may be anything, and are searched as well.
        """
        if isinstance(value, str):
            return self.text(value, file)
        if isinstance(value, Mapping):
            return {
                key if fixed else self.key(key, file): self._under(key, item, file, fixed)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            if is_lines(value):
                return self.text("".join(value), file).splitlines(keepends=True)
            return [self.tree(item, file, fixed) for item in value]
        return value

    def report(self) -> dict[str, Any]:
        """What was changed: counts by rule and by file, and what was not looked into."""
        rules: Counter[str] = sum(self.counts.values(), Counter())
        return {
            "how": "a value became [redacted:RULE:DIGEST]; the digest is the beginning of an"
            " HMAC-SHA256 with a key that stays in the store",
            "policy": self.policy.to_dict(),
            "rules": {
                rule: {"places": count, "values": len(self._values[rule])}
                for rule, count in sorted(rules.items())
            },
            "files": {file: dict(sorted(by.items())) for file, by in sorted(self.counts.items())},
            "not_looked_into": dict(sorted(self.unseen.items())),
            "values_not_searched_in_text": self._forgotten,
        }

    def _under(self, key: str, item: Any, file: str, fixed: frozenset[str]) -> Any:
        if key in fixed:
            return item
        if key in self.policy.attributes:
            return self._emptied(item, file)
        if key == CHOSEN and isinstance(item, Mapping):  # of what is nested, windows have our names
            return {
                name: self._under(
                    name, each, file, fixed if isinstance(each, Mapping) else frozenset()
                )
                for name, each in item.items()
            }
        return (
            self.value(key, item, file) if isinstance(item, str) else self.tree(item, file, fixed)
        )

    def _emptied(self, value: Any, file: str) -> Any:
        """A value of which the policy takes everything; marks keep text, numbers go."""
        if isinstance(value, str):
            return self.whole(value, file)
        if isinstance(value, Mapping):
            return {key: self._emptied(item, file) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._emptied(item, file) for item in value]
        if value is not None:
            self.counts[file][BY_POLICY] += 1
        return None

    def _without_patterns(self, text: str, file: str) -> str:
        for pattern in self.policy.patterns:
            text = self._without(pattern, text, file)
        return text

    def _without(self, pattern: Pattern, text: str, file: str) -> str:
        def replaced(match: re.Match[str]) -> str:
            groups = [name for name, found in match.groupdict().items() if found]
            group: str | int = groups[0] if groups else 0
            value = match[group]
            if value in self._keep or (pattern.check and not pattern.check(value)):
                return match[0]
            start, end = match.start(group) - match.start(), match.end(group) - match.start()
            return match[0][:start] + self.mark(value, pattern.name, file) + match[0][end:]

        return pattern.regex.sub(replaced, text)


def is_lines(value: object) -> bool:
    """Whether this is one text that a notebook's file keeps as its lines."""
    return (
        isinstance(value, list | tuple)
        and len(value) > 1
        and all(isinstance(line, str) for line in value)
        and all(line.endswith("\n") for line in value[:-1])
    )
