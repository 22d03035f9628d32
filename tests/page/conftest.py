"""Pages from the real writer, in the real browser (Debian's Chromium), with what must hold for every page checked at its end."""

import json
import os
import pathlib
import shutil
import subprocess

import pytest
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
FLAGS = """--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update
    --disable-sync --use-gl=angle --use-angle=swiftshader --enable-unsafe-swiftshader""".split()
NO_GL = "--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-gpu --disable-3d-apis".split()


def make_page_program() -> pathlib.Path:
    """SHOAL_MAKE_PAGE, or the newest that was built."""
    if "SHOAL_MAKE_PAGE" in os.environ:
        return pathlib.Path(os.environ["SHOAL_MAKE_PAGE"])
    built = sorted(ROOT.glob("build/*/make_page"), key=lambda p: p.stat().st_mtime)
    assert built, "tests/page/make_page.cpp is not built: run `make test`, or set SHOAL_MAKE_PAGE"
    return built[-1]


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """written(kind, rows, report) is the path of such a page; each is written once."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}

    def write(kind: str, rows: int = 2000, report: dict | None = None) -> pathlib.Path:
        key = kind, rows, json.dumps(report)
        if key not in made:
            path = folder / f"{kind}-{rows}-{len(made)}.html"
            said = []
            if report is not None:
                path.with_suffix(".json").write_text(json.dumps(report))
                said = [path.with_suffix(".json")]
            subprocess.run([make_page_program(), kind, path, str(rows), *said], check=True)
            made[key] = path
        return made[key]

    return write


def launch(playwright, flags):
    chromium = os.environ.get("SHOAL_CHROMIUM") or shutil.which("chromium")
    assert chromium, "no chromium: install Debian's, or set SHOAL_CHROMIUM"
    return playwright.chromium.launch(executable_path=chromium, args=flags)


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright):
    started = launch(playwright, FLAGS)
    yield started
    started.close()


@pytest.fixture(scope="session")
def browser_without_gl(playwright):
    started = launch(playwright, NO_GL)
    yield started
    started.close()


@pytest.fixture
def open_page(browser):
    """open_page(path, ...) is the page once its texts are there. At the end of the test: no error, no request outside."""
    contexts, faults = [], []

    def open_(path, query="", width=1400, height=900, by=None, bypass_csp=True, **options):
        context = (by or browser).new_context(
            viewport={"width": width, "height": height}, bypass_csp=bypass_csp, accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("console", lambda m: m.type in ("error", "warning") and faults.append(f"console: {m.text}"))
        page.on("request", lambda r: r.url.startswith(("file:", "blob:", "data:")) or faults.append(f"request: {r.url}"))
        page.goto(f"file://{path}{query}")
        page.wait_for_selector("html[data-ready]", timeout=60_000)
        return page

    open_.faults = faults
    yield open_
    for context in contexts:
        context.close()
    # The browser's own remarks about slow software GL are not ours.
    assert [f for f in faults if "GPU stall" not in f and "WebGL" not in f] == []
