"""All parts of a plan that are waiting, here or on a cluster, with a progress bar."""

from pathlib import Path

from tqdm import tqdm

from scripts.scoring.model import Model
from scripts.scoring.on_ray import cluster, room_for, score_on_ray
from scripts.scoring.parts import score_part
from scripts.scoring.plan import Plan, Totals, count_all, held, make_plan
from scripts.scoring.settings import Settings


def score_files(
    asked: str,
    output: Path,
    model: Model,
    settings: Settings,
    on_ray: bool = False,
    workers: int = 0,
) -> tuple[Plan, Totals]:
    """Score what is not scored yet. On a terminal, a bar shows rows a second and the time left.

    asked: A file, a folder or a pattern. workers: On Ray; 0 for as many as there are CPUs.
    RETURNS: What there was to do, and what all files hold now.
    RAISES (ProjectError): See `make_plan`, `score_part` and `on_ray`. Parts that are done stay.
    """
    with held(output):
        plan = make_plan(asked, output, model, settings)
        rows, left = (sum(job.rows for job in jobs) for jobs in (plan.jobs, plan.waiting))
        with tqdm(
            total=rows, initial=rows - left, unit="rows", unit_scale=True, disable=None
        ) as bar:
            if on_ray and plan.waiting:
                with cluster() as cpus:
                    room = room_for(cpus, model.cpus, workers)
                    for done, _ in score_on_ray(plan.waiting, model, room):
                        bar.update(done)
            else:
                for job in plan.waiting:
                    score_part(job, model, bar.update)
        return plan, count_all(plan)
