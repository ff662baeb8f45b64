"""What a desk asks a person: a passphrase, and a word before anything is signed.

On a terminal it asks there; from a pipe it takes one line an answer. Prompts go to standard error,
so that standard output holds the result alone.
"""

import getpass
import sys

from proto.errors import ConfigError
from proto.secret import Secret
from runtime.terminal import note


def _line() -> str:
    line = sys.stdin.readline()
    if not line:
        msg = "an answer was wanted and standard input has ended"
        raise ConfigError(msg)
    return line.rstrip("\n")


def passphrase(prompt: str) -> Secret:
    """Return a passphrase that is asked for once."""
    if sys.stdin.isatty():
        return Secret(getpass.getpass(prompt))
    return Secret(_line())


def new_passphrase() -> Secret:
    """Return a new passphrase, asked for twice on a terminal.

    Raises:
        ConfigError: the two differ.
    """
    first = passphrase("a passphrase for the new key, at least 12 characters: ")
    if sys.stdin.isatty() and passphrase("once more: ") != first:
        msg = "the two passphrases differ"
        raise ConfigError(msg)
    return first


def agrees(question: str, *, word: str) -> bool:
    """Tell whether the person typed exactly this word; nothing else is a yes."""
    note(question)
    return _line().strip() == word
