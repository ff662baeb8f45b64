"""Reading a configuration file: strict TOML into a closed schema, errors naming file and key."""

import json
import tomllib
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from proto.errors import ConfigError, MalformedError
from proto.message import Message

FILE_BYTES_MAX = 64 * 1024

M = TypeVar("M", bound=Message)


def read(path: Path, schema: type[M], *, made_by: str) -> M:
    """Read a file.

    Args:
        path: where it lies.
        schema: what it may say.
        made_by: the command that makes such a file, for who has none.

    Raises:
        ConfigError: it cannot be read, is no TOML, or says something it may not say.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        msg = f"{path}: there is no such file; `{made_by}` makes it"
        raise ConfigError(msg) from None
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError(msg) from error
    if len(raw) > FILE_BYTES_MAX:
        msg = f"{path}: longer than {FILE_BYTES_MAX} bytes"
        raise ConfigError(msg)
    try:
        return parse(raw.decode(), schema, where=str(path))
    except UnicodeDecodeError as error:
        msg = f"{path}: not TOML: {error}"
        raise ConfigError(msg) from error


def parse(text: str, schema: type[M], *, where: str) -> M:
    """Return what a text says; the same errors as `read`, naming `where`."""
    try:
        return schema.from_value(tomllib.loads(text), where)
    except tomllib.TOMLDecodeError as error:
        msg = f"{where}: not TOML: {error}"
        raise ConfigError(msg) from error
    except MalformedError as error:
        raise ConfigError(str(error)) from error


def quoted(text: str) -> str:
    """Return text as a TOML basic string, whatever characters it holds."""
    # JSON escapes at least what TOML must escape, but for DEL, and in a way that TOML reads.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def time_zone(text: str) -> str:
    """Return the name of a time zone, or raise `ValueError`; for schemas."""
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        msg = "not a time zone such as America/New_York"
        raise ValueError(msg) from error
    return text
