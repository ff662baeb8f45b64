"""deploy_sensor: install the Windows agent on one target, from a file of release content."""

from proto.orders.kinds import OrderType
from proto.orders.sensors import deploying

KIND = deploying(OrderType.DEPLOY_SENSOR, agent="Windows agent")
