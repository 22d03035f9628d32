"""The map in a real browser: real clicks, real pixels."""

import csv
import io
import os
import pathlib
import re
import statistics

import pytest
from axe_playwright_python.sync_playwright import Axe

SHOTS = pathlib.Path(__file__).resolve().parents[2] / "build" / "page-shots"
RENDERERS = ["gl", "cpu"]


def shot(page, name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.wait_for_timeout(250)
    page.screenshot(path=SHOTS / f"{name}.png")


def settled(page):
    """Waits until no flight and no coarse frame is under way."""
    page.wait_for_function("() => { const { camera, pending, moving } = shoal.stage; return !camera.running && !pending && !moving; }")


def names(page, what="p.lines.join(' ')"):
    """Of each name on the map as it is drawn now."""
    return page.evaluate(f"() => {{ shoal.stage.paint(); return shoal.stage.labels.placed.map((p) => {what}); }}")


def state(page, expression):
    return page.evaluate(f"() => {{ const {{ scene, stage }} = shoal; return {expression}; }}")


def place_of(page, row):
    """Where a row's point is, in pixels of the window."""
    x, y = page.evaluate("(row) => shoal.stage.pixelOf(row)", row)
    box = page.locator("#map").bounding_box()
    return box["x"] + x, box["y"] + y


def lonely_row(page):
    """A row in a cluster, well inside the map, away from names, whose point no other covers."""
    return page.evaluate("""() => {
        const { stage, scene } = shoal, { camera, labels, grid } = stage, { x, y, label } = scene.points;
        for (let row = 0; row < x.length; row++) {
            const [px, py] = stage.pixelOf(row);
            if (label[row] < 0 || px < 80 || py < 80 || px > camera.width - 80 || py > camera.height - 80) continue;
            if (labels.at(px, py)) continue;
            if (grid.nearest(x[row], y[row], 12 / camera.scale, (other) => other !== row && scene.visible(other)) < 0) return row;
        }
        return -1;
    }""")


def read_csv(download):
    raw = pathlib.Path(download.path()).read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf"), "no byte order mark"
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def export(page, within):
    with page.expect_download() as waiting:
        page.locator(within).get_by_role("button", name="Export CSV").click()
    return read_csv(waiting.value)


def drag(page, points, steps=4):
    page.mouse.move(*points[0])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(x, y, steps=steps)
    page.mouse.up()


def ink(page):
    """Pixels of the points' canvas that are not empty, read from the screen itself."""
    return page.evaluate("""() => {
        const copy = document.createElement("canvas"), { canvas } = shoal.stage.renderer;
        [copy.width, copy.height] = [canvas.width, canvas.height];
        shoal.stage.paint();
        const context = copy.getContext("2d");
        context.drawImage(canvas, 0, 0);
        const { data } = context.getImageData(0, 0, copy.width, copy.height);
        let count = 0;
        for (let i = 3; i < data.length; i += 4) if (data[i] > 24) count++;
        return count;
    }""")


# What it shows.

def test_opens_from_disk_alone(open_page, written):
    """As a user has it: the content policy in force, no hook bypassed."""
    page = open_page(written("plain"), bypass_csp=False)
    assert page.title() == "Letters to the editor"
    assert "2,000 texts" in page.locator("#bar").inner_text()
    assert page.get_by_role("heading", level=1).inner_text() == "Letters to the editor"
    assert "invented data" in page.locator(".made").inner_text()


@pytest.mark.parametrize("renderer", RENDERERS)
def test_draws_the_points(open_page, written, renderer):
    page = open_page(written("plain"), f"?renderer={renderer}")
    assert page.locator("html").get_attribute("data-ready") == renderer
    all_points = ink(page)
    assert all_points > 3000
    page.get_by_role("button", name="None").click()
    assert ink(page) == 0
    page.get_by_role("button", name="All", exact=True).click()
    assert ink(page) == all_points


def test_both_renderers_draw_the_same(open_page, written):
    counts = [ink(open_page(written("plain"), f"?renderer={renderer}")) for renderer in RENDERERS]
    assert abs(counts[0] - counts[1]) < 0.25 * max(counts)


def test_software_gl_is_not_used(open_page, written):
    assert open_page(written("plain")).locator("html").get_attribute("data-ready") == "cpu"


def test_works_where_webgl_is_disabled(open_page, written, browser_without_gl):
    page = open_page(written("plain"), by=browser_without_gl)
    assert page.locator("html").get_attribute("data-ready") == "cpu"
    assert ink(page) > 3000


def test_survives_a_lost_context(open_page, written):
    page = open_page(written("plain"), "?renderer=gl")
    before = ink(page)
    page.get_by_label("Search the texts").fill("bread")
    page.wait_for_selector(".hit")
    page.evaluate("() => shoal.stage.renderer.gl.getExtension('WEBGL_lose_context').loseContext()")
    page.wait_for_function("() => shoal.stage.renderer.name === 'cpu'")
    assert page.locator(".hit").count() > 0
    page.get_by_label("Search the texts").fill("")
    page.wait_for_selector(".row")
    assert abs(ink(page) - before) < 0.25 * before


def test_names_in_two_levels_never_overlap(open_page, written):
    page = open_page(written("plain", 100_000))
    for step in range(3):
        placed = names(page, "[p.left, p.top, p.right, p.bottom, p.name.group]")
        assert placed or step > 0
        for i, a in enumerate(placed):
            for b in placed[:i]:
                assert not (a[0] < b[2] and a[2] > b[0] and a[1] < b[3] and a[3] > b[1])
        page.get_by_role("button", name="Zoom in").click()
        page.get_by_role("button", name="Zoom in").click()
        settled(page)
    assert not any(p[4] for p in placed), "zoomed in, the names of groups give way"
    page.get_by_role("button", name="Back to the first view").click()
    settled(page)
    levels = names(page, "p.name.group")
    assert True in levels and False in levels


INSIDE = """() => {
    const { stage, scene } = shoal, { x, y } = scene.points, { camera } = stage;
    const at = [...x.keys()].filter((i) => x[i] === x[i] && y[i] === y[i]).map((i) => camera.toPixel(x[i], y[i]));
    const seen = at.filter(([px, py]) => px >= 0 && py >= 0 && px <= camera.width && py <= camera.height);
    const span = (axis) => Math.max(...seen.map((p) => p[axis])) - Math.min(...seen.map((p) => p[axis]));
    const { lowX, lowY, highX, highY } = camera.first;
    const box = Math.max(((highX - lowX) * camera.scale) / camera.width, ((highY - lowY) * camera.scale) / camera.height);
    return { share: seen.length / at.length, fills: Math.max(span(0) / camera.width, span(1) / camera.height), box };
}"""


@pytest.mark.parametrize("rows", [1000, 10_000, 100_000])
@pytest.mark.parametrize("size", [(1400, 900), (390, 800), (1920, 1080)])
def test_the_first_view_holds_nearly_all_and_the_dense_part_fills_it(open_page, written, rows, size):
    page = open_page(written("far", rows), width=size[0], height=size[1])
    at_first = page.evaluate(INSIDE)
    assert at_first["share"] >= 0.95
    assert at_first["fills"] > 0.8 and 0.8 < at_first["box"] <= 1
    further = page.locator(".farout")
    outside = int(further.inner_text().split()[0].replace(",", ""))
    assert outside == round((1 - at_first["share"]) * rows) > 0
    further.click()
    settled(page)
    assert page.evaluate(INSIDE)["share"] == 1
    page.wait_for_selector(".farout", state="hidden")
    assert state(page, "stage.camera.zoom") < 0.7
    page.get_by_role("button", name="Back to the first view").click()
    settled(page)
    assert page.evaluate(INSIDE)["share"] == pytest.approx(at_first["share"])
    page.locator("#map").focus()
    page.keyboard.press("a")
    settled(page)
    assert page.evaluate(INSIDE)["share"] == 1


def test_nothing_lies_further_out_where_there_is_no_tail(open_page, written):
    page = open_page(written("same", 500))
    assert page.locator(".farout").is_hidden() and page.evaluate(INSIDE)["share"] == 1


@pytest.mark.parametrize("kind, rows, size", [("plain", 1000, (1400, 900)), ("far", 10_000, (390, 800)), ("many", 20_000, (1920, 1080))])
def test_no_two_names_overlap_at_any_zoom(open_page, written, kind, rows, size):
    page = open_page(written(kind, rows), width=size[0], height=size[1])
    levels = []
    for zoom in (0.7, 1, 1.5, 2, 2.5, 4, 9, 30):
        page.evaluate("(zoom) => { const { camera } = shoal.stage; camera.scale = camera.home * zoom; }", zoom)
        placed = names(page, "[p.left, p.top, p.right, p.bottom, p.name.group]")
        levels.append({p[4] for p in placed})
        width, height = state(page, "[stage.camera.width, stage.camera.height]")
        for i, a in enumerate(placed):
            assert a[0] >= 0 and a[1] >= 0 and a[2] <= width and a[3] <= height, "inside the view"
            for b in placed[:i]:
                assert not (a[0] < b[2] and a[2] > b[0] and a[1] < b[3] and a[3] > b[1]), (zoom, a, b)
    assert True in levels[1] and all(True not in level for level in levels[4:]), "groups when far, clusters when near"
    assert any(False in level for level in levels[4:])


def test_points_can_be_seen_at_first_sight(open_page, written):
    """How large and how strong a point is at first, for few rows and for many."""
    for rows, least in [(1000, 6), (10_000, 3), (100_000, 2)]:
        frame = open_page(written("far", rows)).evaluate("""() => { let seen; const { stage } = shoal, draw = stage.renderer.draw;
            stage.renderer.draw = (frame) => (seen = frame); stage.paint(); stage.renderer.draw = draw; return seen; }""")
        assert frame["size"] >= least and frame["alpha"] >= 0.5, rows


def test_density_is_drawn_behind_the_points_and_follows_the_view(open_page, written):
    drawn = """() => { const { canvas } = shoal.stage.ground, { width, height } = canvas;
        const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
        let sum = 0; for (let i = 3; i < data.length; i += 4) sum += data[i] > 0; return sum / (width * height); }"""
    page = open_page(written("plain", 10_000))
    assert 0.1 < page.evaluate(drawn) < 0.9
    page.evaluate("() => { const { stage } = shoal; stage.camera.scale *= 20; stage.paint(); }")
    assert page.evaluate(drawn) == 0, "near, the points say it better"
    assert open_page(written("plain", 15)).evaluate(drawn) == 0, "too few for a density"


def test_points_grow_as_they_thin_out(open_page, written):
    page = open_page(written("plain", 100_000))
    sizes = page.evaluate("""() => {
        const { stage } = shoal, sizes = [], draw = stage.renderer.draw.bind(stage.renderer);
        stage.renderer.draw = (frame) => { sizes.push(frame.size); draw(frame); };
        for (let i = 0; i < 4; i++) { stage.camera.scale *= 3; stage.paint(); }
        return sizes;
    }""")
    assert sizes == sorted(sizes) and sizes[-1] > 1.6 * sizes[0]


# Pointing.

def test_hover_shows_and_click_pins(open_page, written):
    page = open_page(written("plain"))
    row = lonely_row(page)
    text = page.evaluate("(row) => shoal.scene.texts.get(row)", row)
    x, y = place_of(page, row)
    page.mouse.move(x + 1, y)
    assert text in page.get_by_role("tooltip").inner_text()
    page.mouse.click(x, y)
    pin = page.get_by_role("region", name="Pinned text")
    assert text in pin.inner_text() and f"row {row:,}" in pin.inner_text() and "region:" in pin.inner_text()
    page.mouse.move(x + 200, y + 150)
    assert pin.is_visible()
    page.keyboard.press("Escape")
    assert pin.is_hidden()
    page.mouse.click(x, y)
    assert pin.is_visible()
    pin.get_by_role("button", name="Show the cluster").click()
    assert page.locator(".card").is_visible()


def test_click_elsewhere_unpins(open_page, written):
    page = open_page(written("plain"))
    page.mouse.click(*place_of(page, lonely_row(page)))
    assert page.get_by_role("region", name="Pinned text").is_visible()
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + 3, box["y"] + 3)
    assert page.get_by_role("region", name="Pinned text").is_hidden()


def test_wheel_zooms_where_the_mouse_is_and_drag_pans(open_page, written):
    page = open_page(written("plain"))
    row = lonely_row(page)
    x, y = place_of(page, row)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    settled(page)
    assert state(page, "stage.camera.zoom") > 1.5
    assert place_of(page, row) == pytest.approx((x, y), abs=1)
    drag(page, [(x, y), (x + 60, y + 30)])
    settled(page)
    assert place_of(page, row) == pytest.approx((x + 60, y + 30), abs=1)
    assert state(page, "scene.pinned") == -1, "a drag is no click"


def test_click_on_a_name_opens_its_card(open_page, written):
    page = open_page(written("plain"))
    x, y, index = next(p for p in names(page, "[(p.left + p.right) / 2, (p.top + p.bottom) / 2, p.name.index, p.name.group]") if not p[3])[:3]
    name = state(page, f"scene.meta.clusters[{index}].name")
    box = page.locator("#map").bounding_box()
    page.mouse.click(box["x"] + x, box["y"] + y)
    card = page.locator(".card")
    assert card.get_by_role("heading", level=2).inner_text() == name
    assert "texts ·" in card.inner_text() and card.locator(".typical").count() == 3
    settled(page)
    assert state(page, "stage.camera.zoom") > 1.2
    shot(page, "card")
    card.locator(".typical").first.click()
    assert page.get_by_role("region", name="Pinned text").is_visible()
    card.locator(".chip").first.click()
    assert page.locator(".hit").count() > 0


# Search.

def test_search_finds_marks_counts_jumps_and_exports(open_page, written):
    page = open_page(written("plain"))
    texts = page.evaluate("() => Array.from({length: 2000}, (_, i) => shoal.scene.texts.get(i))")
    expected = [i for i, t in enumerate(texts) if "trains" in t.lower() and "night" in t.lower()]
    page.get_by_label("Search the texts").fill("TRAINS night")
    page.wait_for_selector(".hit")
    assert page.locator("#side h2").inner_text() == f"{len(expected)} texts found"
    assert page.locator(".hit mark").first.inner_text().lower() == "night"
    shown = names(page)
    assert shown and all("night trains" in s for s in shown), "names follow the search"
    rows = export(page, "#side")
    assert [int(r["row"]) for r in rows] == expected
    assert [r["text"] for r in rows] == [texts[i] for i in expected]
    page.locator(".hit button").nth(1).click()
    settled(page)
    assert state(page, "[scene.pinned, Math.round(stage.camera.zoom)]") == [expected[1], 8]
    page.get_by_label("Search the texts").fill("no such words")
    page.get_by_role("heading", name="Nothing found").wait_for()
    page.get_by_label("Search the texts").fill("")
    page.wait_for_selector(".row")


@pytest.mark.parametrize("renderer", RENDERERS)
def test_few_hits_stand_out_and_are_named_where_they_are(open_page, written, renderer):
    page = open_page(written("plain", 100_000), f"?renderer={renderer}")
    row = lonely_row(page)
    beside = """(row) => {
        const { stage } = shoal, { canvas } = stage.renderer, copy = document.createElement("canvas");
        [copy.width, copy.height] = [canvas.width, canvas.height];
        stage.paint();
        copy.getContext("2d").drawImage(canvas, 0, 0);
        const [x, y] = stage.pixelOf(row);
        return copy.getContext("2d").getImageData(Math.round(x) - 3, Math.round(y), 1, 1).data[3];
    }"""
    assert page.evaluate(beside, row) < 100, "the point is smaller than that"
    page.get_by_label("Search the texts").fill(page.evaluate("(row) => shoal.scene.texts.get(row)", row))
    page.wait_for_selector(".hit")
    assert state(page, "[...scene.hits]")[0] == row
    assert page.evaluate(beside, row) > 150
    hits = state(page, "[...scene.hits].map((row) => [scene.points.x[row], scene.points.y[row]])")
    at = names(page, "[p.name.x, p.name.y]")
    assert at and all(place in hits for place in at)
    page.get_by_label("Search the texts").fill("")
    page.wait_for_selector(".row")
    assert not any(place in hits for place in names(page, "[p.name.x, p.name.y]")), "names are at home again"


def test_a_cut_text_is_said_to_be_cut(open_page, written):
    page = open_page(written("cut"))
    note = "Of 1 long text only the first 400 bytes are in this page and searched."
    page.get_by_label("Search the texts").fill("hidden")
    page.get_by_role("heading", name="Nothing found").wait_for()
    assert note in page.locator("#side").inner_text()
    page.get_by_label("Search the texts").fill("beginning")
    page.wait_for_selector(".hit")
    assert note in page.locator("#side").inner_text()
    assert [(r["row"], r["text"][-2:], r["text_cut"]) for r in export(page, "#side")] == [("0", "x\u2026", "yes")]
    page.locator(".hit button").first.click()
    assert "text cut" in page.get_by_role("region", name="Pinned text").inner_text()
    page.get_by_label("Search the texts").fill("part 7")
    page.wait_for_function("() => shoal.scene.hits.length > 1")
    assert {r["text_cut"] for r in export(page, "#side")} == {"no"}


def test_long_lists_of_hits_are_virtual(open_page, written):
    page = open_page(written("plain", 100_000))
    page.get_by_label("Search the texts").fill("part")
    page.get_by_role("heading", name="100,000 texts found").wait_for()
    assert page.locator(".hit").count() < 60
    page.locator(".scroll").evaluate("(e) => (e.scrollTop = e.scrollHeight)")
    page.wait_for_selector("[aria-posinset='100000']")


# Filters.

def test_checkboxes_filter(open_page, written):
    page = open_page(written("plain"))
    first = page.locator(".row:not(.group)").first
    size = int(first.locator(".size").inner_text().replace(",", ""))
    visible = "scene.flags.reduce((n, f) => n + (f & 1), 0)"
    assert state(page, visible) == 2000
    first.get_by_role("checkbox").uncheck()
    assert state(page, visible) == 2000 - size
    group = page.locator(".row.group").first
    assert group.get_by_role("checkbox").evaluate("(e) => e.indeterminate")
    group.get_by_role("checkbox").check()
    assert state(page, visible) == 2000
    group.get_by_role("checkbox").uncheck()
    assert state(page, visible) == 2000 - int(group.locator(".size").inner_text().replace(",", ""))
    name = group.locator(".name").inner_text()
    assert name not in names(page), "its name goes too"


def test_two_thousand_clusters(open_page, written):
    page = open_page(written("many", 20_000))
    assert page.locator(".row").count() < 60
    page.get_by_label("Filter the list by name").fill("coral reefs 3")
    assert page.locator(".row:not(.group)").count() == 8  # 3, 30 to 36
    page.get_by_role("button", name="None").click()
    assert page.locator("#side h2").inner_text() == "Clusters 2,028 of 2,036"  # 37 times 55, and the unclustered
    assert state(page, "scene.facets[0].hidden.reduce((a, b) => a + b, 0)") == 8


def test_colour_by_column(open_page, written):
    page = open_page(written("plain"))
    page.get_by_label("Colour by").select_option("region")
    names = page.locator(".row .name").all_inner_texts()
    assert sorted(names) == sorted(["north", "south", "east", "west", "centre", "coast", "islands"])
    page.get_by_role("checkbox", name="Show north").uncheck()
    hidden = state(page, "scene.flags.reduce((n, f) => n + 1 - (f & 1), 0)")
    assert hidden == int(page.locator(".row", has_text="north").locator(".size").inner_text().replace(",", ""))
    shot(page, "column")


def test_colour_by_a_layer_that_shoal_made(open_page, written):
    page = open_page(written("strange"))
    page.get_by_label("Colour by").select_option("how strange")
    assert page.locator(".row .name").all_inner_texts() == ["0 to 90%", "90 to 99%", "99 to 100%"], "from low to high"
    assert page.locator(".row", has_text="99 to 100%").locator(".size").inner_text() == "20"
    for usual in ("0 to 90%", "90 to 99%"):
        page.get_by_role("checkbox", name=f"Show {usual}").uncheck()
    assert state(page, "[...scene.flags].map((f, row) => [f & 1, row]).filter(([on]) => on).map(([, row]) => row % 100)") == [3] * 20
    page.keyboard.press("c")
    assert page.get_by_label("Colour by").input_value() == "Cluster", "clusters, the column, the layer, and around"
    shot(page, "layer")


# Selections.

def box_around(page, row, half=40):
    x, y = place_of(page, row)
    return (x - half, y - half), (x + half, y + half)


@pytest.mark.parametrize("tool", ["lasso", "box"])
def test_select_add_remove_export(open_page, written, tool):
    page = open_page(written("plain"))
    page.get_by_role("button", name=f"Select with a {tool}").click()
    row = lonely_row(page)
    (left, top), (right, bottom) = box_around(page, row)
    outline = [(left, top), (right, bottom)] if tool == "box" else [(left, top), (right, top), (right, bottom), (left, bottom)]
    drag(page, outline)
    first = state(page, "[...scene.selection]")
    assert row in first
    inside = page.evaluate("""([l, t, r, b]) => { const { stage, scene } = shoal, box = stage.surface.getBoundingClientRect();
        return [...scene.points.x.keys()].filter((i) => { const [x, y] = stage.pixelOf(i);
            return x + box.x > l && x + box.x < r && y + box.y > t && y + box.y < b; }); }""", [left, top, right, bottom])
    assert first == inside
    shifted = [(x + 60, y + 25) for x, y in outline]
    page.keyboard.down("Shift")
    drag(page, shifted)
    page.keyboard.up("Shift")
    both = state(page, "[...scene.selection]")
    assert set(first) < set(both) and both == sorted(both)
    rows = export(page, ".selection")
    assert [int(r["row"]) for r in rows] == both
    assert list(rows[0]) == ["row", "cluster", "cluster_name", "group", "region", "text"]
    page.keyboard.down("Alt")
    drag(page, shifted)
    page.keyboard.up("Alt")
    left_over = state(page, "scene.selection ? [...scene.selection] : []")
    assert set(left_over) <= set(first) and not set(left_over) & (set(both) - set(first))
    page.keyboard.press("Escape")
    assert page.locator(".selection").is_hidden()


def test_formulas_do_not_leave_the_page(open_page, written):
    page = open_page(written("hostile"))
    page.get_by_label("Search the texts").fill("sum")
    page.wait_for_selector(".hit")
    assert export(page, "#side")[0]["text"] == "'@SUM(A1:A9)"
    for query, text in [("hyperlink", "'=HYPERLINK(\"http://example.org\",\"click\")"), ("quoted", "'+1+1, \"quoted\", and a comma"),
                        ("third", "'-2\r\nsecond line\nthird line"), ("tab", "'\tstarts with a tab")]:
        page.get_by_label("Search the texts").fill(query)
        page.wait_for_timeout(300)
        assert text in [r["text"] for r in export(page, "#side")]


# Keys and fingers.

def test_keyboard_alone(open_page, written):
    page = open_page(written("plain"))
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").is_hidden()
    page.keyboard.press("/")
    page.keyboard.type("sea ice")
    page.wait_for_selector(".hit")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    settled(page)
    assert state(page, "scene.pinned === scene.hits[1]")
    page.keyboard.press("Escape")
    assert state(page, "scene.pinned") == -1
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    page.wait_for_selector(".row")
    for _ in range(40):  # to the map by Tab alone
        if state(page, "document.activeElement.id") == "map":
            break
        page.keyboard.press("Shift+Tab")
    assert state(page, "document.activeElement.id") == "map"
    page.keyboard.press("0")
    settled(page)
    before = state(page, "[stage.camera.x, stage.camera.y, stage.camera.zoom]")
    assert before[2] == pytest.approx(1)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    settled(page)
    after = state(page, "[stage.camera.x, stage.camera.y, stage.camera.zoom]")
    assert after[0] > before[0] and after[2] == pytest.approx(1.3)
    page.keyboard.press("Enter")
    assert page.get_by_role("region", name="Pinned text").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    assert state(page, "scene.selection.length") > 100
    page.keyboard.press("c")
    assert state(page, "scene.colorBy") == 1
    page.keyboard.press("l")
    assert state(page, "scene.mode") == "lasso"


def test_fingers(open_page, written):
    page = open_page(written("plain"), width=390, height=800, has_touch=True, is_mobile=True, device_scale_factor=2)
    cdp = page.context.new_cdp_session(page)
    row = lonely_row(page)
    page.touchscreen.tap(*place_of(page, row))
    pin = page.get_by_role("region", name="Pinned text")
    pin.wait_for()
    assert page.evaluate("(row) => shoal.scene.texts.get(row)", row) in pin.inner_text()
    shot(page, "phone-pinned")
    assert page.locator(".row").first.bounding_box()["height"] == 40, "rows are as high as a finger is wide"
    pin.get_by_role("button", name="Unpin").tap()
    box = page.locator("#map").bounding_box()
    cx, cy = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def touch(kind, *points):
        cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]})

    touch("touchStart", (cx - 30, cy), (cx + 30, cy))
    for spread in range(30, 95, 8):
        touch("touchMove", (cx - spread, cy), (cx + spread, cy))
    touch("touchEnd")
    settled(page)
    assert state(page, "stage.camera.zoom") == pytest.approx(94 / 30, rel=0.15)
    x = state(page, "stage.camera.x")
    touch("touchStart", (cx, cy))
    for step in range(0, 80, 10):
        touch("touchMove", (cx - step, cy))
    touch("touchEnd")
    settled(page)
    assert state(page, "stage.camera.x") > x
    assert state(page, "scene.pinned") == -1


def test_nothing_covers_the_map_on_a_phone(open_page, written):
    page = open_page(written("plain", 100_000), width=390, height=800, has_touch=True, is_mobile=True, device_scale_factor=2)
    stage, bar = page.locator("#stage").bounding_box(), page.locator("#bar").bounding_box()
    assert bar["y"] + bar["height"] <= stage["y"] + 1 and stage["height"] > 330
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    shot(page, "phone")


# Looks.

@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, written, scheme):
    page = open_page(written("plain"), color_scheme=scheme)
    axe = Axe()

    def check(where):
        found = axe.run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(v["id"], [n["html"][:120] for n in v["nodes"]][:3]) for v in found] == [], where

    check("at first")
    page.mouse.click(*place_of(page, lonely_row(page)))
    page.locator("#map").focus()
    page.keyboard.press("s")
    check("with pin and selection")
    page.get_by_label("Search the texts").fill("bread")
    page.wait_for_selector(".hit")
    check("with hits")
    page.get_by_label("Search the texts").fill("")
    page.wait_for_selector(".row")
    page.locator(".row button.name").first.click()
    check("with a card")
    page.keyboard.press("?")
    check("with help")


def test_theme_follows_the_system_and_the_button(open_page, written):
    page = open_page(written("plain"), color_scheme="dark")
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.emulate_media(color_scheme="light")
    page.wait_for_selector("html[data-theme=light]")
    page.get_by_role("button", name="Theme").click()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.get_by_role("button", name="Theme: dark").click()
    page.get_by_role("button", name="Theme: light").click()
    assert page.get_by_role("button", name="Theme: as the system").is_visible()


def test_no_motion_where_none_is_wanted(open_page, written):
    page = open_page(written("plain"), reduced_motion="reduce")
    zoom = page.evaluate("() => { shoal.stage.camera.fly(0.1, 0.1, shoal.stage.camera.home * 5); return shoal.stage.camera.zoom; }")
    assert zoom == pytest.approx(5), "one jump, no flight"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_of_100000_points(open_page, written, scheme):
    page = open_page(written("plain", 100_000), color_scheme=scheme)
    shot(page, f"desktop-{scheme}")
    page.mouse.move(500, 500)
    for _ in range(4):
        page.mouse.wheel(0, -300)
    settled(page)
    shot(page, f"zoomed-{scheme}")
    times = page.evaluate("""() => { const { stage } = shoal, times = [];
        for (let i = 0; i < 15; i++) { stage.camera.x += .001; const start = performance.now(); stage.paint(true); times.push(performance.now() - start); }
        return times; }""")
    print(f"\n100,000 points, {scheme}: ready after {state(page, 'shoal.readyAfter'):.0f} ms, "
          f"a moving frame {statistics.median(times):.0f} ms on the processor")
    assert statistics.median(times) < 1500


# Bad and empty data.

def test_hostile_texts_are_texts(open_page, written):
    page = open_page(written("hostile"))
    assert page.evaluate("() => window.broken") is None
    get = lambda row: page.evaluate("(row) => shoal.scene.texts.get(row)", row)
    assert get(0) == "</script><script>window.broken = 1</script>"
    assert get(1) == "<!--DATA--><!-- <script> -->"
    assert get(3) == "a NUL \ufffd inside"
    assert get(4) == b"broken UTF-8: \xff\xfe \xc3( \xed\xa0\x80 end".decode("utf-8", "replace")
    assert get(6).startswith("family \U0001f469\u200d")
    assert get(14) == "x" * 100_000
    assert get(15) == ""
    assert page.title() == "Hostile </title><script>window.broken = 1</script> & co"
    page.get_by_label("Search the texts").fill("window.broken")
    page.wait_for_selector(".hit")
    page.locator(".hit button").first.click()
    page.mouse.move(10, 400)
    page.get_by_label("Search the texts").fill("")
    page.wait_for_selector(".row")
    page.locator(".row button.name", has_text="</script>").first.click()
    assert page.locator(".card h2").inner_text() == "</script><script>window.broken = 1</script>"
    assert page.evaluate("() => window.broken") is None
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("kind", ["empty", "one", "same", "unplaced"])
@pytest.mark.parametrize("renderer", RENDERERS)
def test_degenerate_maps(open_page, written, kind, renderer):
    page = open_page(written(kind, 300), f"?renderer={renderer}")
    rows = {"empty": 0, "one": 1}.get(kind, 300)
    assert f"{rows} text" in page.locator("#bar").inner_text()
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Back to the first view").click()
    page.locator("#map").focus()
    page.keyboard.press("s")
    settled(page)
    if rows:
        page.get_by_label("Search the texts").fill("part 0")
        page.wait_for_selector(".hit")
        page.locator(".hit button").first.click()
        assert "part 0" in page.get_by_role("region", name="Pinned text").inner_text()
    selected = state(page, "scene.selection ? scene.selection.length : 0")
    assert selected == {"empty": 0, "one": 1, "same": 300, "unplaced": 0}[kind]


def test_template_without_data_says_so(browser, written):
    html = pathlib.Path(__file__).resolve().parents[2] / "web" / "page.html"
    page = browser.new_page()
    page.goto(f"file://{html}")
    page.get_by_role("alert").wait_for()
    assert "no data" in page.get_by_role("alert").inner_text()
    page.close()


def test_page_names_no_address():
    html = (pathlib.Path(__file__).resolve().parents[2] / "web" / "page.html").read_text()
    assert set(re.findall(r"https?://[^\"'` )]+", html)) <= {"http://www.w3.org/2000/svg"}
    assert "eval(" not in html and "innerHTML" not in html


# A real collection's page, made by the program.

def test_page_of_a_collection(open_page):
    if "SHOAL_PAGE" not in os.environ:
        pytest.skip("SHOAL_PAGE names no map.html of a real collection")
    page = open_page(pathlib.Path(os.environ["SHOAL_PAGE"]).resolve())
    shot(page, "collection")
    assert ink(page) > 1000
    word = state(page, "scene.meta.clusters[0].words[0].split(' ')[0]")
    page.get_by_label("Search the texts").fill(word)
    page.wait_for_selector(".hit")
    assert len(export(page, "#side")) == state(page, "scene.hits.length")
    shot(page, "collection-search")
