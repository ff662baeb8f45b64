"""One record under work: its bytes, what its words are, and what was found so far."""

from collections.abc import Iterator

from proto.phi.lexicon import CONTEXT, RUNS, WORDS, Lexicon
from proto.phi.values import Kind

Found = tuple[int, int, Kind, str]

LETTERS = WORDS
"""A table that leaves lower-case letters and blanks."""

_PEOPLE = frozenset(Kind) - {
    Kind.SECRET, Kind.USERNAME, Kind.HOST, Kind.HOST_PERSON, Kind.BLOB, Kind.EMAIL, Kind.DEVICE, Kind.IP, Kind.URL
}  # fmt: skip


class Record:
    """The bytes of one view and the hits in them."""

    __slots__ = (
        "_words",
        "apart",
        "data",
        "every",
        "found",
        "lexicon",
        "lower",
        "person",
        "runs",
        "shapes",
        "taken",
        "tells",
    )

    def __init__(self, data: bytes, lower: bytes, lexicon: Lexicon) -> None:
        """Begin with nothing found."""
        self.data = data
        self.lower = lower
        self.lexicon = lexicon
        self.found: list[Found] = []
        self.taken: bytearray | None = None
        self.apart = data.translate(RUNS)
        self.runs = runs = self.apart.split()
        memory = lexicon.memory
        kinds = set(map(memory[0].get, runs))
        if None in kinds:
            memory = lexicon.learn(runs)
            kinds = set(map(memory[0].get, runs))
        every = 0
        for kind in kinds:
            every |= kind or 0
        self.tells = memory[1]
        self.every = every
        self.shapes: frozenset[str] = frozenset()
        self.person = bool(every & CONTEXT)
        self._words: frozenset[bytes] | None = None

    @property
    def words(self) -> frozenset[bytes]:
        """The lower-case words of letters in it."""
        if self._words is None:
            self._words = frozenset(self.lower.translate(LETTERS).split())
        return self._words

    def flagged(self, flags: int) -> Iterator[tuple[bytes, int]]:
        """Yield the words that have one of these flags, each with all of its flags."""
        if self.every & flags:
            of = self.lexicon.flags
            for word in self.words:
                found = of(word)
                if found & flags:
                    yield word, found

    def hit(self, kind: Kind, start: int, end: int, why: str) -> None:
        """Note a span of this view; empty ones are nothing."""
        data = self.data
        while start < end and data[start] == 1:  # a token stays as it is
            start += 1
        while start < end and data[end - 1] == 1:
            end -= 1
        if start < end and not data[start:end].isspace():
            self.found.append((start, end, kind, why))
            if self.taken is None:
                self.taken = bytearray(len(data))
            self.taken[start:end] = b"\x01" * (end - start)
            if kind in _PEOPLE:
                self.person = True

    def covered(self, start: int, end: int) -> bool:
        """Whether the span touches what was found already."""
        return self.taken is not None and self.taken.find(1, start, end) >= 0

    def places(self, word: bytes) -> Iterator[int]:
        """Yield where a word of letters stands, bounded by what is no letter."""
        lower, size = self.lower, len(word)
        at = lower.find(word)
        while at >= 0:
            end = at + size
            if not lower[at - 1 : at].isalpha() and not lower[end : end + 1].isalpha():
                yield at
            at = lower.find(word, end)


def digits(data: bytes) -> int:
    """Count the digits."""
    return len(data) - len(data.translate(None, b"0123456789"))
