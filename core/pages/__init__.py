"""Static HTML pages of results, with pictures beside them; a page opens from disk, without server and network.

    from core.pages import write_index, write_results
    write_results("output/run/test/web", "FiveK, test", results)   # -> index.html, results.js
    write_index("output", rows)                                     # -> index.html, compare.html
"""
from core.pages.index import write_index
from core.pages.results import write_results

__all__ = ["write_index", "write_results"]
