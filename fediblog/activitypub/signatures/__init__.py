"""HTTP signatures: signing a request, and believing one. Pure: no network, no database, no configuration.

    request = received("POST", "/ap/inbox", origin, headers, body)   # raises Refused: none, broken, several
    examine(request)                                                  # all that needs no key
    verify(request, pem_of(request.claim.key_id))                     # Refused.reason tells why not

    messages     a request and the claim of its signature
    cavage       draft-cavage-http-signatures-12
    rfc9421      HTTP Message Signatures
    digests      Digest and Content-Digest
    key_objects  loaded keys; RSA and Ed25519
    checking     what must hold before a request is believed
    signing      what we send
    refusals     the reasons, to count by

Whether the owner of the key may do what the request says is not decided here: that is `ownership`.
"""

from fediblog.activitypub.signatures.checking import examine, parse, received, verify
from fediblog.activitypub.signatures.messages import Claim, Scheme, Signed
from fediblog.activitypub.signatures.refusals import Reason, Refused
from fediblog.activitypub.signatures.signing import sign

__all__ = ["Claim", "Reason", "Refused", "Scheme", "Signed", "examine", "parse", "received", "sign", "verify"]
