"""The examples in the docstrings of operators, plans and the executor show the results that the code gives."""
import doctest
import importlib

import pytest

from core.operators import TABLE, Plan, apply, execute


@pytest.mark.parametrize("module", ["functions", "inpaint", "plan", "executor", "light", "colours", "detail", "effects",
                                    "geometry"])
def test_examples_give_the_results_that_they_show(module):
    found = doctest.testmod(importlib.import_module(f"core.operators.{module}"))   # prints examples that fail
    assert found.attempted
    assert not found.failed


@pytest.mark.parametrize("shown", [*(row.function for row in TABLE.values()), Plan, apply, execute],
                         ids=lambda shown: shown.__name__)
def test_each_operator_has_an_example(shown):
    assert "Example:\n" in shown.__doc__
