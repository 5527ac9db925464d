"""Names the machine, so that a number can be weighed."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def describe() -> str:
    cores, python = os.cpu_count(), platform.python_version()
    return f"{processor()}, {cores} cores, {memory_gib():.0f} GiB, Python {python}"


def processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def memory_gib() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
