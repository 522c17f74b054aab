"""A client for PhotoSafe's external workers. Python 3.9 or later, standard library only.

    worker = Worker(url, token, {("raster.slope", 1): slope})
    worker.run()          # until SIGTERM or Ctrl-C

A handler is a function of the task's params and a `Job`; what it returns is the task's result. It raises
`TransientError` for what may work later, `PermanentError` for what never will, and lets `Stopped` pass, which
`job.check()` raises when it must stop: the task was cancelled, was lost, or the worker is being shut down.
"""

import http.client
import json
import logging
import os
import signal
import socket
import threading
import time
import urllib.error
import urllib.request

log = logging.getLogger("photosafe")


class Stopped(Exception):
    """The handler must stop: nothing that it still does will count."""


class TransientError(Exception):
    """Try again later, not before `retry_after_ms` when that is given."""

    def __init__(self, code, message, retry_after_ms=None):
        super().__init__(message)
        self.code, self.retry_after_ms = code, retry_after_ms


class PermanentError(Exception):
    """Trying again is useless."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Refused(Exception):
    """An answer with a status of 400 or more; `problem` is its RFC 9457 document."""

    def __init__(self, status, problem):
        super().__init__("%s %s: %s" % (status, problem.get("code"), problem.get("detail")))
        self.status, self.problem = status, problem


class Api:
    """POSTs JSON. What fails for want of a server is tried again: every call may be repeated without harm."""

    def __init__(self, url, token):
        self.url = url.rstrip("/") + "/api"
        self.headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}

    def post(self, path, body, timeout=30, patience_s=60):
        give_up_at, pause = time.monotonic() + patience_s, 0.2
        while True:
            try:
                return self._once(path, body, timeout)
            except Refused as refusal:
                if refusal.status != 503 or time.monotonic() > give_up_at:
                    raise
            except (OSError, http.client.HTTPException):
                if time.monotonic() > give_up_at:
                    raise
            time.sleep(pause)
            pause = min(5.0, pause * 2)

    def _once(self, path, body, timeout):
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=self.headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                try:
                    problem = json.load(error)
                except ValueError:
                    problem = {"code": "http_%d" % error.code, "detail": error.reason}
            raise Refused(error.code, problem) from None


class Job:
    """One attempt, as its handler sees it. A thread of its own keeps its lease and carries what it reports."""

    def __init__(self, api, attempt, lease_s):
        self.api, self.attempt_id, self.task_id = api, attempt["attempt_id"], attempt["task_id"]
        self.params, self.checkpoint = attempt["params"], attempt["checkpoint"]
        self.attempt, self.max_attempts = attempt["attempt"], attempt["max_attempts"]
        self.why = None  # cancelled, lost or shutdown, once the handler must stop
        self._lease_s, self._ours_until = lease_s, time.monotonic() + lease_s
        self._report, self._reporting, self._sending = {}, threading.Lock(), threading.Lock()
        self._over = threading.Event()
        self._beats = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self):
        self._beats.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._beats.join()

    def progress(self, processed, total=None):
        """Cheap: goes out with the next heartbeat."""
        with self._reporting:
            self._report["processed"] = processed
            if total is not None:
                self._report["total"] = total

    def save(self, checkpoint):
        """Saves what the next attempt needs to go on from here. Durable when it returns."""
        with self._reporting:
            self._report["checkpoint"] = checkpoint
        self._send()
        self.check()

    def check(self):
        """To be called often: raises `Stopped` when the handler must stop."""
        if time.monotonic() > self._ours_until:
            self.stop("lost")  # others may have the task by now
        if self.why:
            raise Stopped(self.why)

    def stop(self, why):
        self.why = self.why or why

    def call(self, verb, body, **how):
        return self.api.post("/external/attempts/%s/%s" % (self.attempt_id, verb), body, **how)

    def _beat(self):
        while not self._over.wait(self._lease_s / 3):
            try:
                self._send()
            except Exception as error:
                log.warning("task %s: no heartbeat: %s", self.task_id, error)

    def _send(self):
        with self._sending:
            with self._reporting:
                report, self._report = self._report, {}
            asked = time.monotonic()
            try:
                answer = self.call("heartbeat", report, timeout=max(1, self._lease_s / 3), patience_s=self._lease_s / 2)
            except Exception as error:
                with self._reporting:
                    self._report = {**report, **self._report}
                if isinstance(error, Refused) and error.problem.get("code") in ("lease_lost", "attempt_not_found"):
                    self.stop("lost")
                    return
                raise
            self._ours_until = asked + self._lease_s
            if answer["cancel_requested"]:
                self.stop("cancelled")


class Worker:
    """Claims one task after the other. Start as many processes as should work at once."""

    def __init__(self, url, token, handlers, lease_ms=15_000, name=None):
        self.api, self.handlers, self.lease_ms = Api(url, token), handlers, lease_ms
        self.name = name or "%s:%d" % (socket.gethostname(), os.getpid())
        versions = {}
        for type_name, version in handlers:
            versions.setdefault(type_name, []).append(version)
        self.types = [{"name": each, "versions": sorted(known)} for each, known in versions.items()]
        self.closing, self.job = False, None

    def run(self):
        """Works until SIGTERM or SIGINT, which give the present task back with its last checkpoint."""
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: self.close())
        log.info("worker %s is ready", self.name)
        while not self.closing:
            try:
                attempts = self._claim()
            except (Refused, OSError, http.client.HTTPException) as error:
                log.warning("no claim, trying again: %s", error)
                time.sleep(1)
                continue
            for attempt in attempts:
                self._work(attempt)
        log.info("worker %s has stopped", self.name)

    def close(self):
        """Called by a signal, which may come at any point: takes no lock."""
        self.closing = True
        if self.job:
            self.job.stop("shutdown")

    def _claim(self):
        """In a thread, so that a signal ends the wait at once: what is claimed for one who has hung up goes back."""
        outcome = {"answer": {"attempts": []}}

        def ask():
            body = {"types": self.types, "lease_ms": self.lease_ms, "wait_ms": 20_000, "worker": self.name}
            try:
                outcome["answer"] = self.api.post("/external/claim", body, patience_s=0)
            except Exception as error:
                outcome["error"] = error

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        while thread.is_alive() and not self.closing:
            thread.join(0.1)
        if "error" in outcome:
            raise outcome["error"]
        return outcome["answer"]["attempts"]

    def _work(self, attempt):
        handler = self.handlers[(attempt["type"], attempt["version"])]
        with Job(self.api, attempt, self.lease_ms / 1000) as job:
            self.job = job
            if self.closing:
                job.stop("shutdown")
            log.info("task %s: attempt %d of %d", job.task_id, job.attempt, job.max_attempts)
            verb, body = self._attempt(handler, job)
            self.job = None
            if job.why == "lost":
                log.info("task %s: lost", job.task_id)
                return
            try:
                log.info("task %s: %s", job.task_id, job.call(verb, body)["outcome"])
            except Refused as refusal:
                self._refused(job, refusal)
            except (OSError, http.client.HTTPException) as error:
                log.warning("task %s: the server is away, and somebody else will do it: %s", job.task_id, error)

    @staticmethod
    def _attempt(handler, job):
        """Runs the handler; gives the call with which its attempt ends."""
        try:
            job.check()
            return "complete", {"result": handler(job.params, job)}
        except Stopped:
            return "release", {}
        except TransientError as error:
            body = {"category": "transient", "code": error.code, "message": str(error)[:2000]}
            if error.retry_after_ms is not None:
                body["retry_after_ms"] = error.retry_after_ms
            return "fail", body
        except PermanentError as error:
            return "fail", {"category": "permanent", "code": error.code, "message": str(error)[:2000]}
        except Exception as error:  # a bug costs a few attempts; a task that is lost would cost more
            log.exception("task %s: the handler failed", job.task_id)
            message = "%s: %s" % (type(error).__name__, error)
            return "fail", {"category": "transient", "code": "unexpected_error", "message": message[:2000]}

    @staticmethod
    def _refused(job, refusal):
        log.warning("task %s: %s", job.task_id, refusal)
        if refusal.status in (413, 422):  # too large, or it does not fit its schema: it will not the next time either
            detail = str(refusal.problem.get("errors") or refusal.problem.get("detail"))
            job.call("fail", {"category": "permanent", "code": "invalid_result", "message": detail[:2000]})
