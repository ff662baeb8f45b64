"""`python -m appliance` runs the daemon: this program, or the one that an order put beside it."""

import os
from importlib.metadata import version

from appliance import handover, start

if handover.ENV_PROGRAM not in os.environ:
    start.begin(version("osiris"))

from runtime import memory

memory.leave_out_screens()

from appliance.main import main  # noqa: E402 - what it imports must find the screens left out

main()
