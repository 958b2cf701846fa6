"""Sessions of the workbench: when a user leaves, the session's uploads, photo and messages are deleted.

Gradio itself keeps a session's state for an hour after the page was closed, and never deletes its counters of events.
"""
import asyncio
import contextlib
import ctypes
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass

IDLE = 30          # seconds without a connection until a session is deleted; shorter network failures do no harm
SWEEP = 5          # seconds between checks
MAX_UPLOADS = 64   # largest number of uploads that wait to be opened


class Refused(Exception):
    """A refused upload; the arguments are the HTTP status and a sentence."""


@dataclass
class Upload:
    """An uploaded file that is not opened yet, alone in a folder; `session` is the session that asked to open it."""

    folder: str
    sent: float
    session: str | None = None


class Uploads:
    """Uploads that wait to be opened, by path. Paths cannot be guessed, so only the sender can name one first."""

    def __init__(self, folder, max_bytes):
        self.folder, self.max_bytes, self.waiting = folder, max_bytes, {}

    async def receive(self, request, upload_id=None):
        """Store the only file of a request; return its path. Raises Refused; a failed upload leaves no files."""
        from gradio.route_utils import MultiPartException, upload_fn
        from gradio.routes import file_upload_statuses
        if len(self.waiting) >= MAX_UPLOADS:
            raise Refused(503, "Many photos are being sent; try again in a minute")
        folder = tempfile.mkdtemp(dir=self.folder)
        try:
            (path,), *_ = await upload_fn(request, folder, self.max_bytes, upload_id,
                                          upload_progress=file_upload_statuses)
        except MultiPartException as error:
            shutil.rmtree(folder)
            raise Refused(413 if "size" in error.message else 400, error.message) from None
        except ValueError:
            shutil.rmtree(folder)
            raise Refused(400, "Send one file") from None
        except BaseException:   # the sender has disconnected
            shutil.rmtree(folder)
            raise
        self.waiting[path] = Upload(folder, time.monotonic())
        return path

    def claim(self, path, session):
        """Return whether a session may open a file: the file is an upload, and no other session has asked for it."""
        upload = self.waiting.get(path) if isinstance(path, str) else None
        if upload is None or upload.session not in (None, session):
            return False
        upload.session = session
        return True

    def remove(self, path):
        """Delete an upload, if it still exists."""
        if upload := self.waiting.pop(path, None):
            shutil.rmtree(upload.folder, ignore_errors=True)

    def remove_where(self, unwanted):
        """Delete each upload for which the function `unwanted` returns True."""
        for path in [path for path, upload in self.waiting.items() if unwanted(upload)]:
            self.remove(path)


class Sessions:
    """The sessions of a Gradio page. A session without a connection is deleted with all its data after `IDLE` s."""

    def __init__(self, blocks, uploads):
        self.blocks, self.uploads = blocks, uploads
        self.connections, self.seen = Counter(), {}   # by session: open connections; time of the last end

    @contextlib.contextmanager
    def connected(self, session):
        """Count a session as connected inside the block."""
        self.connections[session] += 1
        try:
            yield
        finally:
            self.connections -= Counter([session])
            self.seen[session] = time.monotonic()

    def inputs(self, session, index):
        """Return the input components of an event, or None if the session has no such event."""
        state = self.blocks.state_holder.session_data.get(session)
        event = (state.blocks_config if state else self.blocks).fns.get(index)
        return event.inputs if event and event.fn else None

    async def forget_absent(self, now):
        """Delete sessions that had no connection for `IDLE` seconds before `now`, and uploads that nobody opened."""
        known = {*self.seen, *self.blocks.state_holder.session_data, *self.blocks._queue.pending_event_ids_session}
        left = [session for session in known if not self.connections[session]
                and now - self.seen.setdefault(session, now) > IDLE]
        for session in left:
            await self.forget(session)
        self.uploads.remove_where(lambda upload: upload.session is None and now - upload.sent > IDLE)
        if left:
            self._release()

    async def forget(self, session):
        """Delete all data of a session: its state with its files, its events and their messages."""
        holder, queue = self.blocks.state_holder, self.blocks._queue
        await queue.clean_events(session_hash=session)
        for kept in (queue.pending_messages_per_session, queue.pending_event_ids_session, holder.time_last_used,
                     self.seen):
            kept.pop(session, None)
        if state := holder.session_data.pop(session, None):
            state.state_data.clear()   # at once: the state itself waits for the garbage collector
            state.config_values.clear()
        self.uploads.remove_where(lambda upload: upload.session == session)

    def _release(self):
        """Delete Gradio's counts for events that no longer exist, and return free memory to the system."""
        queue, states = self.blocks._queue, self.blocks.state_holder.session_data.values()
        alive = {*self.blocks.fns.values(), *(event for state in states for event in state.blocks_config.fns.values())}
        for counts in (queue.process_time_per_fn,
                       *(events.start_times_per_fn for events in queue.event_queue_per_concurrency_id.values())):
            for event in counts.keys() - alive:
                del counts[event]
        with contextlib.suppress(AttributeError):   # only Linux's C library has this function
            ctypes.CDLL(None).malloc_trim(0)


@contextlib.asynccontextmanager
async def swept(sessions):
    """Delete sessions without a connection every `SWEEP` seconds inside the block."""
    async def sweep():
        while True:
            await asyncio.sleep(SWEEP)
            await sessions.forget_absent(time.monotonic())

    task = asyncio.create_task(sweep())
    try:
        yield
    finally:
        task.cancel()
