"""Running a coroutine in a test."""
import asyncio
from concurrent.futures import ThreadPoolExecutor


def run_alone(coroutine):
    """Run a coroutine in a thread of its own, since this one may already have Playwright's event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
