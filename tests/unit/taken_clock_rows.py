"""The page's lines about a false network clock; what is tried stands in `taken_clock`."""

from tests.unit import taken_clock
from tests.unit.taken_hub import DONE, Attempt

CLOCK_CANNOT: tuple[Attempt, ...] = (
    Attempt("Keep a trust root back, and show it when the clock was set back, to run orders that ended", taken_clock.shows_a_root_late, "expired", "a root puts the floor back no further than to the newest date that people signed and the time that the appliance has run since"),  # noqa: E501 - one row
)  # fmt: skip
"""What a false clock on the wall does not help with."""

CLOCK_CAN: tuple[Attempt, ...] = (
    Attempt("Do so to an appliance that was off", taken_clock.shows_it_to_one_that_was_off, DONE, "the floor comes back by as long as it was off, at most; what people signed meanwhile and nobody did, and nothing twice"),  # noqa: E501 - one row
    Attempt("Set the clock ahead and restart, to run an order before the time to which people put it off", taken_clock.skips_a_date, DONE, "by less than the order lives, a day; ring waits and time locks begin anew at a start"),  # noqa: E501 - one row
    Attempt("Set the clock to a maintenance window", taken_clock.opens_a_window, DONE, "only what people signed, at another hour of its day"),  # noqa: E501 - one row
    Attempt("Set the clock ahead for a while, so that all orders end", taken_clock.ends_all_orders, "expired", "it could be silent as well; local rules go on healing, and a person on the LAN or a new root puts the floor right"),  # noqa: E501 - one row
)  # fmt: skip
"""What a false clock adds, and what bounds it."""
