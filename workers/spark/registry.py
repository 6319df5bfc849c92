"""Reads Avro schemas from a registry that speaks Confluent's API."""

import base64
import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Callable, Iterable, NamedTuple

from config import SchemaRegistry
from status import StageError

TIMEOUT_S = 10
#: How long a registry of several pods, each of which reads a log of its own, may take until all know a schema.
PATIENCE_S = 60


class Schema(NamedTuple):
    id: int
    text: str


class Patience:
    """How long each of several things may be missing, from when it was first missed. `clock` gives seconds, never back."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic):
        self._seconds, self._clock, self._since = seconds, clock, {}

    def is_left(self, missing: int) -> bool:
        """Of what was waited for in vain once there is none left: it holds nobody up again."""
        now = self._clock()
        return now - self._since.setdefault(missing, now) < self._seconds


class RegistryClient:
    """Schemas never change under their id, so each is fetched once."""

    def __init__(self, config: SchemaRegistry, credentials: tuple[str, str] | None, ca: str | None):
        self._config, self._patience = config, Patience(PATIENCE_S)
        self._by_id: dict[int, str | None] = {}
        self._headers = {"accept": "application/vnd.schemaregistry.v1+json"}
        if credentials:
            self._headers["authorization"] = "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
        self._tls = ssl.create_default_context(cadata=ca) if config.url.startswith("https") else None

    def latest(self) -> Schema:
        """The newest schema of the subject. Raises StageError, also while there is none."""
        subject = self._config.subject
        body = self._get(f"/subjects/{urllib.parse.quote(subject, safe='')}/versions/latest")
        if body is None:
            raise StageError(
                "SchemaRegistry",
                "SchemaMissing",
                f"subject {subject} has no schema at {self._config.url}: the provision job registers it, see its logs",
            )
        schema = Schema(body["id"], body["schema"])
        self._by_id[schema.id] = schema.text
        return schema

    def by_ids(self, schema_ids: Iterable[int]) -> dict[int, str]:
        """
        Those of the Avro schemas with these ids that there are. Raises StageError when it can't tell: SchemaBehind as
        long as one may only not have come to the pod that was asked.
        """
        missing = [schema_id for schema_id in schema_ids if not self._is_known(schema_id)]
        awaited = [schema_id for schema_id in missing if self._patience.is_left(schema_id)]
        if awaited:
            raise StageError(
                "SchemaRegistry",
                "SchemaBehind",
                f"the schema registry at {self._config.url} doesn't know {', '.join(map(str, sorted(awaited)))}, by which users "
                f"were written: one of its pods lags, or it was set back; after {PATIENCE_S} s they become dead letters",
            )
        return {each: self._by_id[each] for each in schema_ids if self._by_id.get(each) is not None}

    def _is_known(self, schema_id: int) -> bool:
        """Fetches the schema; what isn't Avro is known as None."""
        if schema_id not in self._by_id and (body := self._get(f"/schemas/ids/{schema_id}")) is not None:
            self._by_id[schema_id] = body["schema"] if body.get("schemaType", "AVRO") == "AVRO" else None
        return schema_id in self._by_id

    def _get(self, path: str) -> dict | None:
        request = urllib.request.Request(self._config.url.rstrip("/") + path, headers=self._headers)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self._tls) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code == 404 and _is_the_registry_s(error.read()):
                return None
            raise self._fault(error.code, f"answered {error.code}") from error
        except (OSError, ValueError) as error:
            raise self._fault(None, str(error)) from error

    def _fault(self, code: int | None, said: str) -> StageError:
        reason, advice = "SchemaRegistryUnreachable", "check that it is up and can be reached from this pod"
        if code in (401, 403):
            reason, advice = "SchemaRegistryAccessDenied", "check its credentials"
        elif code is not None:
            reason, advice = "SchemaRegistryError", "see its logs and check that the url is the API's root"
        return StageError("SchemaRegistry", reason, f"the schema registry at {self._config.url}: {said}; {advice}")


def _is_the_registry_s(body: bytes) -> bool:
    """Tells the registry's own "not found" from that of a proxy or of a wrong url: it carries the API's error code."""
    try:
        return str(json.loads(body)["error_code"]).startswith("404")
    except (ValueError, KeyError, TypeError):
        return False
