"""What believing and making a signature costs beside the bare RSA operation in it (EGRESS §3.1).

Prints ratios to the bare operation of the same run: 1.0 would be no cost of ours at all. `received + verify`
is all that the inbox does before it looks at the sender: headers, rules, window, digest, signature.
"""

import time
from collections.abc import Callable

from fediblog import keys
from fediblog.activitypub import compact, signatures
from fediblog.activitypub.signatures import Scheme
from fediblog.activitypub.signatures.key_objects import holds, private_key, public_key, signature_of

HOME = "https://home.example"
KEY_ID = "https://remote.example/users/eve#main-key"
EVE = "https://remote.example/users/eve"
BODY = (
    '{"@context":["https://www.w3.org/ns/activitystreams",{"sensitive":"as:sensitive"}],'
    f'"id":"{EVE}/statuses/1/activity","type":"Create","actor":"{EVE}","published":"2026-11-22T21:45:00Z",'
    f'"to":["https://www.w3.org/ns/activitystreams#Public"],"cc":["{EVE}/followers"],"object":{{'
    f'"id":"{EVE}/statuses/1","type":"Note","summary":null,"inReplyTo":null,"url":"{EVE}/1",'
    f'"attributedTo":"{EVE}","to":["https://www.w3.org/ns/activitystreams#Public"],"cc":["{EVE}/followers"],'
    f'"sensitive":false,"content":"<p>{"Hello. " * 120}</p>","contentMap":{{"en":"<p>Hello.</p>"}},'
    '"attachment":[],"tag":[{"type":"Mention","href":"https://home.example/ap/accounts/1","name":"@a"}]}}'
).encode()


def microseconds(work: Callable[[], object], times: int) -> float:
    """CPU of one, the best of five rounds."""
    rounds = []
    for _ in range(5):
        started = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - started) / times * 1e6)
    return min(rounds)


def main() -> None:
    """Measure and print."""
    pem, secret = keys.new_pair()
    text = b"x" * 200
    signature = signature_of(private_key(secret), text)
    bare_verify = microseconds(lambda: holds(public_key(pem), signature, text), 2_000)
    bare_sign = microseconds(lambda: signature_of(private_key(secret), text), 200)
    print(f"bare RSA-2048: verify {bare_verify:.1f} us, sign {bare_sign:.0f} us; body of {len(BODY)} bytes")
    for scheme in (Scheme.CAVAGE, Scheme.RFC9421):

        def sign(scheme: Scheme = scheme) -> dict[str, str]:
            return signatures.sign("POST", HOME + "/ap/inbox", {}, BODY, KEY_ID, secret, scheme)

        pairs = [(name.lower().encode(), value.encode()) for name, value in sign().items()]

        def believe(pairs: list[tuple[bytes, bytes]] = pairs) -> None:
            signatures.verify(signatures.received("POST", "/ap/inbox", HOME, pairs, BODY), pem)

        verified, signed = microseconds(believe, 2_000), microseconds(sign, 200)
        print(
            f"{scheme.value:8} received + verify {verified / bare_verify:.2f} x bare ({verified:.1f} us)   "
            f"sign {signed / bare_sign:.2f} x bare ({signed:.0f} us)"
        )
    read = microseconds(lambda: compact.read(BODY), 2_000)
    print(f"compact.read of the body {read / bare_verify:.2f} x bare verify ({read:.1f} us)")


if __name__ == "__main__":
    main()
