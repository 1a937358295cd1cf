"""Threads: the same bits for any number of them; Python goes on; errors come back; forks and crowds work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.engine.helpers import (
    HEADS,
    Head,
    Shape,
    arrays_of,
    draw,
    every_cell,
    every_dtype,
    gradients_as_dict,
    same_bits,
)
from tests.engine.windows import Task, learning_for, make_task
from unrolled.engine import CELLS, OPTIMIZERS, Engine, Learning, Table, Trainer, Windowing

if TYPE_CHECKING:
    from collections.abc import Callable

    from unrolled.engine import Array

COUNTS = (2, 3, 7)
# At least 7 chunks of rows (core/chunks.hpp), and work for 7 threads (half a million multiply-adds each).
LARGE = Shape(hidden=40, batch=230, steps=4, inputs=5, layers=2)
TASKS = Path("/proc/self/task")


def learning_task(cell: str = "lstm", **others: object) -> Task:
    """Return a task whose batches are cut into 8 chunks."""
    options: dict[str, object] = {"learning": learning_for("mse", "adam"), "dropout": 0.3, **others}
    return make_task(cell, **{"hidden": 40, "count": 460, "batch": 230, "dtype": "float32", **options})  # type: ignore[arg-type]


@every_cell
@every_dtype
@pytest.mark.parametrize("head", HEADS)
def test_passes_have_the_same_bits_for_any_number_of_threads(cell: str, head: Head, dtype: str) -> None:
    drawn = draw(cell, LARGE, head=head, dtype=dtype, dropout=0.2)
    for train in (False, True):
        options = {"train": train, "seed": 5}
        output, last = drawn.engine.forward(drawn.x, drawn.state, **options)  # type: ignore[arg-type]
        alone = gradients_as_dict(
            drawn.engine.backward(drawn.x, drawn.d_out, drawn.state, drawn.d_state, **options)  # type: ignore[arg-type]
        )
        for threads in COUNTS:
            many, many_last = drawn.engine.forward(drawn.x, drawn.state, threads=threads, **options)  # type: ignore[arg-type]
            same_bits(many, output)
            for got, want in zip(arrays_of(many_last), arrays_of(last), strict=True):
                same_bits(got, want)
            gradients = drawn.engine.backward(
                drawn.x,
                drawn.d_out,
                drawn.state,
                drawn.d_state,
                threads=threads,
                **options,  # type: ignore[arg-type]
            )
            for name, array in gradients_as_dict(gradients).items():
                same_bits(array, alone[name], name)


def trained(task: Task, threads: int) -> tuple[Array, Array, Array, Array]:
    """Train, and return losses, parameters, evaluations and forecasts."""
    engine = task.engine()
    trainer = task.trainer(engine, threads=threads)
    losses = trainer.run(task.series, task.starts, task.batch, task.rates)
    evaluations = trainer.evaluate(task.series, task.starts)
    forecasts = task.forecast(engine, threads=threads)
    return losses, engine.read(), evaluations, forecasts


@every_cell
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_has_the_same_bits_for_any_number_of_threads(cell: str, optimizer: str) -> None:
    task = learning_task(cell, learning=learning_for("mae", optimizer))
    alone = trained(task, 1)
    assert np.isfinite(alone[1]).all()
    for threads in (1, *COUNTS):
        for got, want in zip(trained(task, threads), alone, strict=True):
            same_bits(got, want)


def test_another_seed_is_another_training_only_with_dropout() -> None:
    for dropout in (0.0, 0.3):
        results = [trained(learning_task(dropout=dropout, seed=4), 1)[1]]
        task = learning_task(dropout=dropout, seed=4)
        engine = task.engine()  # the same parameters, and masks of another seed
        trainer = replace(task, seed=5).trainer(engine)
        trainer.run(task.series, task.starts, task.batch, task.rates)
        assert np.array_equal(engine.read(), results[0]) == (dropout == 0.0)


def test_threads_really_run() -> None:
    drawn = draw("lstm", LARGE, dtype="float32")
    drawn.engine.forward(drawn.x, threads=7)
    if TASKS.exists():
        assert len(list(TASKS.iterdir())) >= 7


def test_no_thread_is_left_spinning() -> None:
    drawn = draw("lstm", LARGE, dtype="float32")
    drawn.engine.forward(drawn.x, threads=4)
    time.sleep(0.2)
    before = time.process_time()  # of all threads of the process
    time.sleep(0.5)
    assert time.process_time() - before < 0.05


def test_more_threads_than_rows_or_processors() -> None:
    drawn = draw("gru", LARGE._replace(batch=64, steps=40), dtype="float32")
    same_bits(drawn.engine.forward(drawn.x, threads=1024)[0], drawn.engine.forward(drawn.x)[0])


def busy() -> tuple[Engine, Trainer, Callable[[], Array]]:
    """Return an engine, its trainer, and a training that takes a while."""
    engine = Engine("lstm", input_size=1, hidden_size=64, output_size=1)
    values = np.sin(np.arange(300.0, dtype=np.float32))[:, np.newaxis]
    trainer = Trainer(
        engine,
        Table(values, np.array([0, 300])),
        windowing=Windowing(window=100, horizon=1),
        learning=Learning(),
    )
    starts = np.zeros(1500, np.int64)
    return engine, trainer, lambda: trainer.run(starts, starts, 1, np.full(starts.size, 1e-3))


def assert_python_goes_on(work: Callable[[], object], meanwhile: Callable[[], object] | None = None) -> None:
    """Run `work` in a thread, and `meanwhile` in another; this one must beat all the time."""
    beats: list[float] = []
    worker = threading.Thread(target=work)
    began = time.perf_counter()
    worker.start()
    time.sleep(0.01)
    other = threading.Thread(target=meanwhile)
    other.start()
    while worker.is_alive():
        time.sleep(0.002)
        beats.append(time.perf_counter() - began)
    other.join()
    took = time.perf_counter() - began
    assert took > 0.05, "the work was too short to tell"
    assert sum(beat < 0.9 * took for beat in beats) > 5


def test_python_goes_on_while_the_core_computes() -> None:
    assert_python_goes_on(busy()[2])
    drawn = draw("lstm", Shape(hidden=128, batch=64, steps=1200, inputs=1), dtype="float32")
    assert_python_goes_on(lambda: [drawn.engine.forward(drawn.x) for _ in range(2)])
    assert_python_goes_on(lambda: drawn.engine.backward(drawn.x, drawn.d_out))


@pytest.mark.parametrize("ask", ["read", "write", "gradients", "gradient_norm"])
def test_whoever_waits_for_an_engine_does_not_hold_python_up(ask: str) -> None:
    """To read parameters while they are trained may take until then, but other threads of Python go on."""
    engine, trainer, work = busy()
    flat = engine.read()
    calls: dict[str, Callable[[], object]] = {
        "read": engine.read,
        "write": lambda: engine.write(flat),
        "gradients": trainer.gradients,
        "gradient_norm": lambda: trainer.gradient_norm,
    }
    assert_python_goes_on(work, calls[ask])


def test_many_python_threads_with_engines_of_their_own() -> None:
    cells = [*CELLS] * 2
    drawn = [draw(cell, LARGE, dtype="float32", seed=n) for n, cell in enumerate(cells)]
    expected = [
        (each.engine.forward(each.x)[0], gradients_as_dict(each.engine.backward(each.x, each.d_out)))
        for each in drawn
    ]
    task = learning_task()
    expected_training = trained(task, 1)

    def work(n: int) -> None:
        each, (output, gradients) = drawn[n], expected[n]
        for threads in (3, 1, 2):
            same_bits(each.engine.forward(each.x, threads=threads)[0], output)
            found = gradients_as_dict(each.engine.backward(each.x, each.d_out, threads=threads))
            for name, array in found.items():
                same_bits(array, gradients[name], name)
        if n % 4 == 0:
            for got, want in zip(trained(task, 3), expected_training, strict=True):
                same_bits(got, want)

    with ThreadPoolExecutor(len(cells)) as pool:
        list(pool.map(work, range(len(cells))))


def test_one_engine_used_by_many_threads() -> None:
    drawn = draw("lstm", LARGE, dtype="float32")
    engine = drawn.engine
    output = engine.forward(drawn.x)[0]
    gradients = gradients_as_dict(engine.backward(drawn.x, drawn.d_out))
    flat = engine.read()

    def work(n: int) -> None:
        for turn in range(4):
            if (n + turn) % 4 == 0:
                same_bits(engine.read(), flat)
            elif (n + turn) % 4 == 1:
                engine.write(flat)
            elif (n + turn) % 4 == 2:
                same_bits(engine.forward(drawn.x, threads=2)[0], output)
            else:
                found = gradients_as_dict(engine.backward(drawn.x, drawn.d_out, threads=2))
                for name, array in found.items():
                    same_bits(array, gradients[name], name)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(12)))


def test_one_trainer_used_by_two_threads_takes_every_step_once() -> None:
    task = learning_task(learning=Learning(), dropout=0.0, count=230)
    engine, reference = task.engine(), task.engine()
    trainer, alone = task.trainer(engine, threads=2), task.trainer(reference)
    with ThreadPoolExecutor(2) as pool:
        for done in [
            pool.submit(trainer.run, task.series, task.starts, task.batch, task.rates[:1]) for _ in range(6)
        ]:
            done.result()
    for _ in range(6):
        alone.run(task.series, task.starts, task.batch, task.rates[:1])
    same_bits(engine.read(), reference.read())


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("at_work", [False, True], ids=["idle", "at work"])
def test_a_fork_computes_what_its_parent_computes(threads: int, at_work: bool) -> None:
    """Also where the pool of the parent is at work in another thread at that moment."""
    if not hasattr(os, "fork"):
        return
    drawn = draw("gru", LARGE, dtype="float32")
    expected = drawn.engine.forward(drawn.x, threads=3)[0].tobytes()
    other = draw("lstm", LARGE._replace(steps=100), dtype="float32")
    enough = threading.Event()

    def work() -> None:
        while not enough.is_set():
            other.engine.forward(other.x, threads=2)

    worker = threading.Thread(target=work)
    if at_work:
        worker.start()
        time.sleep(0.01)
    receiving, sending = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 on: forking beside threads
        child = os.fork()
    if child == 0:
        try:
            signal.alarm(20)
            answers = [drawn.engine.forward(drawn.x, threads=threads)[0].tobytes() for _ in range(2)]
            os.write(sending, b"same" if answers == [expected, expected] else b"other")
        finally:
            os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, "rb") as stream:
        answer = stream.read()
    enough.set()
    if at_work:
        worker.join()
    assert answer == b"same"
    assert os.waitpid(child, 0)[1] == 0
    assert drawn.engine.forward(drawn.x, threads=3)[0].tobytes() == expected


NO_MORE_THREADS = """
from pathlib import Path
from resource import RLIMIT_AS, setrlimit

from tests.engine.helpers import Shape, draw

drawn = draw("lstm", Shape(hidden=40, batch=230, steps=4, inputs=5), dtype="float32")
alone = drawn.engine.forward(drawn.x)[0]
used = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
setrlimit(RLIMIT_AS, (used + (20 << 20), used + (20 << 20)))  # room for two stacks of 8 MB at most
for _ in range(3):
    assert (drawn.engine.forward(drawn.x, threads=7)[0] == alone).all()
assert len(list(Path("/proc/self/task").iterdir())) < 7
print("survived")
"""


def test_where_the_system_gives_no_more_threads_fewer_do_the_work() -> None:
    if not TASKS.exists():
        return
    root = Path(__file__).parents[2]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", NO_MORE_THREADS],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "survived\n", (done.returncode, done.stderr[-2000:])


OUT_OF_MEMORY = """
import sys
from pathlib import Path
from resource import RLIMIT_AS, setrlimit

import numpy as np
import pytest
from unrolled.engine import Engine, Learning, Table, Trainer, Windowing

steps, windows = 200_000, np.zeros(64, np.int64)
values, offsets = np.zeros((steps + 1, 1), np.float32), np.array([0, steps + 1])
engine = Engine("rnn", input_size=1, hidden_size=300, output_size=1)
table = Table(values, offsets)
trainer = Trainer(engine, table, windowing=Windowing(steps, 1), learning=Learning(), threads=4)
calls = {
    "network": lambda: Engine("lstm", input_size=1, hidden_size=20_000),
    "forward": lambda: engine.forward(np.zeros((steps, 32, 1), np.float32), threads=4),
    "backward": lambda: engine.backward(np.zeros((steps, 32, 1), np.float32), np.zeros((32, 1)), threads=4),
    "forecast": lambda: engine.forecast(
        table, windows, windows, windowing=Windowing(steps, 1), threads=4
    ),
    "run": lambda: trainer.run(windows, windows, 64, np.zeros(1)),
    "evaluate": lambda: trainer.evaluate(windows, windows),
}
small = engine.forward(np.ones((3, 2, 1)), threads=4)[0]
used = int(Path("/proc/self/statm").read_text().split()[0]) * 4096
setrlimit(RLIMIT_AS, (used + (1 << 29), used + (1 << 29)))
for _ in range(3):
    with pytest.raises(MemoryError, match="bad_alloc"):
        calls[sys.argv[1]]()
assert (engine.forward(np.ones((3, 2, 1)), threads=4)[0] == small).all()
short = engine.forecast(table, windows, windows, windowing=Windowing(5, 1), threads=4)
assert short.outputs.shape == (64, 1, 1, 1)
print("survived")
"""


@pytest.mark.parametrize("call", ["network", "forward", "backward", "forecast", "run", "evaluate"])
def test_too_little_memory_is_an_error_again_and_again(call: str) -> None:
    """The error rises in a thread of the pool, reaches Python, and leaves all fit for the next call."""
    if not TASKS.exists():
        return
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_MEMORY, call], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "survived\n", (done.returncode, done.stderr[-2000:])
