"""The page of moving words in a real browser: time, trails, search, odd words."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from test_page import shot


@pytest.fixture
def page(open_page, written):
    return open_page(written("words", 500))


def places(page, words=range(20, 60)):
    return page.evaluate("(all) => all.map((i) => shoal.pixelOf(i))", list(words))


def pixels(page):
    """The map as it is drawn now."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.evaluate("() => document.getElementById('map').toDataURL()")


def coloured(page, colour):
    """How many pixels of the map are of that colour."""
    pixels(page)
    return page.evaluate("""([r, g, b]) => {
        const map = document.getElementById('map'), copy = new OffscreenCanvas(map.width, map.height).getContext('2d', { willReadFrequently: true });
        copy.drawImage(map, 0, 0);
        const all = copy.getImageData(0, 0, map.width, map.height).data;
        let n = 0;
        for (let i = 0; i < all.length; i += 4) n += all[i] === r && all[i + 1] === g && all[i + 2] === b && all[i + 3] === 255;
        return n;
    }""", colour)


def near(page):
    return page.locator("#near li").all_inner_texts()


def test_time_moves_the_points_and_all_that_stands_beside(page):
    before, drawn, listed = places(page), pixels(page), near(page)
    assert page.locator("#at").inner_text() == "the start"
    page.locator("#slide").fill("5")
    after = places(page)
    assert page.locator("#at").inner_text() == "epoch 10 of 10"
    assert sum(abs(a[0] - b[0]) + abs(a[1] - b[1]) > 20 for a, b in zip(before, after)) > 30
    assert pixels(page) != drawn
    assert listed != near(page) and near(page)[0].startswith("word13") and "0.80" in near(page)[0]
    assert page.locator(".curve span").all_inner_texts() == ["-0.250", "-2.800"]
    page.locator("#slide").fill("0")
    assert places(page) == before and page.locator(".curve span").all_inner_texts() == ["", "-3.900"]
    page.locator("#slide").fill("2.5")  # between two maps a word is between its places
    middle = places(page)
    page.locator("#slide").fill("2")
    two = places(page)
    page.locator("#slide").fill("3")
    three = places(page)
    assert all(abs(m[c] - (a[c] + b[c]) / 2) < 0.1 for m, a, b in zip(middle, two, three) for c in (0, 1))


def test_it_plays_to_the_end_and_again(page):
    page.locator("#play").click()
    assert page.locator("#play").inner_text() == "Pause"
    page.wait_for_function("() => shoal.time > 0.5")
    page.locator("#play").click()
    stopped = page.evaluate("shoal.time")
    page.wait_for_timeout(200)
    assert 0.5 < page.evaluate("shoal.time") == stopped < 5
    page.locator("#play").click()
    page.wait_for_function("() => shoal.time === 5")
    assert page.locator("#play").inner_text() == "Play"
    page.locator("#play").click()
    page.wait_for_function("() => shoal.time > 0 && shoal.time < 4")


def test_search_chooses_a_word_and_draws_its_trail(page):
    page.locator("#slide").fill("5")
    blue = [28, 126, 214]
    assert coloured(page, blue) == 0
    page.locator("#search").fill("WORD12")
    assert page.locator("#found li").all_inner_texts()[0] == "word12"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    assert page.evaluate("shoal.chosen") == ["word6", "word12"]
    assert page.locator("#nearest h2").inner_text() == "Nearest to word12 at epoch 10"
    long = coloured(page, blue)
    page.locator("#slide").fill("1")
    assert 60 < coloured(page, blue) < long
    page.locator("#near button").first.click()
    assert page.evaluate("shoal.chosen") == ["word6", "word12", "word13"]
    page.get_by_role("button", name="Forget word12").click()
    assert page.evaluate("shoal.chosen") == ["word6", "word13"]
    page.locator("#search").fill("nothing like it")
    assert page.locator("#found li").all_inner_texts() == ["No word of this page is like that."]


def test_a_click_on_a_point_chooses_it_and_dragging_does_not(page):
    page.locator("#slide").fill("5")
    box = page.locator("#map").bounding_box()
    far = page.evaluate("() => { const p = [...Array(500).keys()].map((i) => shoal.pixelOf(i)); return p.findIndex((a, i) => i > 6 && p.every((b, j) => i === j || Math.hypot(a[0] - b[0], a[1] - b[1]) > 9)); }")
    x, y = page.evaluate("(i) => shoal.pixelOf(i)", far)
    page.mouse.click(box["x"] + x, box["y"] + y)
    assert page.evaluate("shoal.chosen") == ["word6", f"word{far}"]
    before = places(page)
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.down()
    page.mouse.move(box["x"] + x + 50, box["y"] + y + 20, steps=3)
    page.mouse.up()
    assert len(page.evaluate("shoal.chosen")) == 2
    assert all(abs(b[0] - a[0] - 50) < 1 and abs(b[1] - a[1] - 20) < 1 for a, b in zip(before, places(page)))
    page.get_by_role("button", name="Show all").click()
    assert places(page) == before
    page.mouse.move(box["x"] + x, box["y"] + y)
    page.mouse.wheel(0, -400)
    page.wait_for_function("([i, x, y]) => { const p = shoal.pixelOf(i); return shoal.pixelOf(7)[0] !== p[0] && Math.hypot(p[0] - x, p[1] - y) < 1; }", arg=[far, x, y])
    assert places(page) != before


def test_all_of_it_by_keys(page):
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("shoal.time") == 2
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("shoal.time") == 1
    page.keyboard.press("End")
    assert page.evaluate("shoal.time") == 5
    page.keyboard.press("Home")
    assert page.evaluate("shoal.time") == 0
    page.locator("#slide").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("shoal.time") == 1
    page.keyboard.press("/")
    page.keyboard.type("word77")
    page.keyboard.press("Enter")
    assert page.evaluate("shoal.chosen") == ["word6", "word77"] and page.evaluate("shoal.time") == 1
    page.keyboard.press("Tab")  # to the chosen words
    assert page.evaluate("document.activeElement.textContent") == "word6"
    before = places(page)
    page.keyboard.press("+")
    assert places(page) != before
    page.keyboard.press("0")
    assert places(page) == before
    page.locator("#map").focus()
    page.keyboard.press(" ")
    page.wait_for_function("() => shoal.time > 1.2")


def test_odd_words_are_text(open_page, written):
    page = open_page(written("words", 40))
    assert page.title() == "Words </title><b> & co: words that move"
    for start, whole in [("</scr", "</script><script>window.broken = 1</script>"), ("<img", '<img src=x onerror="window.broken = 1">'),
                         ("<!--", "<!--DATA-->"), ("שלום", "שלום"), ("broken", "broken \ufffd\ufffd"), ("&lt", "&lt;b&gt; $& `${1}`")]:
        page.locator("#search").fill(start)
        assert page.locator("#found li").first.inner_text() == whole
        page.keyboard.press("Enter")
        assert whole in page.evaluate("shoal.chosen") and whole in page.locator("#chosen").inner_text()
    assert page.locator(".note").inner_text() == "Training was stopped <b>early</b>."
    assert page.evaluate("window.broken") is None and page.locator("img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_follows_the_browsers_scheme_and_is_accessible(open_page, written, scheme):
    page = open_page(written("words", 500), color_scheme=scheme)
    page.locator("#slide").fill("4")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) > 600) == (scheme == "light")
    shot(page, f"words-{scheme}")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_it_fits_a_phone(open_page, written):
    page = open_page(written("words", 300), width=390, height=800)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shot(page, "words-phone")
    assert all(0 <= x <= 390 for x, _ in places(page))


def test_five_thousand_words(open_page, written):
    page = open_page(written("words", 5000))
    began = page.evaluate("performance.now()")
    page.evaluate("""() => new Promise((done) => {
        let n = 0;
        const step = () => { document.getElementById('slide').value = 5 * ++n / 30; document.getElementById('slide').dispatchEvent(new Event('input')); n < 30 ? requestAnimationFrame(step) : done(); };
        step();
    })""")
    assert page.evaluate("performance.now()") - began < 15_000 and page.evaluate("shoal.time") == 5
