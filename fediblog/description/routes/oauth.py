"""Apps and tokens: OAuth 2 after RFC 6749, 7636 and 7009. /oauth/authorize, where people agree, is a page."""

from typing import Annotated, Literal, Required

from fediblog.description.entities.faults import Empty, OAuthError, SignUpError
from fediblog.description.entities.oauth import App, CredentialApp, OAuthMetadata, Token, UserInfo
from fediblog.description.kinds import Address
from fediblog.description.route import Fields, get, post

_CLIENT: Fields = {
    "client_id": Annotated[str, "Or in the header, by HTTP Basic."],
    "client_secret": str,
}

ROUTES = (
    post(
        "/api/v1/accounts",
        "Sign somebody up, with the app's own token. The new token works once they are let in.",
        Token,
        token=True,
        form={
            "username": Required[str],
            "email": Required[str],
            "password": Required[str],
            "agreement": Required[bool],
            "locale": str,
            "reason": Annotated[str, "Why they want to join, where somebody decides."],
            "invite_code": str,
        },
        also={422: SignUpError},
    ),
    get(
        "/api/v1/emails/check_confirmation",
        "Whether the address of who has signed up is confirmed.",
        bool,
        scope="read:accounts",
    ),
    post(
        "/api/v1/emails/confirmations",
        "Send the mail with the link again.",
        Empty,
        scope="write:accounts",
        form={"email": Annotated[str, "Only the same."]},
    ),
    post(
        "/api/v1/apps",
        "Register an app. Needs no account.",
        CredentialApp,
        form={
            "client_name": Required[str],
            "redirect_uris": Required[Annotated[list[str], "Also a text, one on each line."]],
            "scopes": Annotated[str, "With spaces between them; `read` when not given."],
            "website": Address,
        },
        faults=(422,),
    ),
    get(
        "/api/v1/apps/verify_credentials",
        "The app of a token.",
        App,
        token=True,
        faults=(403,),
    ),
    post(
        "/oauth/token",
        "Make a token of a code, or one of the app's own.",
        Token,
        form={
            "grant_type": Required[Literal["authorization_code", "client_credentials"]],
            **_CLIENT,
            "code": str,
            "redirect_uri": str,
            "code_verifier": Annotated[str, "For a code that was asked for with a challenge."],
            "scope": Annotated[str, "For a token of the app's own."],
        },
        faults=(401, 422),
        fault=OAuthError,
    ),
    post(
        "/oauth/revoke",
        "End a token. One that nobody knows is no fault.",
        Empty,
        form={"token": Required[str], **_CLIENT},
        faults=(401, 403),
        fault=OAuthError,
    ),
    get("/oauth/userinfo", "Whose token it is, for OpenID Connect.", UserInfo, scope="profile"),
    post("/oauth/userinfo", "The same.", UserInfo, scope="profile"),
    get("/.well-known/oauth-authorization-server", "Where all this is, for programs.", OAuthMetadata),
)
