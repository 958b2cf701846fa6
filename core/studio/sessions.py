"""Who is at the workbench, and what goes when they leave: uploads, the photo on the bench, messages, memory.

Gradio keeps the state of a session for an hour after its page was closed, and what it counts for each event for ever.
"""
import asyncio
import contextlib
import ctypes
import shutil
import tempfile
import time
from collections import Counter
from dataclasses import dataclass

IDLE = 30          # seconds without a connection after which a session has left; the network may fail for a moment
SWEEP = 5          # seconds between looks
MAX_UPLOADS = 64   # that wait to be opened


class Refused(Exception):
    """An upload that is not taken: the HTTP status and a sentence."""


@dataclass
class Upload:
    """A file that was sent and not opened yet, alone in a folder; `session` is the one that asked to open it."""

    folder: str
    sent: float
    session: str | None = None


class Uploads:
    """Files that wait to be opened, by path: names that nobody can guess, so the first session that has one sent it."""

    def __init__(self, folder, max_bytes):
        self.folder, self.max_bytes, self.waiting = folder, max_bytes, {}

    async def receive(self, request, upload_id=None):
        """Store the one file of a request; return its path. Raises Refused; what fails leaves nothing behind."""
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
        except BaseException:   # the sender has gone
            shutil.rmtree(folder)
            raise
        self.waiting[path] = Upload(folder, time.monotonic())
        return path

    def claim(self, path, session):
        """Whether this session may open a file: it uploaded it, and no other session asked for it before."""
        upload = self.waiting.get(path) if isinstance(path, str) else None
        if upload is None or upload.session not in (None, session):
            return False
        upload.session = session
        return True

    def remove(self, path):
        """Delete a file, if it is still there."""
        if upload := self.waiting.pop(path, None):
            shutil.rmtree(upload.folder, ignore_errors=True)

    def remove_where(self, unwanted):
        """Delete the files whose Upload is `unwanted`, a function."""
        for path in [path for path, upload in self.waiting.items() if unwanted(upload)]:
            self.remove(path)


class Sessions:
    """The sessions of a Gradio page. One that has no connection is forgotten after a while, with all that it holds."""

    def __init__(self, blocks, uploads):
        self.blocks, self.uploads = blocks, uploads
        self.connections, self.seen = Counter(), {}   # by session: how many are open; when the last one ended

    @contextlib.contextmanager
    def connected(self, session):
        """Count a session as present inside the block."""
        self.connections[session] += 1
        try:
            yield
        finally:
            self.connections -= Counter([session])
            self.seen[session] = time.monotonic()

    def inputs(self, session, index):
        """Return the components whose values an event takes, or None where the session has no such event."""
        state = self.blocks.state_holder.session_data.get(session)
        event = (state.blocks_config if state else self.blocks).fns.get(index)
        return event.inputs if event and event.fn else None

    async def forget_absent(self, now):
        """Forget the sessions that have no connection since `IDLE` before `now`, and uploads that nobody opened."""
        known = {*self.seen, *self.blocks.state_holder.session_data, *self.blocks._queue.pending_event_ids_session}
        left = [session for session in known if not self.connections[session]
                and now - self.seen.setdefault(session, now) > IDLE]
        for session in left:
            await self.forget(session)
        self.uploads.remove_where(lambda upload: upload.session is None and now - upload.sent > IDLE)
        if left:
            self._release()

    async def forget(self, session):
        """Let go of all that a session holds: its files with its state, its events and their messages."""
        holder, queue = self.blocks.state_holder, self.blocks._queue
        await queue.clean_events(session_hash=session)
        for kept in (queue.pending_messages_per_session, queue.pending_event_ids_session, holder.time_last_used,
                     self.seen):
            kept.pop(session, None)
        if state := holder.session_data.pop(session, None):
            state.state_data.clear()   # now: what refers to the state itself waits for the garbage collector
            state.config_values.clear()
        self.uploads.remove_where(lambda upload: upload.session == session)

    def _release(self):
        """Let go of what is counted for events that are no more, and give free memory back to the system."""
        queue, states = self.blocks._queue, self.blocks.state_holder.session_data.values()
        alive = {*self.blocks.fns.values(), *(event for state in states for event in state.blocks_config.fns.values())}
        for counts in (queue.process_time_per_fn,
                       *(events.start_times_per_fn for events in queue.event_queue_per_concurrency_id.values())):
            for event in counts.keys() - alive:
                del counts[event]
        with contextlib.suppress(AttributeError):   # the C library of Linux has it
            ctypes.CDLL(None).malloc_trim(0)


@contextlib.asynccontextmanager
async def swept(sessions):
    """Forget sessions that have left, every few seconds inside the block."""
    async def sweep():
        while True:
            await asyncio.sleep(SWEEP)
            await sessions.forget_absent(time.monotonic())

    task = asyncio.create_task(sweep())
    try:
        yield
    finally:
        task.cancel()
