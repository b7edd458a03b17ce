"""Requests made up from our own OpenAPI document, the right ones and the wrong ones, by schemathesis.

Whatever is asked, the answer is no 5xx, has a status and a type that are described, and looks as described.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi import checks

Json = dict[str, Any]
Pool = Mapping[str, Sequence[str]]

_CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
_PATIENCE = 30
# Ids of nothing; what is no id at all is among the wrong requests.
_NOBODYS = (
    "0",
    "1",
    "00000000000000000001",
    "8999999999999999999",
    "9223372036854775807",
    "9223372036854775808",
)


class Asker:
    """Somebody who asks a server whatever comes to mind, with one of these tokens each time; "" is none.

    `pool` has ids that are there, by the names of parameters; nearly all ids asked for are of these.
    """

    def __init__(self, url: str, tokens: Sequence[str], pool: Pool, repeatable: bool) -> None:
        self.sent = 0
        self.statuses: dict[int, int] = {}
        self.found: dict[tuple[str, str], str] = {}
        self._url, self._tokens, self._repeatable = url, tokens, repeatable
        self._session = requests.Session()
        self._session.trust_env = False
        document = self._session.get(f"{url}/openapi.json", timeout=_PATIENCE).json()
        schema = schemathesis.openapi.from_dict(_knowing(document, pool))
        operations = [result.ok() for result in schema.get_all_operations()]
        # A stream has no end.
        self._operations = [
            one for one in operations if one.path.rpartition("/streaming")[2] in (one.path, "/health")
        ]

    def ask(self, wanted: int) -> None:
        """Send at least so many requests. What was wrong is in `found` afterwards, each sort of it once.

        Of four, one is wrong on purpose: most of these end early.
        """
        with self._session:
            for turn in count():
                each = max(1, (wanted - self.sent) * 3 // (4 * len(self._operations)))
                for number, operation in enumerate(self._operations):
                    self._ask(operation, GenerationMode.POSITIVE, each, turn)
                    if (number + turn) % 3 == 0:
                        self._ask(operation, GenerationMode.NEGATIVE, each, turn)
                if self.sent >= wanted:
                    break

    def _ask(self, operation: APIOperation, mode: GenerationMode, most: int, turn: int) -> None:
        @seed(turn if self._repeatable else secrets.randbits(64))
        @settings(
            max_examples=most,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), token=st.sampled_from(self._tokens))
        def each(case: Case, token: str) -> None:
            self._send(case, token)

        # Where nothing can be sent, nothing can be wrong with it.
        with suppress(Unsatisfiable):
            each()

    def _send(self, case: Case, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else None
        self.sent += 1
        try:
            answer = case.call(base_url=self._url, session=self._session, headers=headers, timeout=_PATIENCE)
            self.statuses[answer.status_code] = self.statuses.get(answer.status_code, 0) + 1
            case.validate_response(answer, checks=_CHECKS)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                self._note(case, failure.title, f"{failure}\n{case.as_curl_command()}")
        except (Failure, requests.RequestException) as failure:
            self._note(case, type(failure).__name__, f"{failure}\n{case.as_curl_command()}")

    def _note(self, case: Case, title: str, words: str) -> None:
        self.found.setdefault((f"{case.method} {case.path}", title), words)


def _knowing(document: Json, pool: Pool) -> Json:
    """The document for who knows ids that are there, and sends nothing but what is described."""
    for operation in (operation for methods in document["paths"].values() for operation in methods.values()):
        for parameter in operation["parameters"]:
            parameter["schema"] = _known(parameter["schema"], parameter["name"], pool)
        for body in operation.get("requestBody", {}).get("content", {}).values():
            _knowing_form(body["schema"], pool)
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Form"):
            _knowing_form(schema, pool)
    return document


def _knowing_form(schema: Json, pool: Pool) -> None:
    fields = schema["properties"]
    schema["properties"] = {name: _known(value, name, pool) for name, value in fields.items()}
    schema["additionalProperties"] = False


def _known(schema: Json, name: str, pool: Pool) -> Json:
    if schema.get("type") == "array":
        return {**schema, "items": _known(schema["items"], name, pool)}
    there = pool.get(name.replace("[]", "").rpartition("[")[2].rstrip("]"))
    if schema.get("pattern") != "^[0-9]+$" or not there:
        return schema
    return {"type": "string", "enum": [*there, *_NOBODYS]}


def told(found: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """What was found, in paragraphs."""
    for (where, title), words in sorted(found.items()):
        yield f"{where}: {title}\n{words[:1500]}"
