"""Web Push: one subscription for each token."""

from typing import Required

from fediblog.description.entities.faults import Empty
from fediblog.description.entities.push import DeviceForm, PushDataForm, WebPushSubscription
from fediblog.description.route import delete, get, post, put

_PATH = "/api/v1/push/subscription"

ROUTES = (
    post(
        _PATH,
        "Be woken, instead of by the subscription that this token had.",
        WebPushSubscription,
        scope="push",
        form={"subscription": Required[DeviceForm], "data": PushDataForm},
    ),
    get(_PATH, "The subscription of this token.", WebPushSubscription, scope="push"),
    put(
        _PATH,
        "Be woken by other things; what is not given stays.",
        WebPushSubscription,
        scope="push",
        form={"data": PushDataForm},
    ),
    delete(_PATH, "Be woken no more.", Empty, scope="push"),
)
