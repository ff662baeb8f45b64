"""remove_sensor: take the Windows agent off one target."""

from proto.orders.kinds import OrderType
from proto.orders.sensors import removing

KIND = removing(OrderType.REMOVE_SENSOR, agent="Windows agent")
