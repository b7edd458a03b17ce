"""The application without its house, for tests that ask it and change nothing of it.

Its three hundred routes take a tenth of a second to make, which was a quarter of the time of each such test.
"""

from quart import Quart

from fediblog.app import create_app
from fediblog.config import Config
from tests.harness import described

_made: dict[str, Quart] = {}


def shared(config: Config) -> Quart:
    """One application for all configurations that look alike to `create_app`."""
    key = repr((config.web, config.limits, config.federation, config.domain, config.base_url))
    if key not in _made:
        _made[key] = described.listen(create_app(config, open_house=False))
    return _made[key]
