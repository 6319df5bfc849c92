"""Log lines as the other workers write them: one JSON object a line."""

import json
from datetime import UTC, datetime
from typing import Any, Callable, TextIO

from config import Pipeline


class Log:
    """Writes to `out`; every line names the pipeline that the job works for."""

    def __init__(self, pipeline: Pipeline, out: TextIO, clock: Callable[[], datetime] = lambda: datetime.now(UTC)):
        self._out, self._clock = out, clock
        self._base = {"worker": "spark", "namespace": pipeline.namespace, "pipeline": pipeline.name}

    def info(self, message: str, **fields: Any) -> None:
        self._line("info", message, fields)

    def warn(self, message: str, **fields: Any) -> None:
        self._line("warn", message, fields)

    def _line(self, level: str, message: str, fields: dict[str, Any]) -> None:
        moment = self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = {"level": level, "time": moment, **self._base, **fields, "msg": message}
        print(json.dumps(line), file=self._out, flush=True)
