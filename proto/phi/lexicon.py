"""What each word of a record is: one number of flags a word, kept for the words that recur."""

from proto.phi.policy import Policy
from proto.phi.values import Names

WORD = 1
"""A word of machines or of plain English."""
CUE = 2
"""It may be, or be part of, a key or a cue."""
FIRST = 4
LAST = 8
SURE = 16
"""First of all a name."""
KNOWN = 32
"""Somebody of the site."""
CONTEXT = 64
"""It speaks of patients: the record is about people."""
ROOT = 128
"""A folder of people."""
BRAND = 256
"""A personal device, which people name after themselves."""
STREET = 512
ALSO = 1024
"""A word that is somebody's name too, where a cue says that a name comes."""

NAMEY = FIRST | LAST | KNOWN
NAME_MIN = 64
SURE_MIN = 128
ALSO_MIN = 20
WORD_MIN = 70
CACHE_MAX = 60_000
WORD_LETTERS_MAX = 40

_CONTEXT = frozenset(
    b"patient patients pt mrn dob ssn chart charts guarantor subscriber beneficiary appointment appt"
    b" telehealth ems npi medicare medicaid birthdate dental prescription rx diagnosis hl7 fhir"
    b" demographics patname patid referral insurance patientname patientid radiology claim copay"
    b" adt oru pid".split()
)


class Lexicon:
    """The words under one policy and one value of names."""

    __slots__ = ("known_flags", "names", "neutral", "policy", "vocabulary")

    def __init__(self, policy: Policy, names: Names) -> None:
        """Begin with the vocabulary's words that are nothing else as neutral."""
        self.policy = policy
        self.names = names
        self.vocabulary = policy.vocabulary
        self.known_flags: dict[bytes, int] = {}
        self.neutral: set[bytes] = set()
        for word in self.vocabulary.words:
            if self.flags(word) == WORD:
                self.neutral.add(word)

    def flags(self, word: bytes) -> int:
        """Return the flags of a lower-case word of ASCII letters."""
        found = self.known_flags.get(word)
        if found is not None:
            return found
        found = self._judge(word)
        if len(self.known_flags) >= CACHE_MAX:
            self.known_flags.clear()  # a process forgets the words it saw
        self.known_flags[word] = found
        if found == WORD and word in self.vocabulary.words:
            self.neutral.add(word)
        return found

    def _judge(self, word: bytes) -> int:
        if len(word) > WORD_LETTERS_MAX:
            return 0
        vocabulary, found = self.vocabulary, 0
        text = word.decode("ascii")
        first, last, common = self.names.weights(text)
        if len(word) > 1:
            found |= (FIRST if first >= NAME_MIN else 0) | (LAST if last >= NAME_MIN else 0)
            found |= SURE if max(first, last) >= SURE_MIN else 0
            found |= KNOWN if self.names.known(text) else 0
        found |= ALSO if first >= ALSO_MIN else 0
        if (
            word in vocabulary.words
            or (common >= WORD_MIN and not found & SURE)
            or (len(word) <= 2 and not found & SURE)
        ):
            found |= WORD
        found |= CUE if self.policy.keys.is_cue(word) else 0
        found |= CONTEXT if word in _CONTEXT else 0
        found |= ROOT if word in vocabulary["roots"] else 0
        found |= BRAND if word in vocabulary["brands"] else 0
        return found | (STREET if word in vocabulary["streets"] else 0)
