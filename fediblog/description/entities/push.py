"""Web Push: the subscription of a token."""

from typing import Annotated, Literal, Required, TypedDict, get_args

from fediblog.description.entities.notifications import Sort
from fediblog.description.kinds import Id

Callers = Literal["all", "followed", "follower", "none"]


class WebPushSubscription(TypedDict):
    """A device that is woken for one token."""

    id: Id
    endpoint: str
    standard: Annotated[bool, "Encrypted as RFC 8291 says; else as the draft before it."]
    alerts: Annotated[dict[str, bool], "For each kind of notification whether it wakes the device."]
    server_key: Annotated[str, "Our key (RFC 8292), in base64url."]
    policy: Annotated[Callers, "By whom it is woken."]


class DeviceKeysForm(TypedDict, total=False):
    """What the device gave out, in base64url."""

    p256dh: Required[str]
    auth: Required[str]


class DeviceForm(TypedDict, total=False):
    """Where to reach a device."""

    endpoint: Required[Annotated[str, "An https address."]]
    keys: Required[DeviceKeysForm]
    standard: bool


AlertsForm = TypedDict("AlertsForm", dict.fromkeys(get_args(Sort), bool), total=False)  # type: ignore[misc]
AlertsForm.__doc__ = "The kinds of notifications that wake the device."


class PushDataForm(TypedDict, total=False):
    """What wakes the device."""

    alerts: AlertsForm
    policy: Callers
