"""Argilla's background jobs (webhooks, status updates); one of the processes `serve.py` keeps."""

import logging
import sys

from argilla_server.jobs.queues import DEFAULT_QUEUE, HIGH_QUEUE, REDIS_CONNECTION
from rq import Worker

from scripts.argilla_server import engine
from scripts.argilla_server.lifeline import watch


def main() -> None:
    watch(int(sys.argv[1]))
    # Jobs look the search engine up by its name: that is why it has to be imported here.
    logging.getLogger("rq").info("search engine: %s", engine.ENGINE)
    worker = Worker([HIGH_QUEUE, DEFAULT_QUEUE], connection=REDIS_CONNECTION)
    # The scheduler is what sends a webhook again that was not received.
    worker.work(with_scheduler=True, logging_level="WARNING")


if __name__ == "__main__":
    main()
