"""`python -m appliance` runs the daemon."""

from appliance.main import main

main()
