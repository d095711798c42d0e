"""Facts about the machine and the software, to be kept beside every number."""

from __future__ import annotations

import datetime as dt
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np

from .peers import LIBRARIES, find_target, find_version


def find_facts() -> dict[str, Any]:
    """Machine, versions, target in use, date and load."""
    return {
        "cpu": _find_cpu(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "load": find_load(),
        "target": find_target(),
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            **{library: find_version(library) for library in LIBRARIES},
        },
    }


def find_load() -> list[float]:
    """Load average over 1, 5 and 15 minutes; empty where the system has none."""
    return [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else []


def _find_cpu() -> str:
    """Model name with family, model and stepping: virtual machines often hide the name."""
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    fields: dict[str, str] = {}
    for line in text.partition("\n\n")[0].splitlines():
        key, _, value = line.partition(":")
        fields[key.strip()] = value.strip()
    name = fields.get("model name") or platform.machine()
    numbers = [f"{word} {fields[key]}" for word, key in (("family", "cpu family"), ("model", "model")) if key in fields]
    return f"{name} ({', '.join(numbers)})" if numbers else name
