"""How something that went wrong is told."""

from typing import NotRequired, TypedDict


class Error(TypedDict):
    """What went wrong, in a sentence that may be shown."""

    error: str


class FaultOfField(TypedDict):
    """What is wrong with one field."""

    error: str
    description: str


class SignUpError(TypedDict):
    """The same for a sign-up, field by field."""

    error: str
    details: NotRequired[dict[str, list[FaultOfField]]]


class OAuthError(TypedDict):
    """The same as RFC 6749 §5.2 has it: a word for programs and a sentence for people."""

    error: str
    error_description: str


class Empty(TypedDict):
    """It is done, and there is nothing more to say."""
