"""misc/measure_reading.py: the reader measured on the corpus and on labelled sets."""
import json

import pytest

SCRIPT = "misc/measure_reading.py"
ROWS = [
    {"request": "brighten it", "kind": "global", "sure": True,
     "wishes": [{"what": "bright", "sign": 1, "degree": "plain", "where": None}]},
    {"request": "make it much warmer", "kind": "global", "sure": True,
     "wishes": [{"what": "warm", "sign": 1, "degree": "max", "where": None}]},
    {"request": "remove the car", "kind": "object", "sure": True,
     "wishes": [{"what": "remove", "sign": 0, "degree": "plain", "where": "the car"}]},
    {"request": "add a boat", "kind": "object", "sure": True,
     "wishes": [{"what": "add", "sign": 0, "degree": "plain", "where": "a boat"}]},
    {"request": "not counted", "kind": "vague", "sure": False, "wishes": [{"what": "other", "sign": 0,
                                                                           "degree": "plain", "where": None}]}]


@pytest.fixture(autouse=True)
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labels.json").write_text(json.dumps(ROWS))


def published(tmp_path):
    return json.loads((tmp_path / "docs/results/reading/it.json").read_text())["figures"]


@pytest.mark.parametrize("reader", ["rules", "both"])
def test_labelled_sentences_are_measured(run_well, tmp_path, reader):
    run_well(SCRIPT, "--labels", "labels.json", "--reader", reader, "--publish", "reading/it")
    figures = published(tmp_path)
    everything, plain = figures["rows"]
    assert (everything["requests"], everything["right"], everything["F1"], everything["degree"]) == (4, 2, 1, 1)
    assert plain["requests"] == 2
    assert [figures["total"][name] for name in ("refused", "fills understood", "falsely refused")] == [1, 1, 0]


def test_places_are_measured_for_one_data_set(run_well, tmp_path):
    wish = {"what": "bright", "sign": 1, "degree": "plain", "where": "man on the left"}
    rows = [{"request": request, "kind": "local", "sure": True, "wishes": [wish], "from": source}
            for request, source in (("brighten the guy at the left side", "A"), ("brighten the man", "A"), ("x", "B"))]
    (tmp_path / "labels.json").write_text(json.dumps(rows))
    run_well(SCRIPT, "--labels", "labels.json", "--source", "A", "--reader", "rules", "--publish", "reading/it")
    total = published(tmp_path)["total"]
    assert (total["with a place"], total["places exact"]) == (2, 0.5)


def test_a_data_set_without_requests_is_named(refuse):
    refuse("--labels", "labels.json", "--source", "nowhere", words=["labels.json", "--source nowhere"])


def test_a_part_of_the_labelled_sentences_is_measured(run_well, tmp_path):
    run_well(SCRIPT, "--labels", "labels.json", "--part", "odd", "--reader", "rules", "--publish", "reading/it")
    assert published(tmp_path)["rows"][0]["requests"] == 2


def test_the_corpus_is_measured_by_kind(run_well, tmp_path):
    run_well(SCRIPT, "--split", "dev", "--reader", "rules", "--publish", "reading/it")
    first, *kinds = published(tmp_path)["rows"]
    assert first["requests"] == sum(row["requests"] for row in kinds)
    assert len(kinds) >= 25


@pytest.mark.parametrize(("text", "says"), [
    ("{", "no list of labelled requests"), ('[{"request": "x"}]', "no list of labelled requests"),
    ('[{"request": "x", "kind": "k", "wishes": [{"what": "bright", "sign": 5, "degree": "plain", "where": null}]}]',
     "sign 5")])
def test_a_wrong_file_is_named(refuse, tmp_path, text, says):
    (tmp_path / "labels.json").write_text(text)
    refuse("--labels", "labels.json", words=["labels.json", says])


def test_a_missing_file_is_named(refuse):
    refuse("--labels", "nowhere.json", words=["nowhere.json", "cannot be read"])
