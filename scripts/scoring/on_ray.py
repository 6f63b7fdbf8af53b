"""The same on a cluster: Ray Data's map_batches over a pool of actors, one part at a time each."""

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from scripts.cli.errors import ProjectError
from scripts.cli.words import count
from scripts.scoring.model import Model
from scripts.scoring.parts import Job, score_part

# Parts that a worker scores before a new one takes its place, so that memory stays flat for days.
PARTS_PER_WORKER = 50
# The code of this project goes to the workers from here, wherever they run.
ROOT = Path(__file__).parents[2]


class Worker:
    """An actor. It loads the model itself: one that came through Ray's store would have arrays
    that cannot be written to."""

    def __init__(
        self, jobs: Sequence[Job], name: str, fingerprint: str, threads: int, batch_size: int
    ) -> None:
        self.jobs = jobs
        # Errors travel as rows: Ray would try again, and wrap them into its own.
        self.error: ProjectError | None = None
        try:
            self.model = Model(name, threads, batch_size)
            if self.model.fingerprint != fingerprint:
                raise ProjectError(
                    f"A worker has another {name} than the machine where this was started.",
                    "Install the same package on all, or use a folder that all of them share.",
                )
        except ProjectError as err:
            self.error = err

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[Any]]:
        (number,) = batch["number"]
        job = self.jobs[number]
        try:
            if self.error:
                raise self.error
            # By a worker that was thought lost, or before this one was restarted.
            if not job.target.exists():
                score_part(job, self.model)
        except ProjectError as err:
            return {"rows": [0], "pid": [os.getpid()], "error": [err.title], "hint": [err.hint]}
        return {"rows": [job.rows], "pid": [os.getpid()], "error": [""], "hint": [""]}


@contextmanager
def cluster() -> Iterator[list[int]]:
    """The cluster of RAY_ADDRESS, or one that runs on this machine, or else a new one on it. GIVES:
    the CPUs of each of its machines.

    RAISES (ProjectError): Ray is not installed, no cluster answers, or it fails.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # A thread of Ray Data that is late would else connect again by itself, after the end.
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    try:
        import ray
        import ray.data
    except ImportError:
        raise ProjectError(
            "Ray is not installed.", "Install it: pip install -r requirements-ray.txt"
        ) from None
    ours = not ray.is_initialized()
    if ours:
        try:
            ray.init(
                runtime_env={
                    "py_modules": [str(ROOT / name) for name in ("scripts", "components")]
                },
                logging_level=logging.WARNING,
                log_to_driver=False,
                include_dashboard=False,
            )
        except (ConnectionError, RuntimeError, ValueError) as err:
            raise ProjectError("No Ray cluster answers.", str(err).strip()[-500:]) from None
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    try:
        yield [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
    except ray.exceptions.RayError as err:
        raise ProjectError(
            "Ray failed. What was scored is kept: run the same command again to go on.",
            str(err).strip()[-2000:],
        ) from None
    finally:
        if ours:
            ray.shutdown()


def score_on_ray(
    jobs: Sequence[Job], model: Model, workers: int, parts_per_worker: int = PARTS_PER_WORKER
) -> Iterator[tuple[int, int]]:
    """Score parts on the cluster. Ray Data keeps an actor for the whole of a run, so a run has no
    more parts than its actors may score, and the next one has new actors.

    model: Each worker loads it by its name, and takes as many CPUs as it has threads.
    YIELDS: As each part is done, its rows and the process that did it.
    RAISES (ProjectError): What a worker raised. Parts that are done stay.
    """
    import ray.data

    name = str(model.folder.absolute()) if model.name == str(model.folder) else model.name
    size = workers * parts_per_worker
    for first in range(0, len(jobs), size):
        some = [_anywhere(job) for job in jobs[first : first + size]]
        numbers = [{"number": number} for number in range(len(some))]
        # A block for each part, and one at a time for each actor: a long one keeps none waiting.
        done = ray.data.from_items(numbers, override_num_blocks=len(numbers)).map_batches(
            Worker,
            batch_size=1,
            num_cpus=model.cpus,
            compute=ray.data.ActorPoolStrategy(
                size=min(workers, len(some)), max_tasks_in_flight_per_actor=1
            ),
            fn_constructor_args=(some, name, model.fingerprint, model.cpus, model.batch_size),
        )
        # Nothing is fetched ahead: the thread that does it outlives an error, and the cluster.
        for batch in done.iter_batches(batch_size=1, prefetch_batches=0):
            rows, pid, error, hint = (batch[key].item() for key in ("rows", "pid", "error", "hint"))
            if error:
                raise ProjectError(error, hint)
            yield rows, pid


def _anywhere(job: Job) -> Job:
    """With paths that hold in whatever folder a worker runs."""
    source = replace(job.source, path=job.source.path.absolute())
    return replace(job, source=source, target=job.target.absolute())


def room_for(cpus: Sequence[int], threads: int, asked: int) -> int:
    """How many workers fit: no more than asked, where that is not 0.

    cpus: Of each machine. threads: CPUs of a worker, which are on one machine.
    RAISES (ProjectError): None does; Ray would wait for a larger machine forever.
    """
    most = sum(n // threads for n in cpus)
    if not most:
        raise ProjectError(
            f"A worker takes {count(threads, 'CPU')}; the largest machine of the cluster has "
            f"{max(cpus, default=0)}.",
            "Give the workers fewer: --threads",
        )
    return min(asked or most, most)
