# The short front of it all. `make demo` and `make test` bring what they need themselves (tools/setup), as root or by sudo.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup build multilingual test torture sanitize demo demo-languages words-demo bench page format tidy install clean

PREFIX ?= /usr/local

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

setup: ## Debian packages, pinned wheels in .venv, the model; quick the second time
	@tools/setup base model

build: ## build/release/shoal
	@tools/setup base
	@tools/build release shoal

demo: ## map the descriptions of all Debian packages, leave demo/debian.shoal/map.html
	@tools/setup base model
	@tools/build release shoal
	@tools/demo

multilingual: ## a model for a hundred languages, multilingual-e5-small
	@tools/setup base multilingual

demo-languages: ## one map of texts in eight languages, demo/languages.shoal/map.html
	@tools/setup base multilingual
	@tools/build release shoal
	@tools/demo_languages

words-demo: ## vectors of words from WordNet, leave demo/words.html, on which they move
	@tools/setup base model wordnet
	@tools/build release shoal
	@tools/words_demo

test: ## all tests
	@tools/setup base model lists wordnet test
	@tools/build ci all
	@tools/test

torture: ## kills, full disks and damaged files, compared byte for byte; some minutes
	@tools/setup base
	@tools/build release shoal
	@tests/torture/torture.py build/release/shoal

sanitize: ## the same tests in C++ under the address, undefined-behaviour and thread sanitizers; about an hour
	@tools/setup base model lists wordnet test
	@tools/sanitize

bench: ## shoal beside its peers, each in its own process; writes bench/results
	@tools/setup base model lists wordnet bench
	@tools/build release all
	@bench/run

page: ## rebuild web/page.html from web/src (needs Node 18 or newer)
	@cd web && npm ci --no-audit --no-fund --silent && npm run --silent build

format: ## clang-format over all sources
	@tools/setup lint
	@git ls-files '*.h' '*.cpp' '*.inl' | xargs clang-format -i

tidy: ## clang-tidy over the library and the program
	@tools/setup base lint
	@tools/build dev all
	@git ls-files 'src/*.cpp' 'cli/*.cpp' | grep -v _test | xargs -P 2 -n 4 clang-tidy -p build/dev --quiet --extra-arg=-Wno-unknown-warning-option

install: build ## program, library and headers to PREFIX (default /usr/local)
	@cmake --install build/release --prefix $(PREFIX)

clean: ## forget all builds (the model and .venv stay)
	@rm -rf build demo
