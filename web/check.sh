#!/usr/bin/env bash
# Types, unit tests, and that the committed page.html is what the sources give. Needs Node 18 or newer.
set -euo pipefail
cd "$(dirname "$0")"
[ -x node_modules/.bin/esbuild ] || npm ci --silent
npm run --silent types
npm test --silent
node build.mjs --check
