"""HTTP Message Signatures, RFC 9421, as far as the fediverse uses them.

Own lines and not http-message-signatures 3: that library checks one such signature in ten times the time of
the RSA verification in it, brings a second package along, and speaks its own language of resolvers and
exceptions. What is used here is small: one signature, components without parameters.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping

from fediblog.activitypub.signatures.key_objects import PrivateKey, signature_of
from fediblog.activitypub.signatures.messages import Claim, Request, Scheme, Signed
from fediblog.activitypub.signatures.refusals import Reason, Refused

_NAME = r"[a-z*][a-z0-9_.*-]*"
# `sig1=("@method" "@target-uri")`, without what follows (RFC 8941 §3.1.1).
_INPUT = re.compile(rf"({_NAME})=\(([^()]*)\)", re.ASCII)
_COMPONENT = re.compile(r'"(@?[a-z0-9_-]+)"', re.ASCII)
_PARAMETER = re.compile(
    rf";[ ]*({_NAME})="
    r'(?:"((?:[^"\\]|\\["\\])*)"|(-?[0-9]{1,15})|(?::[A-Za-z0-9+/=]*:|\?[01]|[A-Za-z][^ ;,"]*))',
    re.ASCII,
)
_SIGNATURE = re.compile(rf"({_NAME})=:([A-Za-z0-9+/]*={{0,2}}):", re.ASCII)


def parse(headers: Mapping[str, str]) -> Claim:
    """What `Signature-Input` and `Signature` say. Raises Refused unless it is one signature, in both."""
    label, covered, parameters = _input(headers["signature-input"])
    texts, numbers = _parameters(parameters)
    if not texts.get("keyid"):
        raise Refused(Reason.SYNTAX)
    return Claim(
        scheme=Scheme.RFC9421,
        key_id=texts["keyid"],
        covered=covered,
        signature=_signature(headers.get("signature", ""), label),
        algorithm=texts.get("alg"),
        created=numbers.get("created"),
        expires=numbers.get("expires"),
        parameters=headers["signature-input"].partition("=")[2],
    )


def _input(value: str) -> tuple[str, tuple[str, ...], str]:
    """Label, covered components, and the text of the parameters."""
    found = _INPUT.match(value)
    if found is None:
        raise Refused(Reason.SYNTAX)
    components = [_COMPONENT.fullmatch(item) for item in found[2].split(" ")] if found[2] else []
    names = tuple(component[1] for component in components if component)
    if len(names) != len(components) or len(set(names)) != len(names):
        raise Refused(Reason.SYNTAX)
    return found[1], names, value[found.end() :]


def _parameters(text: str) -> tuple[dict[str, str], dict[str, int]]:
    texts: dict[str, str] = {}
    numbers: dict[str, int] = {}
    position = 0
    while position < len(text):
        found = _PARAMETER.match(text, position)
        if found is None:
            raise Refused(Reason.SEVERAL if text[position:].lstrip()[:1] == "," else Reason.SYNTAX)
        name, quoted, number = found.groups()
        if name in texts or name in numbers:
            raise Refused(Reason.SYNTAX)
        if number is not None:
            numbers[name] = int(number)
        else:
            texts[name] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else ""
        position = found.end()
    return texts, numbers


def _signature(value: str, label: str) -> bytes:
    found = _SIGNATURE.fullmatch(value)
    if found is None or found[1] != label:
        raise Refused(Reason.SEVERAL if "," in value else Reason.SYNTAX)
    try:
        return b64decode(found[2], validate=True)
    except ValueError as fault:
        raise Refused(Reason.SYNTAX) from fault


def check_coverage(request: Signed) -> None:
    """Raises Refused unless method, whole address, time and body are all signed, as Mastodon insists."""
    covered = request.claim.covered
    if request.claim.created is None or "@method" not in covered or "@target-uri" not in covered:
        raise Refused(Reason.COVERAGE)
    if request.has_body and "content-digest" not in covered:
        raise Refused(Reason.COVERAGE)


def bases(request: Signed) -> Iterator[bytes]:
    """The text that was signed: here there is only one."""
    yield base(request, request.claim)


def base(request: Request, claim: Claim) -> bytes:
    """The signature base (RFC 9421 §2.5). Raises Refused when something covered is not there."""
    lines = [f'"{name}": {_component(request, name)}' for name in claim.covered]
    text = "\n".join([*lines, f'"@signature-params": {claim.parameters}'])
    if text.count("\n") > len(lines):
        raise Refused(Reason.SYNTAX)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as fault:
        raise Refused(Reason.SYNTAX) from fault


def _component(request: Request, name: str) -> str:
    """A derived component (§2.2) or a header (§2.1)."""
    path, _, query = request.target.partition("?")
    match name:
        case "@method":
            return request.method
        case "@target-uri":
            return request.origin + request.target
        case "@authority":
            return request.authority
        case "@scheme":
            return request.origin.partition(":")[0]
        case "@request-target":
            return request.target
        case "@path":
            return path or "/"
        case "@query":
            return "?" + query
    value = request.headers.get(name)
    if value is None:
        raise Refused(Reason.ABSENT)
    return value


def sign(request: Request, key_id: str, key: PrivateKey, created: int) -> dict[str, str]:
    """`Signature-Input` and `Signature` of a request that, with a body, has a `Content-Digest`."""
    covered = ("@method", "@target-uri") + (("content-digest",) if request.has_body else ())
    names = " ".join(f'"{name}"' for name in covered)
    claim = Claim(
        Scheme.RFC9421, key_id, covered, b"", parameters=f'({names});created={created};keyid="{key_id}"'
    )
    signature = b64encode(signature_of(key, base(request, claim))).decode()
    return {"Signature-Input": f"sig1={claim.parameters}", "Signature": f"sig1=:{signature}:"}
