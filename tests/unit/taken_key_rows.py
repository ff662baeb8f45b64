"""The page's lines about appliances' keys; what is tried stands in `taken_keys`."""

from tests.unit import taken_keys
from tests.unit.taken_hub import DONE, Attempt

KEYS_CANNOT: tuple[Attempt, ...] = (
    Attempt("Name a key of its own for an appliance, in the evidence that it gives back", taken_keys.names_its_own, "recovering", "the key before signs for the next, in a log that the appliance writes; orders wait until the hub's answer is sound"),  # noqa: E501 - one row
    Attempt("Name it with a key that the appliance has given up, and somebody copied", taken_keys.names_with_a_former, "recovering", "behind its renewal a key counts for nothing"),  # noqa: E501 - one row
    Attempt("Give an appliance another's evidence as its own", taken_keys.gives_anothers, "recovering", "each leaf is signed by the appliance, for its place"),  # noqa: E501 - one row
    Attempt("Have an appliance renew its keys", taken_keys.asks_for_a_renewal, "type_unknown", "a person at the appliance renews them"),  # noqa: E501 - one row
    Attempt("Answer a renewal with another log's head, in the appliance's name", taken_keys.answers_another_head, "note_unsigned", "the appliance's own key must have signed the head, over its own leaves"),  # noqa: E501 - one row
    Attempt("Put a login of its own in the box that an operator's order names", taken_keys.puts_another_box, "content_absent", "the order names the box by its digest"),  # noqa: E501 - one row
    Attempt("Enroll a new appliance under a root of its own, where somebody asked the root people", taken_keys.enrolls_one_whose_people_asked, "other_first_root", "enroll --first-root: no other root counts, whatever the claim code pins"),  # noqa: E501 - one row
)  # fmt: skip
"""What an appliance refuses about its keys."""

KEYS_CAN: tuple[Attempt, ...] = (
    Attempt("Enroll a new appliance under a root of its own, where nobody asked the root people", taken_keys.enrolls_a_new_one, DONE, "only appliances that are enrolled while it is taken; enroll and the portal's Health page show the first root, to compare with what the root people read out"),  # noqa: E501 - one row
    Attempt("Keep an appliance from renewing its keys twice", taken_keys.withholds_its_word, "renewal_waits", "the newest go on to count; nothing stops when they grow old"),  # noqa: E501 - one row
    Attempt("Have an appliance whose disk was put back do an order again, by keeping back what it forgot", taken_keys.has_it_done_again, DONE, "only an order of the last day; two receipts at one place of its log show it to whoever has the first"),  # noqa: E501 - one row
)  # fmt: skip
"""What a taken hub can do about an appliance's keys and log."""

AUDIT: tuple[Attempt, ...] = (
    Attempt("Make up receipts in an appliance's name, with its key's id", taken_keys.makes_receipts_up, "failed", "the auditor has the key from the appliance's own page"),  # noqa: E501 - one row
    Attempt("Enroll a false key, say that it was compared, and show receipts by it", taken_keys.shows_a_key_that_it_confirmed, "not checked", "no key counts on the hub's word"),  # noqa: E501 - one row
    Attempt("Show another appliance's receipts for an order that was not for it", taken_keys.shows_anothers_receipts, "failed", "a receipt names its appliance, which signs it"),  # noqa: E501 - one row
    Attempt("Show a renewal to a key of its own", taken_keys.names_another_key_to_an_auditor, "failed", "the key before and the next both sign a renewal"),  # noqa: E501 - one row
    Attempt("Show receipts by a key that was given up, and somebody copied", taken_keys.shows_receipts_of_a_former_key, "failed", "a key counts up to the leaf that gives it up"),  # noqa: E501 - one row
    Attempt("Keep a renewal back, so that a receipt looks like nobody's", taken_keys.leaves_a_renewal_out, "not checked", "nothing is passed for want of what it needs"),  # noqa: E501 - one row
)  # fmt: skip
"""How `osiris order verify` sees what a taken hub shows an auditor."""
