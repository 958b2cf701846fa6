"""Pages to look at: static HTML with its pictures beside it, opened from disk, no server and no network.

    from core.pages import write_index, write_results
    write_results("output/run/test/web", "FiveK, test", results)   # -> index.html, results.js
    write_index("output", rows)                                     # -> index.html, compare.html
"""
from core.pages.index import write_index
from core.pages.results import write_results

__all__ = ["write_index", "write_results"]
