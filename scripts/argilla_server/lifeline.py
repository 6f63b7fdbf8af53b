"""Ends a process when the one that started it is gone, even by `kill -9`."""

import os
import signal
import threading
import time

GRACE_SECONDS = 8


def watch(pipe: int) -> None:
    """Watch, in a thread, the reading end of a pipe whose writing end the parent holds.

    Nothing is ever written to it: the end of the file means that the parent has ended.
    """

    def wait_for_end() -> None:
        while os.read(pipe, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        os._exit(1)

    threading.Thread(target=wait_for_end, daemon=True, name="lifeline").start()
