"""Names of clusters by a server that the user gave: a small one on this machine."""
import http.server
import json
import os
import socket
import subprocess
import threading

import pytest
from conftest import SHOAL, fingerprints, shoal


@pytest.fixture(scope="module")
def collection(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    texts = folder / "t.txt"
    texts.write_text("".join(f"{who} {what}\n" for who, what in (
        ("the cat", "sleeps"), ("a cat", "purrs"), ("my cat", "eats \"fish\""), ("the stock market", "fell"),
        ("the stock market", "rose"), ("a stock market", "closed"))))
    shoal("map", texts, "--format", "lines", "--clusters", 2, "--out", folder / "c.shoal", "--quiet")
    return folder / "c.shoal"


class Server:
    """Answers with the given (status, content) one after the other, the last for ever, and keeps what it was sent."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.requests.append((self.path, dict(self.headers), body))
                status, content = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                reply = content.encode()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", f"{outer.url}/elsewhere")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.http = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/v1"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def reply(name):
    return 200, json.dumps({"choices": [{"message": {"role": "assistant", "content": name}}]})


def explain(collection, *arguments, **environment):
    return subprocess.run([SHOAL, "explain", collection, *map(str, arguments)], capture_output=True, text=True,
                          env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **environment})


def test_names_come_back_and_what_was_shown_was_sent(collection):
    before = fingerprints(collection)
    with Server(reply('"Cats at home"\nbecause of the cats'), reply("Stock market")) as server:
        options = ("--name-url", server.url + "/", "--name-model", "tiny", "--api-key-env", "MY_KEY", "--json")
        shown = json.loads(explain(collection, *options, "--show-prompt").stdout)["requests"]
        assert server.requests == [], "nothing is sent by --show-prompt"
        result = explain(collection, *options, MY_KEY="secret-1")
        assert [c["name"] for c in json.loads(result.stdout)["clusters"]] == ["Cats at home", "Stock market"]
    assert [r["body"] for r in shown] == [body for _, _, body in server.requests]
    for (path, headers, body), request in zip(server.requests, shown):
        assert request["url"] == server.url + "/chat/completions" and path == "/v1/chat/completions"
        assert headers["Authorization"] == "Bearer secret-1" and headers["Content-Type"] == "application/json"
        assert request["headers"] == ["Content-Type: application/json", "Authorization: Bearer $MY_KEY"]
        assert json.loads(body)["model"] == "tiny" and json.loads(body)["temperature"] == 0
    assert any('eats \\"fish\\"' in body for _, _, body in server.requests), "the typical texts are in it"
    assert fingerprints(collection) == before, "the collection stays as it is"


def test_without_a_url_nothing_is_sent(collection):
    assert explain(collection, http_proxy="http://127.0.0.1:9").returncode == 0
    for flag in (["--name-model", "m"], ["--api-key-env", "HOME"], ["--show-prompt"]):
        result = explain(collection, *flag)
        assert result.returncode == 2 and "--name-url" in result.stderr


def test_what_may_pass_is_tried_again(collection):
    with Server((503, "busy"), (429, "slow down"), reply("A name")) as server:
        result = explain(collection, "--name-url", server.url + "/chat/completions", "--json")
        assert [c["name"] for c in json.loads(result.stdout)["clusters"]] == ["A name", "A name"], result.stderr
        assert len(server.requests) == 4 and server.requests[0] == server.requests[2]


@pytest.mark.parametrize("answer, status, message, requests", [
    ((401, "no such\nkey"), 4, "name of cluster 0: ... answers with status 401: no such key", 1),
    ((302, ""), 4, "status 302", 1),
    ((500, "broken"), 4, "status 500: broken", 3),
    ((200, "<html>"), 5, "the reply holds no name: <html>", 1),
    (reply(" \n "), 5, "the reply holds no name", 1),
])
def test_errors_are_told(collection, answer, status, message, requests):
    with Server(answer) as server:
        result = explain(collection, "--name-url", server.url)
        assert result.returncode == status, result.stderr
        for part in message.split(" ... "):
            assert part in result.stderr
        assert len(server.requests) == requests


def test_names_cannot_steer_the_terminal(collection):
    with Server(reply("\x1b[31mCats\u009b2J \u202eat\u2066 home\x7f\u0000")) as server:
        names = [c["name"] for c in json.loads(explain(collection, "--name-url", server.url, "--json").stdout)["clusters"]]
        assert names == ["[31mCats 2J  at  home"] * 2
    with Server(reply("\u202e\x1b")) as server:
        result = explain(collection, "--name-url", server.url)
        assert result.returncode == 5 and "the reply holds no name" in result.stderr and "\x1b" not in result.stderr


@pytest.mark.parametrize("status", [200, 401, 500])
def test_the_key_is_never_shown(collection, status):
    for content in ("your key is secret-1", "x" * 195 + "secret-1", json.dumps({"error": "secret-1secret-1"})):
        with Server((status, content)) as server:
            result = explain(collection, "--name-url", server.url, "--api-key-env", "MY_KEY", MY_KEY="secret-1")
            assert result.returncode in (4, 5) and "[key" in result.stderr and "secr" not in result.stderr, result.stderr


def test_a_reply_that_is_too_long_is_fetched_once(collection):
    with Server((200, "x" * (17 << 20))) as server:
        result = explain(collection, "--name-url", server.url)
        assert result.returncode == 4 and "answers with more than 16777216 bytes" in result.stderr, result.stderr
        assert len(server.requests) == 1


def test_addresses_and_keys_that_are_none(collection):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        result = explain(collection, "--name-url", f"http://127.0.0.1:{unused.getsockname()[1]}/v1")
    assert result.returncode == 4 and "gives no answer" in result.stderr
    result = explain(collection, "--name-url", "file:///etc/passwd")
    assert result.returncode == 2 and "begins with http" in result.stderr
    for environment in ({}, {"MY_KEY": ""}, {"MY_KEY": "a\r\nX-Evil: 1"}):
        result = explain(collection, "--name-url", "http://127.0.0.1:9/v1", "--api-key-env", "MY_KEY", **environment)
        assert result.returncode == 2 and "--api-key-env MY_KEY" in result.stderr
