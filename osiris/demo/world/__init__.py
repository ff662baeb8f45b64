"""A world: a private network of real machines inside one user namespace.

`World` starts it, `HostSpec` names a machine in it, `probe` tells what this computer allows. Root
and ordinary users run the same code; nothing has a name on the machine, so nothing can collide
with it and nothing is left when the process that made the world ends, however it ends.
"""

from osiris.demo.world.forward import Forward
from osiris.demo.world.probe import probe
from osiris.demo.world.values import Done, HostSpec, Probe, WorldError
from osiris.demo.world.world import World, sweep

__all__ = ["Done", "Forward", "HostSpec", "Probe", "World", "WorldError", "probe", "sweep"]
