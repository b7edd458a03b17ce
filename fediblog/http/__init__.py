"""The one client to the outside: whatever fediblog asks of another server by HTTP goes through here.

    await http.open(config)          once for each process, in the loop that will use it
    await http.fetch(url, accept=[...], signer=...)      a document, through redirects
    await http.fetch_to_file(url, path, accept=[...], most_bytes=...)      media
    await http.post(url, body, headers, signer=...)      a delivery
    await http.close()

    errors      what goes wrong outside, and what may be said about it
    addresses   which addresses may be contacted
    urls        which URLs may be asked; the origin of one
    names       looking names up
    guard       every address is judged before it is dialled
    engine      httpx's interface over aiohttp's engine
    bodies      answers within their budgets
    fields      media types, Retry-After
    turns       how many at once
    exchange    one request, signed
    opening     the client of the process
    fetching, posting

The rules are SECURITY §1.2, §3 and §4; the design and its measurements are EGRESS §1. Nothing else in
fediblog may import httpx or aiohttp, and an import contract sees to that.
"""

from fediblog.http.addresses import refusal
from fediblog.http.errors import Outside, Refused, TooMuch, Unreachable, Unwelcome
from fediblog.http.exchange import Outgoing, Signer
from fediblog.http.fetching import Fetched, Saved, fetch, fetch_to_file
from fediblog.http.fields import MediaType, media_type, retry_after
from fediblog.http.opening import close, open
from fediblog.http.posting import Answered, post
from fediblog.http.urls import authority, check_url, origin

__all__ = [
    "Answered",
    "Fetched",
    "MediaType",
    "Outgoing",
    "Outside",
    "Refused",
    "Saved",
    "Signer",
    "TooMuch",
    "Unreachable",
    "Unwelcome",
    "authority",
    "check_url",
    "close",
    "fetch",
    "fetch_to_file",
    "media_type",
    "open",
    "origin",
    "post",
    "refusal",
    "retry_after",
]
