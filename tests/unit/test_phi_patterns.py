"""Patterns are compiled when they are first needed; here is seen that each can be."""

import gc
import pkgutil
from importlib import import_module

from proto import phi
from proto.phi.scan import Pattern

PATTERNS_MIN = 200


def test_every_pattern_compiles() -> None:
    for module in pkgutil.iter_modules(phi.__path__):
        import_module(f"proto.phi.{module.name}")
    patterns = [one for one in gc.get_objects() if isinstance(one, Pattern)]
    assert len(patterns) > PATTERNS_MIN
    for one in patterns:
        one.found(b"nothing of interest")
