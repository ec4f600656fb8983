# Clients that are none of the project's dependencies, each against the app in front of the demo's Django.
#
#   clients.sh inspector   the Inspector's command line, in every way in which it agrees on a revision
#   clients.sh python      the Python SDK, likewise
#   clients.sh sign-in     a user signs in to an official client with Django in headless Chromium
#   clients.sh browser     official clients in pages of headless Chromium, of an origin that is allowed and of another
set -euo pipefail

# The project's own Node, since the machine's may be too old for it.
PATH="$PWD/node_modules/.bin:$PATH"
work=$(mktemp -d "$CI_WORK/clients-XXXXXX")

# Installs a package in a place of its own: add NAME@VERSION.
add() {
  echo '{ "private": true }' >"$work/package.json"
  # Neither of them needs its install script.
  npm install --prefix "$work" --no-package-lock --no-audit --no-fund --ignore-scripts "$1"
}

inspector() {
  add @modelcontextprotocol/inspector@2.12.0
  node test/clients/inspector.ts "$work/node_modules/.bin/mcp-inspector" "$work"
}

python() {
  node test/clients/python.ts "$work/venv"
}

needs_chromium() {
  type -P chromium >/dev/null && type -P chromedriver >/dev/null || { echo 'chromium or chromedriver is not installed'; exit "$CI_SKIP"; }
}

sign-in() {
  needs_chromium
  node test/clients/sign-in.ts "$work"
}

browser() {
  needs_chromium
  add esbuild@0.28.2
  "$work/node_modules/.bin/esbuild" test/clients/browser/page.ts --bundle --format=esm --platform=browser --outfile="$work/page.js" --log-level=warning
  node test/clients/browser/run.ts "$work/page.js" "$work/profile"
}

"$1"
