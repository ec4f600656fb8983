# Runs the tests with another version of Node: node.sh VERSION. After `npm test`, which builds tap.
set -euo pipefail
version=$1
prefix="$CI_WORK/node-$version"

mkdir -p "$prefix"
# The package fetches its binary in an install script, which newer npm runs only for the packages named here.
echo '{ "private": true, "allowScripts": { "node": true } }' >"$prefix/package.json"
npm install --prefix "$prefix" --no-package-lock "node@$version"

# Not through npm or npx: both put the project's own Node first on the PATH of what they run.
export PATH="$prefix/node_modules/.bin:$PATH"
[[ $(node --version) == "v$version".* ]] || { echo "node is $(node --version)"; exit 1; }
node --version
bash .ci/tests.sh node node_modules/tap/dist/esm/run.mjs --disable-coverage
