"""The part of the API that is for the staff (CLIENT-API §2, admin): nobody else is told anything by it."""

from fediblog.api.admin import (
    accounts,
    canonical_email_blocks,
    domain_allows,
    domain_blocks,
    email_domain_blocks,
    ip_blocks,
    reports,
    trends,
)

ROOMS = (
    accounts,
    canonical_email_blocks,
    domain_allows,
    domain_blocks,
    email_domain_blocks,
    ip_blocks,
    reports,
    trends,
)
