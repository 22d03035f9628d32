"""The report on the clusters, and rows in no cluster, in a real browser."""

import json
import os
import pathlib
import re
import subprocess

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import make_page_program
from test_page import export, place_of, settled, shot, state

CLUSTERS = 55  # of make_page's plain pages
TRIED = [2, 3, 5, 8, 13, 21, 34, 55, 89]


def tried(i, k):
    return {"n_clusters": k, "found": k, "silhouette": 0.3 - 0.002 * abs(55 - k), "smallest": 2000 // k // 2, "largest": 3000 // k}


def curve(criterion, title, better, n_clusters, values):
    return {"criterion": criterion, "title": title, "better": better, "asks": "what it asks", "n_clusters": n_clusters, "value": None, "values": values}


LEVELS = [("very stable", 0.85), ("stable", 0.75), ("doubtful", 0.6), ("not to be trusted", 0)]
JACCARD = [0.4 + 0.01 * i for i in range(CLUSTERS)]
FIGURES = [("Silhouette", "0.2"), ("Davies-Bouldin", "2.3"), ("Calinski-Harabasz", "1,235"), ("Smallest to largest", "9 to 156"), ("Stability", "0.7")]
REPORT = {
    "format": "shoal clusters", "version": 2, "method": "spherical_kmeans", "method_title": "spherical k-means", "options": {"n_clusters": CLUSTERS},
    "n_clusters": CLUSTERS, "noise": 0, "rows": 2000, "why": "55 clusters have the lowest index of all.",
    "against": [{"code": "flat_curve", "text": "The curve is flat.", "values": {"median": 2}}, {"code": "criteria_disagree", "text": "Other criteria choose otherwise.", "values": {}}],
    "figures": [{"name": title, "title": title, "shown": shown, "note": f"How to read it: {title}."} for title, shown in FIGURES],
    "chosen": {"criterion": "davies_bouldin", "n_clusters": CLUSTERS, "value": 2.3, "tried_min": 2, "tried_max": 89},
    "tried": [tried(i, k) for i, k in enumerate(TRIED)],
    "curves": [curve("davies_bouldin", "Davies-Bouldin", "lower", 55, [3 - 0.1 * i for i in range(len(TRIED))]),
               curve("davies_bouldin_cosine", "Davies-Bouldin by cosine", "lower", 3, [2 + 0.01 * (i - 1) ** 2 for i in range(len(TRIED))]),
               curve("silhouette", "Silhouette", "higher", 55, [0.3 - 0.002 * abs(55 - k) for k in TRIED]),
               curve("calinski_harabasz", "Calinski-Harabasz", "higher", 2, [40 - i for i in range(len(TRIED) - 1)] + [None]),
               curve("elbow", "Elbow", "higher", 13, [0, 0.2, 0.4, 0.6, 0.7, 0.6, 0.4, 0.2, 0])],
    "stability": {"resamples": 12, "adjusted_rand_mean": 0.7, "adjusted_rand_spread": 0.05, "jaccard": JACCARD,
                  "verdicts": [next(name for name, least in LEVELS if j >= least) for j in JACCARD],
                  "levels": [{"name": name, "from": least, "clusters": 0} for name, least in LEVELS]},
}
FOUND = {"method": "hdbscan", "method_title": "HDBSCAN", "why": "The method finds their number by itself.", "options": {"min_cluster_size": 5},
         "n_clusters": CLUSTERS, "noise": 208, "measures": None, "against": [], "figures": [], "placement_agreement": None}


def opened(open_page, path, **options):
    page = open_page(path, **options)
    page.get_by_role("button", name="How the clusters were found").click()
    return page


def bars(page):
    """Name, size and stability of each cluster as it is listed."""
    return page.locator(".bars button:not(.link)").evaluate_all(
        "(all) => all.map((b) => [b.querySelector('.name').textContent, ...[...b.querySelectorAll('.size')].map((s) => s.textContent)])")


def test_without_a_report_there_is_no_button(open_page, written):
    page = open_page(written("plain"))
    assert page.get_by_role("button", name="How the clusters were found").count() == 0
    page.locator("#map").focus()
    page.keyboard.press("r")
    assert page.locator(".report").count() == 0
    page.keyboard.press("?")
    assert "how the clusters were found" not in page.get_by_role("dialog").inner_text()


def test_key_r_opens_and_closes_it_wherever_the_focus_is(open_page, written):
    page = open_page(written("plain", report=REPORT))
    for button in (None, "How to use this map", "Zoom in"):
        if button and page.get_by_role("button", name=button).count():
            page.get_by_role("button", name=button).first.focus()
        page.keyboard.press("r")
        page.locator(".report").wait_for()
        page.keyboard.press("r")
        page.wait_for_function("!document.querySelector('.report')")
    page.keyboard.press("/")
    page.keyboard.press("r")  # typed
    assert page.locator("#search").input_value() == "r" and page.locator(".report").count() == 0


def test_says_how_many_why_and_what_speaks_against_it(open_page, written):
    page = opened(open_page, written("plain", report=REPORT), bypass_csp=False)
    lead = page.locator(".report .lead").inner_text()
    assert lead == "55 clusters of 2,000 texts by spherical k-means. 55 clusters have the lowest index of all. In no cluster: 208 (10 %)."
    assert page.locator(".against li").all_inner_texts() == ["The curve is flat.", "Other criteria choose otherwise."], "as the report has it, nothing more"
    table = page.locator(".report tr").evaluate_all("(all) => all.map((r) => [r.querySelector('th').firstChild.textContent, r.querySelector('td').textContent])")
    assert [tuple(line) for line in table] == FIGURES
    assert page.locator(".report th p").first.inner_text() == "How to read it: Silhouette."


def test_keys_open_it_read_it_and_close_it(open_page, written):
    page = open_page(written("plain", report=REPORT))
    page.locator("#map").focus()
    page.keyboard.press("r")
    assert page.get_by_role("button", name="How the clusters were found").get_attribute("aria-pressed") == "true"
    assert state(page, "document.activeElement.textContent") == "How the clusters were found", "read out at once"
    page.keyboard.press("Tab")
    assert state(page, "document.activeElement.value") == "davies_bouldin"
    page.keyboard.press("Tab")
    plot = page.get_by_role("slider")
    assert plot.evaluate("(e) => e === document.activeElement")
    assert plot.get_attribute("aria-valuetext").startswith("55 clusters : Davies-Bouldin 2.3")
    page.keyboard.press("ArrowLeft")
    assert plot.get_attribute("aria-valuenow") == "34" and "Davies-Bouldin 2.4" in page.locator(".readout").inner_text()
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    assert plot.get_attribute("aria-valuenow") == "89"
    page.keyboard.press("Home")
    assert "best by Calinski-Harabasz" in page.locator(".readout").inner_text()
    page.keyboard.press("Escape")
    assert page.locator(".report").count() == 0
    assert state(page, "document.activeElement.id") == "map", "the focus goes back"
    page.keyboard.press("?")
    assert "how the clusters were found" in page.get_by_role("dialog").inner_text()


def test_a_curve_for_each_criterion(open_page, written):
    page = opened(open_page, written("plain", report=REPORT))
    picks = page.locator(".picks label")
    assert picks.all_inner_texts() == ["Davies-Bouldin 55", "Davies-Bouldin by cosine 3", "Silhouette 55", "Calinski-Harabasz 2", "Elbow 13"]
    curve = page.locator("svg.curve")
    points = lambda: curve.locator("circle:not(.best)").evaluate_all("(all) => all.map((c) => [c.cx.baseVal.value, c.cy.baseVal.value])")
    assert "chosen: 55" in curve.evaluate("(e) => e.textContent")
    assert curve.locator(".pick").count() == 4, "2, 3, 13 and 55"
    assert page.locator(".report b", has_text="Lower is better").count() == 1
    by_index = points()
    assert len(by_index) == len(TRIED)
    assert [x for x, _ in by_index] == sorted(x for x, _ in by_index)
    assert [y for _, y in by_index] == sorted(y for _, y in by_index), "it falls, so y grows"
    picks.filter(has_text="Silhouette").click()
    assert page.locator(".report b", has_text="Higher is better").count() == 1
    best = curve.locator("circle.best").evaluate("(c) => [c.cx.baseVal.value, c.cy.baseVal.value]")
    assert best == points()[TRIED.index(55)] and best[1] == min(y for _, y in points())
    picks.filter(has_text="Elbow").click()
    best = curve.locator("circle.best").evaluate("(c) => [c.cx.baseVal.value, c.cy.baseVal.value]")
    assert best == points()[TRIED.index(13)] and best[1] == min(y for _, y in points())
    picks.filter(has_text="Calinski").click()
    assert len(points()) == len(TRIED) - 1, "one value is infinite"
    picks.filter(has_text="Elbow").click()
    box = page.locator(".plot").bounding_box()
    page.mouse.move(box["x"] + points()[2][0] * box["width"] / 404 + 3, box["y"] + 60)
    assert page.locator(".readout").inner_text().startswith("5 clusters: Elbow ")
    assert "200 to 600 texts a cluster" in page.locator(".readout").inner_text()
    page.mouse.move(box["x"] - 200, box["y"])
    assert page.locator(".readout").inner_text().startswith("55 clusters: ")


def test_clusters_by_size_or_stability_and_a_click_selects(open_page, written):
    page = opened(open_page, written("plain", report=REPORT))
    shown = bars(page)
    assert len(shown) == 31, "thirty, and what is in none"
    page.get_by_role("button", name="Show all 56").click()
    shown = bars(page)
    clusters = state(page, "scene.meta.clusters.map((c) => [c.name, c.size])")
    assert [s[0] for s in shown[:-1]] == [name for name, _ in sorted(clusters, key=lambda c: -c[1])]
    assert shown[-1] == ["In no cluster", "208", "–"]
    stability = {name: f"{0.4 + 0.01 * i:.2f}" for i, (name, _) in enumerate(clusters)}
    assert all(stability[name] == jaccard for name, _, jaccard in shown[:-1])
    assert page.locator(".legend li").all_text_contents() == ["10 very stable (from 0.85)", "10 stable (from 0.75)", "15 doubtful (from 0.6)", "20 not to be trusted (below 0.6)"]
    page.get_by_label("Order of the clusters").select_option("least stable first")
    assert [s[0] for s in bars(page)] == [name for name, _ in clusters] + ["In no cluster"]
    third = page.locator(".bars button").nth(2)
    assert "stability 0.42: not to be trusted" in third.get_attribute("aria-label")
    third.click()
    assert third.get_attribute("aria-pressed") == "true" and third.evaluate("(e) => e === document.activeElement")
    assert state(page, "[...scene.selection].every((row) => scene.points.label[row] === 2)")
    assert state(page, "scene.selection.length") == clusters[2][1]
    assert page.locator(".report").count() == 1, "the report stays"
    shot(page, "report")
    page.locator(".bars button").last.click()
    assert state(page, "[...scene.selection].every((row) => scene.points.label[row] === -1)")
    assert {r["cluster"] for r in export(page, ".selection")} == {""}
    page.locator(".bars button").last.click()
    assert state(page, "scene.selection") is None, "a second click takes it back"


def test_the_report_makes_way_and_comes_back(open_page, written):
    page = opened(open_page, written("plain", report=REPORT))
    page.get_by_label("Search the texts").fill("bread")
    page.wait_for_selector(".hit")
    assert page.locator(".report").count() == 0
    page.get_by_role("button", name="How the clusters were found").click()
    assert page.locator(".report").count() == 1
    page.get_by_role("button", name="Back to the list").click()
    assert page.locator(".hit").count() > 0
    page.get_by_role("button", name="How the clusters were found").click()
    page.evaluate("() => { shoal.scene.focus = 3; shoal.scene.tell('focus'); }")
    page.get_by_role("button", name="Back to the report").click()
    assert page.locator(".report").count() == 1
    page.get_by_role("button", name="How the clusters were found").click()
    assert page.locator(".report").count() == 0
    page.get_by_role("button", name="Theme").click()
    page.get_by_role("button", name="How the clusters were found").click()
    page.locator("svg.curve").wait_for()


def test_what_a_finger_reads_out_stays(open_page, written):
    page = opened(open_page, written("plain", report=REPORT), width=390, height=800, has_touch=True, is_mobile=True)
    page.locator(".plot").scroll_into_view_if_needed()
    box = page.locator(".plot").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] - 20, box["y"] + 50)
    assert page.locator(".readout").inner_text().startswith("89 clusters: ")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 800, 420])
def test_report_fits_and_axe_finds_nothing(open_page, written, scheme, width):
    page = opened(open_page, written("plain", report=REPORT), color_scheme=scheme, width=width, height=860)
    page.locator(".bars button").first.click()
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found] == []
    report = page.locator(".report")
    assert report.evaluate("(e) => e.scrollWidth - e.clientWidth") <= 0
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    box, stage = report.bounding_box(), page.locator("#stage").bounding_box()
    assert box["height"] > 300 and box["width"] >= 380 and stage["height"] > 250 and stage["width"] >= 0.45 * width
    shot(page, f"report-{scheme}-{width}")


def test_a_method_that_finds_the_number(open_page, written):
    page = opened(open_page, written("plain", report=FOUND))
    text = page.locator(".report").inner_text()
    assert "by HDBSCAN. The method finds their number by itself. In no cluster: 208 (10 %)." in text
    assert "Nothing that was measured." in text
    assert page.locator("svg.curve").count() == 0 and page.locator(".report table").count() == 0
    assert bars(page)[0] == ["sourdough bread", "156"] and bars(page)[-1] == ["In no cluster", "208"]


EMPTY = {"method_title": None, "why": None, "against": None, "figures": None, "chosen": None, "tried": None, "curves": None, "stability": None}
ONE = {**REPORT, "tried": REPORT["tried"][7:8], "curves": [{**c, "n_clusters": 55, "values": c["values"][7:8]} for c in REPORT["curves"][:4]], "against": [],
       "stability": {**REPORT["stability"], "jaccard": [None] * CLUSTERS, "verdicts": [None] * CLUSTERS}}


@pytest.mark.parametrize("kind, report", [("plain", {}), ("plain", EMPTY), ("plain", ONE), ("empty", REPORT), ("one", REPORT), ("noise", FOUND)])
def test_reports_with_holes(open_page, written, kind, report):
    page = opened(open_page, written(kind, 300, report))
    text = page.locator(".report").inner_text()
    assert "clusters of" in text and not re.search(r"undefined|null|NaN|Infinity", text)
    assert not re.search(r"undefined|NaN|Infinity", page.locator(".report").evaluate("(e) => e.innerHTML"))


def test_hostile_reports_are_texts(open_page, written):
    bad = "</script><script>window.broken = 1</script><img src=x onerror='window.broken = 1'>"
    figures = [{"name": bad, "title": bad, "shown": bad, "note": bad}]
    curves = [{**REPORT["curves"][0], "criterion": bad, "title": bad, "asks": bad}]
    page = opened(open_page, written("hostile", report={**REPORT, "method_title": bad, "why": bad, "against": [{"text": bad}], "figures": figures, "curves": curves}))
    assert page.locator(".against li").first.inner_text() == bad and page.locator(".lead").inner_text().count(bad) == 2
    assert page.locator(".report td").inner_text() == bad and bad in page.locator(".readout").inner_text()
    assert page.evaluate("() => window.broken") is None and page.locator("img").count() == 0


def test_rows_in_no_cluster(open_page, written):
    page = open_page(written("plain"))
    assert "2,000 texts · 55 clusters · 208 in none" in page.locator("#bar").inner_text()
    row = state(page, """[...scene.points.x.keys()].find((row) => { const [x, y] = stage.pixelOf(row), { camera, labels, grid } = stage, p = scene.points;
        return p.label[row] < 0 && x > 80 && y > 80 && x < camera.width - 80 && y < camera.height - 80 && !labels.at(x, y)
            && grid.nearest(p.x[row], p.y[row], 12 / camera.scale, (other) => other !== row) < 0; })""")
    x, y = place_of(page, row)
    page.mouse.move(x, y)
    assert page.get_by_role("tooltip").inner_text().startswith("In no cluster")
    grey = page.get_by_role("tooltip").locator(".dot").evaluate("(e) => getComputedStyle(e).backgroundColor")
    assert grey == "rgb(168, 172, 178)"
    page.mouse.click(x, y)
    pin = page.get_by_role("region", name="Pinned text")
    assert pin.is_visible() and pin.get_by_role("button", name="Show the cluster").count() == 0
    page.get_by_label("Search the texts").fill(page.evaluate("(row) => shoal.scene.texts.get(row)", row))
    page.wait_for_selector(".hit")
    hit = next(r for r in export(page, "#side") if r["row"] == str(row))
    assert (hit["cluster"], hit["cluster_name"], hit["group"]) == ("", "", "")
    page.get_by_label("Search the texts").fill("")
    page.wait_for_selector(".row")
    page.locator("#side .scroll").evaluate("(e) => (e.scrollTop = e.scrollHeight)")
    page.get_by_role("button", name="In no cluster", exact=True).click()
    settled(page)
    assert state(page, "scene.selection.length") == 208
    assert "208 selected · all In no cluster" in page.locator(".selection").inner_text()
    page.locator("#map").focus()
    page.keyboard.press("0")
    settled(page)
    page.keyboard.press("s")
    assert "· 55 clusters, " in page.locator(".selection").inner_text(), "what is in none is no cluster"
    page.get_by_role("checkbox", name="Show In no cluster").uncheck()
    assert state(page, "[...scene.points.label.keys()].every((i) => (scene.flags[i] & 1) === (scene.points.label[i] < 0 ? 0 : 1))")


def test_a_map_of_noise_alone(open_page, written):
    page = open_page(written("noise", 300))
    assert "300 texts · 0 clusters · 300 in none" in page.locator("#bar").inner_text()
    page.locator("#map").focus()
    page.keyboard.press("s")
    assert state(page, "scene.selection.length") >= 288, "what is in view: 96 in 100"
    assert {r["cluster"] for r in export(page, ".selection")} == {""}
    page.mouse.click(*place_of(page, 5))
    assert page.get_by_role("region", name="Pinned text").is_visible()
    page.get_by_role("button", name="In no cluster", exact=True).click()
    assert "300 selected · all In no cluster" in page.locator(".selection").inner_text()


def blobs(path):
    """Five groups in eight dimensions and rows far from all, by a small generator of our own."""
    import array
    import random
    draw = random.Random(3)
    centres = [[draw.gauss(0, 4) for _ in range(8)] for _ in range(5)]
    rows = [[c + draw.gauss(0, 0.5) for c in centres[i % 5]] for i in range(300)] + [[draw.gauss(0, 9) for _ in range(8)] for _ in range(30)]
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({len(rows)}, 8), }}".ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + array.array("f", sum(rows, [])).tobytes())


@pytest.mark.parametrize("arguments", [["--clusters", "2..9", "--resamples", "4"], ["--method", "hdbscan"], ["--clusters", "5"]])
def test_shows_what_the_program_writes(open_page, written, tmp_path, arguments):
    program = os.environ.get("SHOAL") or make_page_program().parent / "shoal"
    blobs(tmp_path / "blobs.npy")
    subprocess.run([program, "cluster", tmp_path / "blobs.npy", "--out", tmp_path / "out", "--layout", "none", "--quiet", *arguments], check=True, capture_output=True)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    page = opened(open_page, written("plain", 300, report))
    text = page.locator(".report").inner_text()
    assert not re.search(r"undefined|null|NaN", text)
    assert f"{report['measures']['silhouette']:.3g}" == page.locator(".report tr", has_text="Silhouette").locator("td").inner_text()
    assert page.locator(".report td").all_inner_texts() == [figure["shown"] for figure in report["figures"]]
    assert page.locator(".against li").all_inner_texts() == [reason["text"] for reason in report["against"]]
    assert report["why"] in text and f"by {report['method_title']}." in text
    if "chosen" not in report:
        assert page.locator("svg.curve").count() == 0
        assert ("set beforehand" in text) == (report["method"] != "hdbscan")
        return
    assert page.locator(".picks input").evaluate_all("(all) => all.map((i) => i.value)")[0] == report["chosen"]["criterion"]
    assert page.locator(".picks label").all_inner_texts() == [f"{c['title']} {c['n_clusters']}" for c in report["curves"]]
    for value in page.locator(".picks input").evaluate_all("(all) => all.map((i) => i.value)"):
        page.locator(f".picks input[value={value}]").check(force=True)
        best = page.locator("svg.curve circle.best").evaluate("(c) => c.cy.baseVal.value")
        ys = page.locator("svg.curve circle:not(.best)").evaluate_all("(all) => all.map((c) => c.cy.baseVal.value)")
        assert best == (max(ys) if value.startswith("davies") else min(ys)), f"the pick is the best of its curve: {value}"


# A real collection's page, made by the program.

def test_report_of_a_collection(open_page):
    if "SHOAL_PAGE" not in os.environ:
        pytest.skip("SHOAL_PAGE names no map.html of a real collection")
    path = pathlib.Path(os.environ["SHOAL_PAGE"]).resolve()
    kept = path.parent / "report.json"
    page = open_page(path)
    button = page.get_by_role("button", name="How the clusters were found")
    assert button.count() == kept.exists()
    if not kept.exists():
        return
    report = json.loads(kept.read_text())
    button.click()
    shot(page, "collection-report")
    assert f"{report['n_clusters']} clusters of {report['rows']:,} texts" in page.locator(".lead").inner_text()
    if page.get_by_role("button", name="Show all").count():
        page.get_by_role("button", name="Show all").click()
    sizes = page.locator(".bars button:not(.link)").evaluate_all("(all) => all.map((b) => [Number(b.dataset.item), b.querySelector('.size').textContent])")
    expected = {c["id"]: c["size"] for c in report["clusters"]} | ({report["n_clusters"]: report["noise"]} if report["noise"] else {})
    assert {item: int(size.replace(",", "")) for item, size in sizes} == expected
    one = report["clusters"][1]
    page.locator(f".bars button[data-item='{one['id']}']").click()
    assert state(page, "[...scene.selection].map((row) => scene.points.label[row])") == [one["id"]] * one["size"]


def test_plots_over_time(open_page, written):
    """Pictures that other verbs have left are drawn under the page's own policy."""
    page = opened(open_page, written("strange", 2000, REPORT), bypass_csp=False)
    image = page.get_by_role("img", name="Drift over time")
    image.scroll_into_view_if_needed()
    assert image.evaluate("(image) => image.decode().then(() => image.naturalWidth > 0)")
    shot(page, "plots")
    page = opened(open_page, written("plain", 2000, REPORT))
    assert page.get_by_role("heading", name="Plots that were kept").count() == 0
