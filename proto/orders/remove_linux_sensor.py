"""remove_linux_sensor: take the Linux sensor off one target."""

from proto.orders.kinds import OrderType
from proto.orders.sensors import removing

KIND = removing(OrderType.REMOVE_LINUX_SENSOR, agent="Linux sensor")
