"""What somebody can set: one file for each page."""

from fediblog.web.settings import (
    appearance,
    applications,
    email,
    filters,
    invites,
    mail,
    moving,
    notifications,
    password,
    posting,
    profile,
    security,
    sessions,
    statistics,
)

BLUEPRINTS = (
    profile.blueprint,
    password.blueprint,
    email.blueprint,
    security.blueprint,
    sessions.blueprint,
    applications.blueprint,
    mail.blueprint,
    appearance.blueprint,
    posting.blueprint,
    filters.blueprint,
    notifications.blueprint,
    statistics.blueprint,
    invites.blueprint,
    moving.blueprint,
)
