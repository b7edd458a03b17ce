"""The names in our addresses, which need a closer look than the framework's."""

from werkzeug.routing import BaseConverter


class NameConverter(BaseConverter):
    """The name of somebody here: letters, digits and underscores, so that a suffix such as `.rss` is none."""

    regex = r"[A-Za-z0-9_]{1,30}"


class HandleConverter(BaseConverter):
    """The same, or `name@host` of somebody elsewhere."""

    regex = r"[A-Za-z0-9_]{1,30}|[A-Za-z0-9_.-]{1,200}@[^/@\s]{1,260}"
