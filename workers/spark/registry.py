"""Reads Avro schemas from a registry that speaks Confluent's API."""

import base64
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import NamedTuple

from config import SchemaRegistry
from status import StageError

TIMEOUT_S = 10


class Schema(NamedTuple):
    id: int
    text: str


class RegistryClient:
    """Schemas never change under their id, so each is fetched once."""

    def __init__(self, config: SchemaRegistry, credentials: tuple[str, str] | None, ca: str | None):
        self._config, self._by_id = config, {}
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

    def by_id(self, schema_id: int) -> str | None:
        """The Avro schema with this id; None where the registry has none. Raises StageError when it can't tell."""
        if schema_id not in self._by_id:
            body = self._get(f"/schemas/ids/{schema_id}")
            if body is None or body.get("schemaType", "AVRO") != "AVRO":
                return None
            self._by_id[schema_id] = body["schema"]
        return self._by_id[schema_id]

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
