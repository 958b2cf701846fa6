"""Two data sets as one."""
from core.datasets import Mixed


class Part(list):
    def report(self):
        return [f"{len(self)} samples"]


def test_parts_take_turns_and_the_smaller_comes_round_again():
    mixed = Mixed(Part("abc"), Part("x"))
    assert [mixed[index] for index in range(len(mixed))] == list("axbxcx")
    assert mixed.report() == ["3 samples", "1 samples"]
