"""The one program a world starts with, run as `python -I -S inside.py outer|enter|try ...`.

Isolated and without site packages, so that it is the same on every machine; everything it needs is
imported here, while the caller's ids may still read the files.
"""

import json
import socket
import sys
from pathlib import Path

# At the end of the path: the tree may be a site-packages directory that shadows the library.
sys.path.append(str(Path(__file__).resolve().parents[3]))

from osiris.demo.world.join import enter_network
from osiris.demo.world.outer import outer
from osiris.demo.world.probe import try_namespaces
from osiris.demo.world.values import WorldConfig

NO_DESCRIPTOR = "-"


def main(arguments: list[str]) -> None:
    """Run the part that the first argument names; only World calls this, so it trusts them."""
    what, *rest = arguments
    if what == "try":
        sys.stdout.write(try_namespaces())
        return
    if what == "outer":
        descriptor, config = rest
        outer(WorldConfig(**json.loads(config)), socket.socket(fileno=int(descriptor)))
    caller, user, network, *argv = rest
    own_user = None if user == NO_DESCRIPTOR else int(user)
    enter_network(int(caller), own_user, int(network), argv)


if __name__ == "__main__":
    main(sys.argv[1:])
