"""Running a coroutine in a test."""
import asyncio
from concurrent.futures import ThreadPoolExecutor


def run_alone(coroutine):
    """Run a coroutine in a new thread, because the current thread may already run Playwright's event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
