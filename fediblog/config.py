"""The configuration: `fediblog.toml` and the environment become one frozen `Config`.

Every key can be set as `FEDIBLOG__SECTION__KEY`; a name that ends in `_FILE` reads the value from that
file. The environment wins over the file. Unknown keys are errors with a suggestion. Nothing is read at
import: the program that starts calls `load` and hands the result to `use`.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from fediblog import hosts

PREFIX = "FEDIBLOG__"
Network = IPv4Network | IPv6Network

_SSLMODE = re.compile(r"(sslmode=(disable|allow|prefer|require|verify-ca|verify-full))?")


class ConfigError(Exception):
    """The configuration cannot be used. The message has one line for each fault."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Database(_Section):
    """Where the data is. An empty `url` means SQLite in `data_dir`."""

    url: SecretStr = SecretStr("")
    pool_min: int = Field(1, ge=1, le=100)
    # Two at least: an upgrade holds its lock on one and works on another.
    pool_max: int = Field(8, ge=2, le=200)

    @field_validator("url")
    @classmethod
    def _url_is_known(cls, value: SecretStr) -> SecretStr:
        url = value.get_secret_value()
        if url and not url.startswith(("sqlite://", "postgres://", "postgresql://")):
            raise ValueError("must begin with sqlite:// or postgres://")
        if url.startswith("postgres") and not _SSLMODE.fullmatch(urlsplit(url).query):
            # What is silently left out might be the encryption that somebody counts on.
            raise ValueError("takes no options but ?sslmode=require and the other modes of PostgreSQL")
        return value

    @model_validator(mode="after")
    def _pool_has_room(self) -> "Database":
        if self.pool_min > self.pool_max:
            raise ValueError("pool_min must not be greater than pool_max")
        return self


class Redis(_Section):
    """The broker and the shared memory of many machines. An empty `url` means everything in one process."""

    url: SecretStr = SecretStr("")


class Mail(_Section):
    """How mail leaves. An empty `url` keeps mails as rows and says so."""

    url: SecretStr = SecretStr("")
    from_address: str = ""
    batch_minutes: int = Field(5, ge=0, le=1440)

    @property
    def leaves(self) -> bool:
        """Whether there is a mail server at all."""
        return bool(self.url.get_secret_value())


class Registration(_Section):
    """Who may sign up."""

    mode: Literal["open", "approval", "invite", "closed"] = "approval"


class Federation(_Section):
    """How we speak to other servers."""

    enabled: bool = True
    allow_http: bool = False
    allow_networks: tuple[Network, ...] = ()
    ca_file: str = ""
    authorized_fetch: bool = False


class Limits(_Section):
    """What one person may send."""

    rate_limits: bool = True
    max_characters: int = Field(500, ge=1, le=100_000)
    max_media: int = Field(4, ge=0, le=16)
    max_poll_options: int = Field(8, ge=2, le=50)
    max_pins: int = Field(5, ge=0, le=100)
    max_fields: int = Field(4, ge=0, le=16)
    image_megabytes: int = Field(8, ge=1, le=100)
    video_megabytes: int = Field(40, ge=1, le=2000)
    # Files of other servers that are kept here to be shown: so much of them, and unseen so long at most.
    media_cache_megabytes: int = Field(1024, ge=16, le=100_000_000)
    media_cache_days: int = Field(7, ge=1, le=3650)
    # Whether pages that posts link to are asked what to show under the link.
    link_previews: bool = True


class Trends(_Section):
    """What many talk about: `review` keeps it back until somebody of the staff has let it pass."""

    review: bool = True


class Web(_Section):
    """The listener and what stands before it."""

    trusted_proxies: tuple[Network, ...] = ()
    site_title: str = "fediblog"


class Log(_Section):
    """What is printed."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["console", "json"] = "console"


class Config(BaseSettings):
    """The whole configuration, read once and never changed."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", case_sensitive=False
    )

    domain: str
    base_url: str = ""
    bind: str = "127.0.0.1:8000"
    data_dir: Path = Path("./data")
    secret_key: SecretStr
    database: Database = Database()
    redis: Redis = Redis()
    mail: Mail = Mail()
    registration: Registration = Registration()
    federation: Federation = Federation()
    limits: Limits = Limits()
    trends: Trends = Trends()
    web: Web = Web()
    log: Log = Log()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands in counts: it has merged file and environment already."""
        return (init_settings,)

    @field_validator("domain")
    @classmethod
    def _domain_is_a_host(cls, value: str) -> str:
        host = _ascii(value)
        if not host or set("/@?# ") & set(host):
            raise ValueError("must be a bare host name such as social.example")
        return host

    @field_validator("secret_key")
    @classmethod
    def _secret_is_long(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 32:
            raise ValueError("must be at least 32 random characters: `fediblog config init` makes one")
        return value

    @model_validator(mode="before")
    @classmethod
    def _base_url_from_domain(cls, values: dict[str, Any]) -> dict[str, Any]:
        if not values.get("base_url") and isinstance(values.get("domain"), str):
            values = {**values, "base_url": f"https://{_ascii(values['domain'])}"}
        return values

    @model_validator(mode="after")
    def _base_url_is_safe(self) -> "Config":
        parts = urlsplit(self.base_url)
        scheme, host = parts.scheme, _ascii(parts.hostname or "")
        port = f":{parts.port}" if parts.port else ""
        host = f"[{host}]" if ":" in host else host
        if scheme not in ("http", "https") or self.origin != f"{scheme}://{host}{port}":
            raise ValueError("base_url must look like https://social.example: lower case, without a path")
        loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme == "http" and not loopback and not self.federation.allow_http:
            raise ValueError("base_url on plain http is only for this machine itself; use https")
        return self

    @property
    def origin(self) -> str:
        """`base_url` without a slash at its end."""
        return self.base_url.rstrip("/")

    @property
    def secure(self) -> bool:
        """True when the site is reached by https, so cookies may insist on it."""
        return self.base_url.startswith("https:")

    @property
    def embedded(self) -> bool:
        """True when one process does everything."""
        return not self.redis.url.get_secret_value()

    @property
    def database_url(self) -> str:
        """The address of the database, the SQLite default filled in."""
        return self.database.url.get_secret_value() or f"sqlite://{self.data_dir / 'fediblog.sqlite3'}"

    @property
    def mail_from(self) -> str:
        """The sender of every mail."""
        return self.mail.from_address or f"fediblog@{self.domain.split(':')[0]}"

    @property
    def secret(self) -> bytes:
        """The key that signs cookies and encrypts private keys."""
        return self.secret_key.get_secret_value().encode()


def _ascii(host: str) -> str:
    """A host as it stands in addresses. Raises ValueError when it is none."""
    return hosts.to_ascii(host.strip())


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """Read the file (if there is one) and the environment. Raises ConfigError with every fault found."""
    values = _read_file(path) if path else {}
    for name, keys, value in _environment(os.environ if environ is None else environ):
        _put(values, name, keys, value)
    faults = list(_unknown(values, Config))
    if faults:
        raise ConfigError("\n".join(faults))
    try:
        return Config(**values)
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(error))) from None


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None


def _environment(environ: Mapping[str, str]) -> Iterable[tuple[str, list[str], str]]:
    for name, value in environ.items():
        if not name.upper().startswith(PREFIX):
            continue
        keys = name[len(PREFIX) :].lower().split("__")
        if keys[-1].endswith("_file") and keys[-1] != "ca_file":
            yield name, [*keys[:-1], keys[-1].removesuffix("_file")], _secret_file(name, value)
        else:
            yield name, keys, value


def _secret_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{name}: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name}: {path}: this is not text") from None


def _put(values: dict[str, Any], name: str, keys: list[str], value: str) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{name}: no such key: {key} has no keys in it")
    try:
        values[keys[-1]] = tomllib.loads(f"v = {value}")["v"] if value.startswith("[") else value
    except tomllib.TOMLDecodeError:
        raise ConfigError(f'{name}: must be a list such as ["10.0.0.0/8"]') from None


def _unknown(values: Mapping[str, Any], model: Any, where: str = "") -> Iterable[str]:
    for key, value in values.items():
        field = model.model_fields.get(key)
        if field is None:
            near = difflib.get_close_matches(key, model.model_fields, 1)
            yield f"{where}{key}: no such key" + (f"; did you mean {where}{near[0]}?" if near else "")
        elif isinstance(value, Mapping) and isinstance(field.default, _Section):
            yield from _unknown(value, field.annotation, f"{where}{key}.")


def _explain(error: ValidationError) -> Iterable[str]:
    for fault in error.errors(include_input=False, include_url=False):
        name = ".".join(str(part) for part in fault["loc"])
        message = fault["msg"].removeprefix("Value error, ")
        yield f"{name}: {message}" if name else message


_current: Config | None = None


def use(config: Config) -> None:
    """Make this the configuration of the process."""
    global _current
    _current = config


def settings() -> Config:
    """The configuration of the process. Raises RuntimeError when none has been loaded: a fault of ours."""
    if _current is None:
        raise RuntimeError("no configuration has been loaded")
    return _current
