"""`python -m central.signer --state-dir DIR`: the signer on its own, or as the hub's child."""

import argparse
import sys
from pathlib import Path

from central.signer.process import run_forever
from proto.errors import OsirisError
from runtime.log import configure
from runtime.terminal import note


def main() -> int:
    """Run the signer from its command line."""
    parser = argparse.ArgumentParser(prog="python -m central.signer", description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--with-parent", action="store_true", help="end when standard input does")
    parser.add_argument("--plain-log", action="store_true", help="log lines for people")
    asked = parser.parse_args()
    configure(as_json=not asked.plain_log)
    try:
        return run_forever(asked.state_dir, with_parent=asked.with_parent)
    except OsirisError as error:
        note(f"osiris signer: {error}")
        return error.exit_status


sys.exit(main())
