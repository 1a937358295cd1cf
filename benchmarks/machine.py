"""Facts about the machine, the versions and the source, and the peak of its multiply-adds."""

from __future__ import annotations

import functools
import os
import platform
import shutil
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "benchmarks"
SOURCE = Path(__file__).parent / "peak.cpp"
ISAS = ("avx512", "avx2", "baseline")
"""The instruction sets of our kernels, best first."""

PACKAGES = ("unrolled", "numpy", "torch", "jax")
MEASURED = ("core", "src", "benchmarks/*.py", "benchmarks/peak.cpp", "CMakeLists.txt", "pyproject.toml")
"""What a result depends on, as git names paths."""

BUILDS = {
    "avx512": ("-DUNROLLED_BYTES=64", "-DUNROLLED_SUMS=24", "-mavx512f", "-mfma"),
    "avx2": ("-DUNROLLED_BYTES=32", "-DUNROLLED_SUMS=12", "-mavx2", "-mfma"),
    "baseline": ("-DUNROLLED_BYTES=16", "-DUNROLLED_SUMS=12"),
}
"""How the peak of each instruction set is compiled: bytes of a register, sums, the flags of the core."""

HELD = {
    "avx512": {},
    "avx2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    },
    "baseline": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    },
}
"""What holds the libraries of PyTorch to an instruction set, or to the nearest that they have."""


def facts() -> dict[str, Any]:
    """Return what a reader must know to judge a figure."""
    from unrolled.engine import isa

    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "machine": names[0] if names else platform.processor() or platform.machine(),
        "processors": os.cpu_count(),
        "isa": isa(),
        "system": platform.platform(terse=True),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "revision": _git("rev-parse", "HEAD") or "unknown",
        "changed": bool(_git("status", "--porcelain", "--", *MEASURED)),
        "date": datetime.now(UTC).date().isoformat(),
    }


def peak_gflops(isa: str, threads: int) -> float | None:
    """Measure the multiply-adds of so many threads together in registers alone; None without a compiler."""
    program = _program(isa)
    if program is None:
        return None
    done = subprocess.run([program, str(threads)], capture_output=True, text=True, check=True)
    return float(done.stdout)


@functools.cache
def _program(isa: str) -> Path | None:
    """Compile the program of one instruction set, where that has not been done since its source changed."""
    compiler = os.environ.get("CXX") or next(filter(shutil.which, ("g++", "clang++", "c++")), None)
    if compiler is None:
        return None
    program = BUILD / f"peak-{isa}"
    if not program.exists() or program.stat().st_mtime < SOURCE.stat().st_mtime:
        BUILD.mkdir(parents=True, exist_ok=True)
        command = [*compiler.split(), "-O3", "-std=gnu++17", "-pthread", *BUILDS[isa], str(SOURCE)]
        subprocess.run([*command, "-o", str(program)], check=True)
    return program


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
