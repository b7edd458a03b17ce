"""The configuration: file and environment, and what is refused with which words."""

import ipaddress

import pytest
from pydantic import ValidationError

from fediblog import config
from fediblog.config import ConfigError

pytestmark = pytest.mark.once

SECRET = "a secret that is long enough for a test"
NEEDED = {"FEDIBLOG__DOMAIN": "social.example", "FEDIBLOG__SECRET_KEY": SECRET}


def given(**values: str) -> config.Config:
    """A configuration from the environment: `given(mail__url="smtp://…")`."""
    return config.load(None, NEEDED | {f"FEDIBLOG__{name.upper()}": text for name, text in values.items()})


def refused(match: str, **values: str) -> str:
    with pytest.raises(ConfigError, match=match) as caught:
        given(**values)
    return str(caught.value)


@pytest.fixture
def file(tmp_path):
    """Writes a configuration file and loads it."""

    def load(text: str, environ: dict[str, str] | None = None) -> config.Config:
        path = tmp_path / "fediblog.toml"
        path.write_text(text)
        return config.load(path, environ or {})

    return load


def test_the_domain_and_a_secret_are_enough():
    loaded = given()
    assert loaded.domain == "social.example"
    assert loaded.origin == "https://social.example"
    assert loaded.secure
    assert loaded.embedded
    assert loaded.database_url == "sqlite://data/fediblog.sqlite3"
    assert loaded.mail_from == "fediblog@social.example"
    assert loaded.registration.mode == "approval"
    assert loaded.limits.max_characters == 500


def test_without_a_domain_or_a_secret_it_says_so():
    with pytest.raises(ConfigError, match=r"domain: .*\n.*secret_key: "):
        config.load(None, {})


def test_a_short_secret_is_refused_and_not_repeated():
    assert "hunter2" not in refused("at least 32", secret_key="hunter2")


def test_the_file_is_read_and_the_environment_wins(file):
    text = f'domain = "a.example"\nsecret_key = "{SECRET}"\n[limits]\nmax_media = 2\nmax_pins = 1\n'
    loaded = file(text, {"FEDIBLOG__LIMITS__MAX_MEDIA": "7"})
    assert (loaded.domain, loaded.limits.max_media, loaded.limits.max_pins) == ("a.example", 7, 1)


def test_names_in_the_environment_may_be_in_any_case():
    assert config.load(None, {"Fediblog__Domain": "a.example", "FEDIBLOG__secret_KEY": SECRET}).domain


def test_secrets_are_read_from_files(tmp_path):
    path = tmp_path / "secret"
    path.write_text(SECRET + "\n")
    loaded = config.load(None, {"FEDIBLOG__DOMAIN": "a.example", "FEDIBLOG__SECRET_KEY_FILE": str(path)})
    assert loaded.secret == SECRET.encode()


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path):
    refused("FEDIBLOG__MAIL__URL_FILE: .*No such file", mail__url_file=str(tmp_path / "none"))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\xff")
    refused("FEDIBLOG__MAIL__URL_FILE: .*not text", mail__url_file=str(tmp_path / "bytes"))


def test_the_bundle_of_authorities_is_a_file_and_not_a_secret_in_one():
    assert given(federation__ca_file="/etc/ca.pem").federation.ca_file == "/etc/ca.pem"


def test_an_unknown_key_is_refused_with_a_suggestion(file):
    refused(r"mail\.ulr: no such key; did you mean mail\.url\?", mail__ulr="x")
    refused("databse: no such key; did you mean database?", databse__url="x")
    with pytest.raises(ConfigError, match=r"xyzzy: no such key$"):
        file(f'domain = "a.example"\nsecret_key = "{SECRET}"\nxyzzy = 1\n')


def test_a_key_below_a_plain_value_is_refused():
    refused("FEDIBLOG__DOMAIN__NAME: no such key", domain__name="x")


def test_every_fault_is_told_at_once():
    with pytest.raises(ConfigError) as caught:
        given(limits__max_media="many", log__level="loud", registration__mode="maybe")
    text = str(caught.value)
    assert len(text.splitlines()) == 3
    assert "limits.max_media" in text and "log.level" in text and "registration.mode" in text


def test_a_broken_file_is_named(file, tmp_path):
    with pytest.raises(ConfigError, match=r"fediblog\.toml: Invalid value"):
        file("domain = ")
    with pytest.raises(ConfigError, match="none: No such file"):
        config.load(tmp_path / "none", {})
    (tmp_path / "bytes").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="bytes: "):
        config.load(tmp_path / "bytes", {})


def test_lists_are_written_as_in_the_file():
    loaded = given(web__trusted_proxies='["10.0.0.0/8", "fd00::/8"]')
    assert loaded.web.trusted_proxies == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("fd00::/8"),
    )
    refused("FEDIBLOG__WEB__TRUSTED_PROXIES: must be a list", web__trusted_proxies="[oops")
    refused("trusted_proxies", web__trusted_proxies='["10.0.0.1/8"]')


@pytest.mark.parametrize("domain", ["https://a.example", "a.example/", "anna@a.example", "a b", " ", "a?b"])
def test_a_domain_is_a_bare_host(domain):
    refused("domain: must be a bare host", domain=domain)


def test_a_domain_outside_ascii_is_kept_as_it_stands_in_addresses():
    loaded = given(domain=" Bücher.example ")
    assert loaded.domain == "xn--bcher-kva.example"
    assert loaded.origin == "https://xn--bcher-kva.example"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example",
        "a.example",
        "https://",
        "https://a.example/blog",
        "https://a.example?x=1",
        "https://a.example#x",
        "https://me:secret@a.example",
        "https://a.example:99999",
        "https://A.example",
        "https://bücher.example",
    ],
)
def test_the_base_url_is_an_origin(url):
    refused("base_url|Port", base_url=url)


def test_plain_http_is_for_this_machine_only():
    for url in ("http://localhost:8000", "http://127.0.0.1", "http://[::1]:8000"):
        assert not given(base_url=url).secure
    assert "https" in refused("plain http", base_url="http://a.example")
    assert given(base_url="http://a.example", federation__allow_http="true").origin == "http://a.example"


def test_a_slash_at_the_end_of_the_base_url_does_not_matter():
    assert given(base_url="https://a.example/").origin == "https://a.example"


def test_a_database_that_we_do_not_speak_is_refused():
    text = refused(r"database\.url: must begin with", database__url="mysql://me:geheim@host/name")
    assert "geheim" not in text
    assert given(database__url="postgres://me:pw@host/name").database_url == "postgres://me:pw@host/name"
    given(database__url="postgres://me:pw@host/name?sslmode=verify-full")
    for options in ("sslmode=yes", "ssl=true", "sslmode=require&x=1", "host=/run/postgresql"):
        refused("takes no options but", database__url=f"postgres://me:pw@host/name?{options}")


def test_a_pool_without_room_is_refused():
    refused("pool_max", database__pool_max="1")
    refused("pool_min", database__pool_min="9")


def test_secrets_do_not_show():
    loaded = given(database__url="postgres://me:geheim@host/name", mail__url="smtp://me:geheim@host")
    shown = f"{loaded!r} {loaded} {loaded.model_dump()} {loaded.model_dump_json()}"
    assert "geheim" not in shown
    assert SECRET not in shown


def test_it_is_never_changed():
    loaded = given()
    with pytest.raises(ValidationError):
        loaded.domain = "b.example"
    with pytest.raises(ValidationError):
        loaded.limits.max_media = 9


def test_nothing_is_read_before_somebody_loads_it(monkeypatch):
    monkeypatch.setattr(config, "_current", None)
    monkeypatch.setenv("FEDIBLOG__DOMAIN", "a.example")
    with pytest.raises(RuntimeError):
        config.settings()
    loaded = given()
    config.use(loaded)
    assert config.settings() is loaded
