"""Sums a list of numbers, slowly: an example of everything that a handler may do.

    PHOTOSAFE_URL=http://127.0.0.1:3000 PHOTOSAFE_TOKEN=ps_… python3 worker.py
"""

import logging
import os
import sys
import time

from photosafe_worker import PermanentError, TransientError, Worker


def add_up(params, job):
    """Goes on where the last attempt saved; says how far it is; stops within a tenth of a second when told to."""
    numbers, pause_s = params["numbers"], params.get("pause_ms", 0) / 1000
    done, total = job.checkpoint or [0, 0]
    if done:
        logging.info("goes on at %d of %d", done, len(numbers))
    for position in range(done, len(numbers)):
        wait(pause_s, job)
        number = numbers[position]
        if number == "busy" and job.attempt == 1:
            raise TransientError("number_busy", "number %d is in use" % position, retry_after_ms=100)
        if number == "broken":
            raise PermanentError("number_broken", "number %d is none" % position)
        total += 0 if number == "busy" else number
        job.progress(position + 1, len(numbers))
        job.save([position + 1, total])
    return {"sum": total, "by": os.getpid()}


def wait(seconds, job):
    end = time.monotonic() + seconds
    while True:
        job.check()
        left = end - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, 0.1))


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")
    lease_ms = int(os.environ.get("LEASE_MS", "15000"))
    handlers = {("example.add-up", 1): add_up}
    Worker(os.environ["PHOTOSAFE_URL"], os.environ["PHOTOSAFE_TOKEN"], handlers, lease_ms).run()
