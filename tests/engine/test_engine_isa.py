"""Every instruction set of this machine computes the same equations; any other name is an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from unrolled.engine import available_isas, isa

ROOT = Path(__file__).parents[2]
MODULES = ("parity", "laws", "losses", "activations", "exponential", "connections")
# Arithmetic at shapes that leave rests everywhere, and bits that must be equal.
CHOSEN = (
    "(test_outputs_states_and_gradients and (H7- or H17- or H33-)) or test_long_sequences"
    " or masks_of_the_counter or test_accuracy or test_relu or infinit or nan or bit_for_bit"
    " or test_huge or test_a_normaliser or (test_the_core_computes and (both or skip)) or test_a_dilated"
    " or test_permuted or (test_values_and_gradients and 15)"
)


def run(name: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python with an instruction set forced."""
    environment = {key: value for key, value in os.environ.items() if key != "UNROLLED_ISA"}
    if name is not None:
        environment["UNROLLED_ISA"] = name
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


ASK = "from unrolled.engine import isa; print(isa())"


def test_the_best_runs_unless_one_is_asked_for() -> None:
    assert available_isas()[-1] == "baseline"
    assert isa() == os.environ.get("UNROLLED_ISA", available_isas()[0])
    for unset in (None, ""):
        assert run(unset, "-c", ASK).stdout == f"{available_isas()[0]}\n"


@pytest.mark.parametrize("name", available_isas())
def test_every_instruction_set_computes_the_equations(name: str) -> None:
    """The tests of arithmetic pass with it; those of the set in force are part of this very run."""
    assert run(name, "-c", ASK).stdout == f"{name}\n"
    if name != isa():
        modules = [f"tests/engine/test_engine_{module}.py" for module in MODULES]
        done = run(name, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", CHOSEN, *modules)
        assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.parametrize("name", ["nope", "AVX2", "avx2 ", "baseline,avx2"])
@pytest.mark.parametrize(
    "call", ["isa()", "Engine('lstm', input_size=1, hidden_size=1)"], ids=["ask", "network"]
)
def test_a_name_that_is_none_is_an_error_that_knows_the_names(name: str, call: str) -> None:
    code = f"""if True:
        from unrolled.engine import Engine, available_isas, isa
        assert len(available_isas()) == {len(available_isas())}
        for _ in range(2):
            try:
                {call}
            except ValueError as error:
                print(error)
    """
    done = run(name, "-c", code)
    assert done.returncode == 0, done.stderr
    message = (
        "UNROLLED_ISA names an instruction set that this machine or this build does not have.\n"
        f"  expected: one of {', '.join(available_isas())}\n"
        f"  got: {name}\n"
        "  try: unset UNROLLED_ISA\n"
    )
    assert done.stdout == 2 * message
