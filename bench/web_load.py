"""Load test of the workbench: many people open a photo at once; the test measures their waits and the server's memory.

  python bench/web_load.py                                 # fifty people, a photo of 12 megapixels
  python bench/web_load.py --sessions 10 --img photo.jpg

The test starts core/demo_web.py and sends it the requests that the page in a browser sends. Memory is the resident
memory of the server and its child processes; pages that processes share are counted once per process.
"""
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import _init_paths  # noqa: F401
import numpy as np
from PIL import Image
from tabulate import tabulate

from core.engine.cli import run
from core.engine.options import Parser, number
from core.engine.publish import publish
from core.files import UserError

ROOT = Path(__file__).resolve().parents[1]


def main():
    options = arguments().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(options.img) if options.img else make_photo(Path(folder) / "photo.jpg")
        command = [sys.executable, ROOT / "core/demo_web.py", "--port", "0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            address = re.search(r"http://\S+", server.stdout.readline())
            if not address:
                raise UserError("the workbench did not start; the reason is printed above")
            waits, failures, memory = asyncio.run(visit(address.group(), photo, options, server.pid))
        finally:
            server.terminate()
            server.wait()
    rows = [
        ("open, median", f"{statistics.median(waits or [np.nan]):.1f} s"),
        ("open, slowest", f"{max(waits, default=np.nan):.1f} s"), ("failed", f"{len(failures)} of {options.sessions}"),
        *((f"memory, {when}", f"{used / 2**30:.2f} GB") for when, used in memory.items()),
        ("load average of the last minute", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")]
    print(tabulate(rows))
    publish(options, "web_load", {"rows": [{"what": what, "value": value} for what, value in rows]})
    for failure in failures:
        print(f"failed: {failure}")


def make_photo(path):
    """Write a JPEG of 12 megapixels with the grain of a camera; return its path."""
    from skimage.data import coffee
    pixels = np.asarray(Image.fromarray(coffee()).resize((4000, 3000))).astype(np.float32)
    grain = np.random.default_rng(0).normal(0, 6, pixels.shape)
    Image.fromarray(np.uint8(np.clip(pixels + grain, 0, 255))).save(path, quality=90)
    return path


async def visit(address, photo, options, pid):
    """Open the photo in all sessions at once; return (seconds of each, failures, {when: bytes of memory})."""
    import httpx
    waits, failures, memory = [], [], {}
    async with httpx.AsyncClient(base_url=address, timeout=300, limits=httpx.Limits(max_connections=None)) as web:
        config = (await web.get("/config")).json()
        await asyncio.sleep(options.settle)   # the server's second process starts within this time
        memory["before"] = memory["at most"] = taken(pid)
        leave = asyncio.Event()
        sessions = [asyncio.create_task(session(web, config, photo, waits, failures, leave))
                    for _ in range(options.sessions)]
        while len(waits) + len(failures) < options.sessions:
            await asyncio.sleep(0.2)
            memory["at most"] = max(memory["at most"], taken(pid))
        leave.set()
        await asyncio.gather(*sessions)
        await asyncio.sleep(options.after)
        memory[f"{options.after} s after all have left"] = taken(pid)
    return waits, failures, memory


async def session(web, config, photo, waits, failures, leave):
    """Connect to the page, upload and open a photo, and stay connected until `leave` is set."""
    kinds = {component["id"]: component["type"] for component in config["components"]}
    opening = next(event for event in config["dependencies"] if "file" in [kinds[part] for part in event["inputs"]])
    name, started = uuid.uuid4().hex[:10], time.monotonic()
    present = asyncio.create_task(listen(web, f"/gradio_api/heartbeat/{name}"))
    try:
        answer = await web.post("/gradio_api/upload", files={"files": (photo.name, photo.read_bytes())})
        file = {"path": answer.raise_for_status().json()[0], "meta": {"_type": "gradio.FileData"}}
        data = [file if kinds[part] == "file" else None for part in opening["inputs"]]
        event = {"fn_index": opening["id"], "session_hash": name, "data": data}
        (await web.post("/gradio_api/queue/join", json=event)).raise_for_status()
        said = await listen(web, f"/gradio_api/queue/data?session_hash={name}")
        if not any(message["msg"] == "process_completed" and "<img" in json.dumps(message) for message in said):
            raise UserError(f"not opened: {said[-1:]}")
        waits.append(time.monotonic() - started)
    except Exception as error:   # any error makes this a failed session
        failures.append(repr(error))
    await leave.wait()
    present.cancel()


async def listen(web, path):
    """Return all messages of a stream of server-sent events; the server ends the stream."""
    async with web.stream("GET", path) as answer:
        return [json.loads(line[5:]) async for line in answer.aiter_lines() if line.startswith("data: {")]


def taken(pid):
    """Return the resident bytes of a process and of all its descendants."""
    folder = Path(f"/proc/{pid}")
    children = {child for task in (folder / "task").iterdir() for child in (task / "children").read_text().split()}
    resident = int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident + sum(taken(child) for child in children)


def arguments():
    parser = Parser(__doc__)
    parser.add_argument("--img", help="photo to open; by default one of 12 megapixels is made")
    parser.add_argument("--sessions", type=number(int, 1, 500), default=50, help="sessions that open the photo")
    parser.add_argument("--settle", type=number(float, 0), default=10, help="seconds from the server's start "
                        "to the sessions")
    parser.add_argument("--after", type=number(float, 0), default=60, help="seconds from the end of the sessions to "
                        "the last measurement of memory")
    return parser.add_publish()


if __name__ == "__main__":
    run(main)
