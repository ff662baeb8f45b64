"""`python -m appliance` runs the daemon."""

from runtime import memory

memory.leave_out_screens()

from appliance.main import main  # noqa: E402 - what it imports must find the screens left out

main()
