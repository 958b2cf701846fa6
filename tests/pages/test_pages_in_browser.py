"""The pages in a real browser: sliders, sorting, filters and comparison, by mouse and keyboard, also on a phone."""
from core.pages import write_index, write_results

EVIL = "<script>document.title='hacked'</script>\"'<img src=x onerror=alert(1)>"
LOSSES = (0.02, 0.09, 0.05)
REQUESTS = ("brighten it", "more contrast", EVIL)


def results(make, photo, **changes):
    """Return three results in the order of their names, whose losses and similarities sort differently."""
    return [make(number, request=request, target=photo(seed=9), name=f"{number}.jpg",
                 metrics={"input L1": 0.1, "output L1": loss, "output SSIM": 1 - number / 10},
                 words=["a", EVIL], attention=[[0.2, 0.8]] * 6) | changes
            for number, (request, loss) in enumerate(zip(REQUESTS, LOSSES, strict=True))]


def shown(tab):
    """Return the requests of the visible results, in order."""
    return tab.locator("article:visible h2").all_text_contents()


def share(tab):
    """Return the share of the output that the first slider hides, in per cent."""
    clip = tab.locator(".slider img").nth(1).evaluate("image => getComputedStyle(image).clipPath")
    return float(clip.split()[-1].rstrip("%)")) if clip != "inset(0px)" else 0.0


def test_slider_moves_by_mouse_and_by_keyboard(tmp_path, make, photo, browse):
    tab = browse(write_results(tmp_path, "Run", results(make, photo)))
    handle = tab.get_by_role("slider").first
    assert share(tab) == 50
    box = handle.bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 9)
    tab.mouse.down()
    tab.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 9, steps=4)
    tab.mouse.up()
    assert abs(share(tab) - 80) <= 2
    before = share(tab)
    handle.press("ArrowLeft")
    assert share(tab) == before - 1
    handle.press("Home")
    assert share(tab) == 0


def test_results_are_sorted_by_the_worst(tmp_path, make, photo, browse):
    tab = browse(write_results(tmp_path, "Run", results(make, photo)))
    order = tab.get_by_label("Sort by")
    assert shown(tab) == list(REQUESTS)
    order.select_option("worst L1")
    assert shown(tab) == ["more contrast", EVIL, "brighten it"]
    order.select_option("worst SSIM")   # a smaller SSIM is worse
    assert shown(tab) == [EVIL, "more contrast", "brighten it"]
    order.select_option("file order")
    assert shown(tab) == list(REQUESTS)


def test_results_without_a_metric_are_sorted_last(tmp_path, make, photo, browse):
    unmeasured, *others = results(make, photo)
    unmeasured["metrics"] = {"output L1": None}
    tab = browse(write_results(tmp_path, "Run", [unmeasured, *others]))
    for metric in ("worst L1", "worst SSIM"):
        tab.get_by_label("Sort by").select_option(metric)
        assert shown(tab)[-1] == "brighten it"


def test_results_are_filtered_by_operator_and_by_word(tmp_path, make, photo, browse):
    first, *others = results(make, photo)
    first["steps"] = first["steps"][:1]
    tab = browse(write_results(tmp_path, "Run", [first, *others]))
    tab.get_by_label("Operator").select_option("hue")
    assert shown(tab) == ["more contrast", EVIL]
    tab.get_by_label("Request has").press_sequentially("CONTRAST")
    assert shown(tab) == ["more contrast"]
    assert tab.locator("output[name=shown]").text_content() == "1 of 3 results"
    tab.get_by_label("Request has").fill("")
    tab.get_by_label("Operator").select_option("any")
    assert len(shown(tab)) == 3


def test_markup_of_users_shows_as_text_everywhere(tmp_path, make, photo, browse):
    runs = []
    for run in ("one", "two"):
        shows = results(make, photo)
        shows[0]["steps"][0]["op"] = shows[0]["name"] = EVIL
        runs.append({"run": EVIL, "phase": EVIL, "page": f"{run}/index.html", "metrics": {EVIL: 0.5}})
        tab = browse(write_results(tmp_path / run, "Run", shows))
        assert EVIL in shown(tab)
        assert tab.get_by_label("Operator").locator("option").all_text_contents().count(EVIL) == 1
        assert tab.title() == "Run"
    tab = browse(write_index(tmp_path, runs))
    assert tab.get_by_role("link").first.text_content() == EVIL
    tab = browse(tmp_path / "compare.html")
    tab.locator("article").first.wait_for()
    assert EVIL in shown(tab)
    assert tab.title() == "Compare two runs"


def two_runs(folder, make, photo):
    """Write two runs of the same photos, the second without the last photo; return the rows of the index."""
    write_results(folder / "a b" / "web", "A", results(make, photo))
    other = [result | {"metrics": {"output L1": loss}, "steps": []}
             for result, loss in zip(results(make, photo)[:2], (0.04, 0.01), strict=True)]
    write_results(folder / "c#d" / "web", "B", other)
    return [{"run": "a b", "page": "a b/web/index.html", "metrics": {"output L1": 0.053}, "date": "2024-05-09"},
            {"run": "c#d", "page": "c#d/web/index.html", "metrics": {"output L1": 0.0065}, "trial": 10},
            {"run": "no page", "metrics": {"output L1": 12.5}, "trial": 9}, {"run": "untested"}]


def test_two_ticked_runs_are_compared(tmp_path, make, photo, browse):
    tab = browse(write_index(tmp_path, two_runs(tmp_path, make, photo)))
    button = tab.get_by_role("button", name="Compare two ticked runs")
    ticks = tab.get_by_role("checkbox")
    assert ticks.count() == 2
    ticks.nth(0).press("Space")
    assert button.is_disabled()
    ticks.nth(1).press("Space")
    button.click()
    tab.locator("article").first.wait_for()
    assert tab.locator("#said").text_content().startswith("A and B show 3 and 2 results, 2 of them")
    assert shown(tab) == ["brighten it", "more contrast"]
    cells = tab.locator("article").first.locator("tbody td").all_text_contents()
    assert cells[1:] == ["0.02000", "nothing", "0.04000"]
    assert "brightness +0.500" in cells[0]
    images = tab.locator("article").first.locator("img")
    sources = images.evaluate_all("images => images.map(image => image.getAttribute('src').split('/')[0])")
    assert sources == ["a%20b", "c%23d", "a%20b", "a%20b"]
    tab.wait_for_function("[...document.querySelectorAll('article:first-of-type img')].every(i => i.naturalWidth)")
    tab.get_by_role("slider").first.press("ArrowRight")
    assert share(tab) == 51
    tab.get_by_label("Sort by").select_option("largest L1 advantage of B")
    assert shown(tab) == ["more contrast", "brighten it"]
    tab.get_by_label("Sort by").select_option("largest L1 advantage of A")
    assert shown(tab) == ["brighten it", "more contrast"]


def test_other_runs_can_be_chosen_on_the_comparison(tmp_path, make, photo, browse):
    write_index(tmp_path, two_runs(tmp_path, make, photo))
    tab = browse(tmp_path / "compare.html", query="?a=https://elsewhere/index.html&b=c%23d/web/index.html")
    tab.locator("article").first.wait_for()
    assert tab.locator("select[name=a]").input_value() == "a b/web/index.html"   # an address of no run is not loaded
    tab.locator("select[name=a]").select_option("c#d")
    tab.get_by_text("A and B show 2 and 2").wait_for()
    assert tab.locator("select[name=b]").input_value() == "c#d/web/index.html"


def test_runs_are_sorted_and_found(tmp_path, make, photo, browse):
    tab = browse(write_index(tmp_path, two_runs(tmp_path, make, photo)))

    def runs():
        return tab.locator("tbody tr:visible th").all_text_contents()

    tab.get_by_role("button", name="L1").click()
    assert runs() == ["c#d", "a b", "no page", "untested"]
    tab.get_by_role("button", name="L1").press("Enter")
    assert runs() == ["no page", "a b", "c#d", "untested"]   # empty cells stay last
    tab.get_by_role("button", name="trial").click()
    assert runs()[:2] == ["no page", "c#d"]   # sorted as numbers: 9 before 10
    tab.get_by_label("Find").fill("2024 A")
    assert runs() == ["a b"]
    assert tab.locator("output").text_content() == "1 of 4 runs"


def test_curve_opens_and_closes_by_keyboard(tmp_path, browse):
    tab = browse(write_index(tmp_path, [{"run": "a", "curve": [[100, 0.5], [200, 0.1], [300, 0.3]]}]))
    large = tab.locator(".large")
    assert not large.is_visible()
    tab.locator(".spark").press("Enter")
    assert large.is_visible()
    assert {"0.5000", "0.1000", "iteration 100", "300: 0.3000"} <= set(large.locator("text").all_text_contents())
    tab.keyboard.press("Escape")
    assert not large.is_visible()


def test_pages_fit_a_phone(tmp_path, make, photo, browse):
    rows = [row | {"run": row["run"] * 30} for row in two_runs(tmp_path, make, photo)]
    write_index(tmp_path, rows)
    write_results(tmp_path / "long", "title_" * 20, results(make, photo, request="request" * 20), ["note_" * 30])
    for path in ("index.html", "compare.html", "long/index.html", "a b/web/index.html"):
        tab = browse(tmp_path / path, width=375)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 375, path


def test_pictures_below_the_window_are_loaded_when_they_come_near(tmp_path, bare, photo, browse):
    tab = browse(write_results(tmp_path, "Run", (bare(i, input=photo(4, 4), output=photo(4, 4)) for i in range(300))))
    assert tab.locator("article").count() == 300
    last = tab.locator("article").last.locator("img").first
    assert last.evaluate("image => image.naturalWidth") == 0
    last.scroll_into_view_if_needed()
    tab.wait_for_function("[...document.querySelectorAll('article:last-of-type img')].every(i => i.naturalWidth)")
