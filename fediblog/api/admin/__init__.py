"""The part of the API that is for the staff (CLIENT-API §2, admin): nobody else is told anything by it."""

from fediblog.api.admin import accounts, reports

ROOMS = (accounts, reports)
