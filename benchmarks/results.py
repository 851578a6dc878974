"""The results: one JSON file a run, and the tables that are made from it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measures import Measure
from benchmarks.options import Options
from benchmarks.processes import ROOT

FOLDER = ROOT / "benchmarks" / "results"
PAPER = ROOT / "docs" / "explanation" / "performance.md"


def as_json(
    measures: Mapping[str, Measure], options: Options, versions: Mapping[str, object]
) -> dict[str, Any]:
    """All that a run has found."""
    ratios = {
        figure.name: figure.value for measure in measures.values() for figure in measure.figures
    }
    return {
        "date": datetime.now(tz=UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "rounds": options.rounds,
        "scale": options.scale,
        "versions": dict(versions),
        "ratios": ratios,
        "measures": {name: measure.as_json() for name, measure in measures.items()},
    }


def write(content: Mapping[str, Any], folder: Path, name: str = "") -> Path:
    """Write them under the day and `name`, or else the measures; returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{content['date'][:10]}-{name or '-'.join(content['measures'])}.json"
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return file
