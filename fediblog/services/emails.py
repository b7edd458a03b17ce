"""E-mail addresses: what counts as one, and when two are the same."""

import email_validator

from fediblog.errors import Invalid

LONGEST = 254

_NONE = "This is not an e-mail address."

# Whether mail for `box.local` or `lab.test` arrives is for the mail server to say: in an intranet and in a
# lab it does. The library documents this list as the place to change its mind.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def tidy(address: str) -> str:
    """The address as mail is sent to it, its domain in ASCII. Raises Invalid for the field `email`."""
    address = address.strip()
    if len(address) > LONGEST:
        raise Invalid(_NONE, field="email")
    try:
        found = email_validator.validate_email(
            address, check_deliverability=False, globally_deliverable=False, allow_smtputf8=False
        )
    except email_validator.EmailNotValidError:
        raise Invalid(_NONE, field="email") from None
    if "." not in found.ascii_domain and found.ascii_domain != "localhost":
        raise Invalid("The part after the @ is incomplete.", field="email")
    assert found.ascii_email is not None  # given whenever smtputf8 is refused
    return found.ascii_email


def fault(address: str) -> str | None:
    """Why this is refused, or None."""
    try:
        tidy(address)
    except Invalid as refused:
        return refused.message
    return None


def is_meant(name_or_email: str) -> bool:
    """Whether an address was typed where a user name may stand too."""
    return "@" in name_or_email[1:]


def find_key(address: str) -> str | None:
    """The key of what somebody typed, None when it is no address."""
    try:
        return key(tidy(address))
    except Invalid:
        return None


def key(address: str) -> str:
    """What is unique about an address that `tidy` gave. No server in use tells upper from lower case."""
    return address.lower()
