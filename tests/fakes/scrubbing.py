"""A real scrubber over a test's own store: the shipped policy, the compiled names, a real vault."""

from appliance.handlers.scrubber import Scrubber
from appliance.ports import Clock, Entropy, Sealer
from appliance.store.db import Store
from appliance.store.vault import Vault
from proto.phi import default_names, default_policy


async def scrubber_over(
    store: Store, *, sealer: Sealer, entropy: Entropy, clock: Clock
) -> Scrubber:
    """Return a scrubber whose vault is kept in this store."""
    vault = await Vault.open(store, sealer, entropy)
    return Scrubber(default_policy(), default_names(), vault, store=store, clock=clock)
