"""deploy_linux_sensor: install the Linux sensor on one target, from a file of release content."""

from proto.orders.kinds import OrderType
from proto.orders.sensors import deploying

KIND = deploying(OrderType.DEPLOY_LINUX_SENSOR, agent="Linux sensor")
