"""Argilla's background jobs (webhooks, status updates); one of the processes `serve.py` keeps."""

import sys
import time
from pathlib import Path

from scripts.argilla_server.files import READY
from scripts.argilla_server.lifeline import watch
from scripts.argilla_server.server_app import import_app


def main() -> None:
    watch(int(sys.argv[1]))
    # The database may be in the middle of a migration. Besides, people wait for the page and not
    # for this: it imports as much, and had better do so later.
    while not Path(READY).exists():
        time.sleep(0.1)
    import_app()  # jobs need our search engine as well
    from argilla_server.jobs.queues import DEFAULT_QUEUE, HIGH_QUEUE, REDIS_CONNECTION
    from rq import Worker

    worker = Worker([HIGH_QUEUE, DEFAULT_QUEUE], connection=REDIS_CONNECTION)
    # The scheduler is what sends a webhook again that was not received.
    worker.work(with_scheduler=True, logging_level="WARNING")


if __name__ == "__main__":
    main()
