"""Why a signature was not believed: a short word to count by, and a sentence for the one who sent it."""

from enum import StrEnum

from fediblog.errors import Unauthenticated


class Reason(StrEnum):
    """Each way to fail, once."""

    MISSING = "missing"
    SYNTAX = "syntax"
    SEVERAL = "several"
    ALGORITHM = "algorithm"
    COVERAGE = "coverage"
    ABSENT = "absent"
    HOST = "host"
    DATE = "date"
    STALE = "stale"
    EARLY = "early"
    EXPIRED = "expired"
    DIGEST = "digest"
    OURS = "ours"
    KEY = "key"
    SIGNATURE = "signature"


_SENTENCES = {
    Reason.MISSING: "The request is not signed.",
    Reason.SYNTAX: "The signature cannot be read.",
    Reason.SEVERAL: "The request must have one signature, not several.",
    Reason.ALGORITHM: "The algorithm of the signature is not accepted.",
    Reason.COVERAGE: "The signature does not cover all that it must.",
    Reason.ABSENT: "The signature covers a header that is not there.",
    Reason.HOST: "The request was signed for another host.",
    Reason.DATE: "The date of the request cannot be read.",
    Reason.STALE: "The signature is too old.",
    Reason.EARLY: "The signature is from the future.",
    Reason.EXPIRED: "The signature has expired.",
    Reason.DIGEST: "The digest is not that of the body.",
    Reason.OURS: "Nobody outside has a key of this server.",
    Reason.KEY: "The key cannot be used.",
    Reason.SIGNATURE: "The signature is not that of the key.",
}


class Refused(Unauthenticated):
    """The request is not proven to come from the holder of the key. `reason` tells which proof is lacking."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(_SENTENCES[reason])
