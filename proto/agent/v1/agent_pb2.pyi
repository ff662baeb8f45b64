from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_DONE: _ClassVar[Outcome]
    OUTCOME_FAILED: _ClassVar[Outcome]
    OUTCOME_UNKNOWN: _ClassVar[Outcome]
    OUTCOME_NOT_RUN: _ClassVar[Outcome]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_DONE: Outcome
OUTCOME_FAILED: Outcome
OUTCOME_UNKNOWN: Outcome
OUTCOME_NOT_RUN: Outcome

class RegisterRequest(_message.Message):
    __slots__ = ("token", "csr_der", "agent_version", "os_version")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    CSR_DER_FIELD_NUMBER: _ClassVar[int]
    AGENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    OS_VERSION_FIELD_NUMBER: _ClassVar[int]
    token: str
    csr_der: bytes
    agent_version: str
    os_version: str
    def __init__(self, token: _Optional[str] = ..., csr_der: _Optional[bytes] = ..., agent_version: _Optional[str] = ..., os_version: _Optional[str] = ...) -> None: ...

class RegisterReply(_message.Message):
    __slots__ = ("target", "certificate_pem", "authority_pem", "renew_after")
    TARGET_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_PEM_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_PEM_FIELD_NUMBER: _ClassVar[int]
    RENEW_AFTER_FIELD_NUMBER: _ClassVar[int]
    target: str
    certificate_pem: bytes
    authority_pem: bytes
    renew_after: int
    def __init__(self, target: _Optional[str] = ..., certificate_pem: _Optional[bytes] = ..., authority_pem: _Optional[bytes] = ..., renew_after: _Optional[int] = ...) -> None: ...

class DriftEvent(_message.Message):
    __slots__ = ("check", "content", "at_ms", "exit_status", "answer", "sequence")
    CHECK_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    EXIT_STATUS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    check: str
    content: str
    at_ms: int
    exit_status: int
    answer: bytes
    sequence: int
    def __init__(self, check: _Optional[str] = ..., content: _Optional[str] = ..., at_ms: _Optional[int] = ..., exit_status: _Optional[int] = ..., answer: _Optional[bytes] = ..., sequence: _Optional[int] = ...) -> None: ...

class DriftAck(_message.Message):
    __slots__ = ("sequence", "command")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    command: HealCommand
    def __init__(self, sequence: _Optional[int] = ..., command: _Optional[_Union[HealCommand, _Mapping]] = ...) -> None: ...

class HealCommand(_message.Message):
    __slots__ = ("id", "incident", "runbook", "content", "params_json", "not_after")
    ID_FIELD_NUMBER: _ClassVar[int]
    INCIDENT_FIELD_NUMBER: _ClassVar[int]
    RUNBOOK_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    PARAMS_JSON_FIELD_NUMBER: _ClassVar[int]
    NOT_AFTER_FIELD_NUMBER: _ClassVar[int]
    id: str
    incident: str
    runbook: str
    content: str
    params_json: bytes
    not_after: int
    def __init__(self, id: _Optional[str] = ..., incident: _Optional[str] = ..., runbook: _Optional[str] = ..., content: _Optional[str] = ..., params_json: _Optional[bytes] = ..., not_after: _Optional[int] = ...) -> None: ...

class HealingResult(_message.Message):
    __slots__ = ("command", "outcome", "changed", "captured_json")
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    CAPTURED_JSON_FIELD_NUMBER: _ClassVar[int]
    command: str
    outcome: Outcome
    changed: bool
    captured_json: bytes
    def __init__(self, command: _Optional[str] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., changed: _Optional[bool] = ..., captured_json: _Optional[bytes] = ...) -> None: ...

class HealingAck(_message.Message):
    __slots__ = ("command",)
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    command: str
    def __init__(self, command: _Optional[str] = ...) -> None: ...

class HeartbeatRequest(_message.Message):
    __slots__ = ("agent_version", "content", "at_ms")
    AGENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    agent_version: str
    content: str
    at_ms: int
    def __init__(self, agent_version: _Optional[str] = ..., content: _Optional[str] = ..., at_ms: _Optional[int] = ...) -> None: ...

class HeartbeatReply(_message.Message):
    __slots__ = ("pending_commands", "next_s")
    PENDING_COMMANDS_FIELD_NUMBER: _ClassVar[int]
    NEXT_S_FIELD_NUMBER: _ClassVar[int]
    pending_commands: _containers.RepeatedCompositeFieldContainer[HealCommand]
    next_s: int
    def __init__(self, pending_commands: _Optional[_Iterable[_Union[HealCommand, _Mapping]]] = ..., next_s: _Optional[int] = ...) -> None: ...

class RMMStatusReport(_message.Message):
    __slots__ = ("owner", "at_ms")
    class Owner(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OWNER_UNSPECIFIED: _ClassVar[RMMStatusReport.Owner]
        OWNER_NONE: _ClassVar[RMMStatusReport.Owner]
        OWNER_GROUP_POLICY: _ClassVar[RMMStatusReport.Owner]
        OWNER_INTUNE: _ClassVar[RMMStatusReport.Owner]
        OWNER_OTHER: _ClassVar[RMMStatusReport.Owner]
    OWNER_UNSPECIFIED: RMMStatusReport.Owner
    OWNER_NONE: RMMStatusReport.Owner
    OWNER_GROUP_POLICY: RMMStatusReport.Owner
    OWNER_INTUNE: RMMStatusReport.Owner
    OWNER_OTHER: RMMStatusReport.Owner
    OWNER_FIELD_NUMBER: _ClassVar[int]
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    owner: RMMStatusReport.Owner
    at_ms: int
    def __init__(self, owner: _Optional[_Union[RMMStatusReport.Owner, str]] = ..., at_ms: _Optional[int] = ...) -> None: ...

class RMMAck(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
