"""fediblog: a federated microblog server."""

__version__ = "0.1.0"
