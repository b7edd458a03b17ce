"""Web Push: one subscription for each token."""

from typing import Annotated, Required

from fediblog.description.entities.faults import Empty
from fediblog.description.entities.push import Callers, DeviceForm, PushDataForm, WebPushSubscription
from fediblog.description.route import delete, get, post, put

_POLICY = Annotated[Callers, "The same as in `data`, which wins."]
_PATH = "/api/v1/push/subscription"

ROUTES = (
    post(
        _PATH,
        "Be woken, instead of by the subscription that this token had.",
        WebPushSubscription,
        scope="push",
        form={"subscription": Required[DeviceForm], "data": PushDataForm, "policy": _POLICY},
        faults=(404,),
    ),
    get(_PATH, "The subscription of this token.", WebPushSubscription, scope="push", faults=(404,)),
    put(
        _PATH,
        "Be woken by other things; what is not given stays.",
        WebPushSubscription,
        scope="push",
        form={"data": PushDataForm, "policy": _POLICY},
        faults=(404,),
    ),
    delete(_PATH, "Be woken no more.", Empty, scope="push"),
)
