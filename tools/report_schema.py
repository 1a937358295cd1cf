"""Write the schema of reports, or say whether the published one is current.

usage: python tools/report_schema.py [--check]

src/unrolled/explain/facts.py -> pydantic -> src/unrolled/explain/report.schema.json -> web/src/facts.ts
"""

from __future__ import annotations

import json
import sys
import typing
from pathlib import Path
from typing import Any

import typing_extensions
from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

typing.TypedDict = typing_extensions.TypedDict  # the one that pydantic reads in 3.11

from unrolled.explain import facts  # noqa: E402 - made with that TypedDict

PUBLISHED = Path(__file__).resolve().parents[1] / "src" / "unrolled" / "explain" / "report.schema.json"


class _WithoutTitles(GenerateJsonSchema):
    """A key needs no title beside its name: a type would be made of each."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return that it should not."""
        return False


def schema() -> dict[str, Any]:
    """Return the schema of a report; keys that it does not name are forbidden."""
    for one in vars(facts).values():
        if typing_extensions.is_typeddict(one):
            one.__pydantic_config__ = ConfigDict(extra="forbid")
    made = TypeAdapter(facts.ReportFacts).json_schema(schema_generator=_WithoutTitles)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def main(arguments: list[str]) -> int:
    """Write the schema; with --check compare it with the one that is there."""
    written = json.dumps(schema(), indent=2) + "\n"
    if arguments != ["--check"]:
        PUBLISHED.write_text(written, encoding="utf-8")
        return 0
    if PUBLISHED.is_file() and PUBLISHED.read_text(encoding="utf-8") == written:
        return 0
    print(f"stale: {PUBLISHED.name}; run python tools/report_schema.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
