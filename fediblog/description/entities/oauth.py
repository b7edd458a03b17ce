"""Apps and tokens."""

from typing import Annotated, Literal, TypedDict

from fediblog.description.kinds import Address, Id


class App(TypedDict):
    """A program that is registered here."""

    id: Id
    name: str
    website: Address | None
    scopes: list[str]
    redirect_uris: list[str]
    redirect_uri: Annotated[str, "All of them, one on each line."]
    vapid_key: Annotated[str, "The key of Web Push; empty without it."]


class CredentialApp(App):
    """The same when it is made, with its secret, which is told this once."""

    client_id: str
    client_secret: str
    client_secret_expires_at: Annotated[int, "Always 0: never."]


class Token(TypedDict):
    """A token. It holds until it is revoked."""

    access_token: str
    token_type: Literal["Bearer"]
    scope: str
    created_at: Annotated[int, "Seconds since 1970."]


class UserInfo(TypedDict):
    """Claims of OpenID Connect Core §5.1."""

    iss: Address
    sub: Address
    name: str
    preferred_username: str
    profile: Address
    picture: Address


class OAuthMetadata(TypedDict):
    """Where everything is and what it can do (RFC 8414)."""

    issuer: Address
    authorization_endpoint: Address
    token_endpoint: Address
    revocation_endpoint: Address
    userinfo_endpoint: Address
    app_registration_endpoint: Address
    scopes_supported: list[str]
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    code_challenge_methods_supported: list[str]
    authorization_response_iss_parameter_supported: bool
    service_documentation: Address
