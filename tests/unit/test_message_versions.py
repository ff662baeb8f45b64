"""A message of another version is refused, and `true` is no version: True == 1 in Python."""

import pytest
from pydantic import ValidationError

from appliance.shell import identity
from proto import evidence, order, receipts
from proto.hub import check_in, devices, enroll, orders
from proto.hub import evidence as uplink
from proto.message import Message

MODULES = (evidence, order, receipts, check_in, devices, enroll, orders, uplink, identity)
VERSIONED = sorted(
    {
        found
        for module in MODULES
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Message) and "v" in found.model_fields
    },
    key=lambda one: one.__qualname__,
)


@pytest.mark.parametrize("model", VERSIONED, ids=lambda one: one.__qualname__)
@pytest.mark.parametrize("version", [True, 2, 0, "1", 1.0, None])
def test_only_the_number_one_is_version_one(model: type[Message], version: object) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate({"v": version})
    assert ("v",) in {error["loc"] for error in caught.value.errors()}


@pytest.mark.parametrize("model", VERSIONED, ids=lambda one: one.__qualname__)
def test_the_number_one_is(model: type[Message]) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate({"v": 1})
    assert ("v",) not in {error["loc"] for error in caught.value.errors()}
