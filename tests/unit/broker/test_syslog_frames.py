"""Where a stream of syslog is cut: wherever it was torn, the same messages come out."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from workspace_ext.broker.syslog_tcp import MOST_MESSAGE_BYTES, Frames

MESSAGES = st.lists(
    st.tuples(st.booleans(), st.text(st.characters(codec="utf-8"), max_size=40)), max_size=8
)


def framed(counted: bool, text: str) -> bytes:
    content = f"<11>1 - - - - - - {text}".encode()
    return b"%d %b" % (len(content), content) if counted else content.replace(b"\n", b" ") + b"\n"


@given(MESSAGES, st.lists(st.integers(0, 400), max_size=12))
def test_torn_anywhere(messages: list[tuple[bool, str]], cuts: list[int]) -> None:
    frames = [framed(*message) for message in messages]
    sent = b"".join(frames)
    at = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    reader, got = Frames(), b""
    ends = {sum(map(len, frames[:n])) for n in range(len(frames) + 1)}
    for start, end in pairwise(at):
        got += reader.feed(sent[start:end])
        assert len(got) in ends  # never half a message
    assert got == sent
    assert reader.rest() == b""


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_anything(parts: list[bytes]) -> None:
    """What is no syslog is handed on too, whole, for the adapter to refuse."""
    reader = Frames()
    got = b"".join([*map(reader.feed, parts), reader.rest()])
    sent = b"".join(parts)
    assert len(got) <= len(sent)
    assert got == sent or any(b"<" in part for part in parts)


def test_no_message_is_held_without_bound() -> None:
    reader = Frames()
    got = b"".join(reader.feed(b"x" * 100_000) for _ in range(100))
    assert got == b"x" * MOST_MESSAGE_BYTES + b"\n"
    assert reader.feed(b"end\nnext\n") == b"next\n"
    got = reader.feed(b"99999999 <") + b"".join(reader.feed(b"y" * 100_000) for _ in range(999))
    assert len(got) == MOST_MESSAGE_BYTES + len(b"%d " % MOST_MESSAGE_BYTES)
    reader.feed(b"y" * (99_999_999 - 999 * 100_000 - 1))
    assert reader.feed(b"<11>1 next\n") == b"<11>1 next\n"
