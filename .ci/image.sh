# Builds the image and tries it, without a container engine: buildah in a chroot, on a base made from Debian's packages
# and the project's own Node, since an image hub cannot be reached everywhere. What a chroot cannot show stays untested:
# the read-only root, dropped capabilities, and node as process 1.
#
#   image.sh build      builds the base and on it the image
#   image.sh contents   what is in the image, what is not, and what it declares
#   image.sh runs       starts it, asks it, stops it
set -euo pipefail

export BUILDAH_ISOLATION=chroot
base=localhost/django-mcp-server-base
image=localhost/django-mcp-server

# A store of its own, which goes when the run ends: plain folders, no mounts.
buildah() {
  command buildah --storage-driver vfs --root "$CI_WORK/containers" --runroot "$CI_WORK/containers-run" "$@"
}

skip() {
  echo "$1"
  exit "$CI_SKIP"
}

# Sets `container` to a new container of image $1 and `root` to its files.
container_of() {
  container=$(buildah from --pull-never "$1")
  root=$(buildah mount "$container")
}

# Stands in for the Dockerfile's default base: Node with npm on Debian slim, and uid 1000 as `node`.
make_base() {
  container_of scratch
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$root"
  chroot "$root" useradd --uid 1000 --user-group --create-home node

  install -D node_modules/node/bin/node "$root/usr/local/bin/node"
  npm install --global --prefix "$root/usr/local" "npm@$(npm --version)"

  # How this machine reaches the registry is a matter of this machine, so it stays out of the Dockerfile.
  local authorities=${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}
  install -D --mode=0644 "$authorities" "$root/usr/local/etc/authorities.crt"
  printf 'registry=%s\ncafile=/usr/local/etc/authorities.crt\n' "$(npm config get registry)" >"$root/usr/local/etc/npmrc"
  buildah config --env NODE_EXTRA_CA_CERTS=/usr/local/etc/authorities.crt --cmd node "$container"

  # Whether this machine can run anything in a container at all, and reach the registry from there.
  buildah run "$container" -- node --version
  buildah run "$container" -- npm view fastify version

  buildah commit --quiet --rm --format docker "$container" "$base"
}

build() {
  [[ $(id -u) == 0 ]] || skip 'building the image needs root'
  type -P buildah >/dev/null && type -P mmdebstrap >/dev/null || skip 'buildah or mmdebstrap is not installed'
  [[ $(df --output=avail -k "$CI_WORK" | tail -n 1) -gt 6000000 ]] || skip 'less than 6 GB are free for containers'
  # Not the machine's fault, so not a reason to skip.
  [[ -x node_modules/node/bin/node ]] || { echo 'the dependencies are not installed'; exit 1; }
  local words
  words=$(bash "${BASH_SOURCE[0]}" make_base 2>&1 | tee /dev/stderr | tail -n 1) || skip "this machine cannot make a base image: $words"
  buildah bud --format docker --pull-never --build-arg "BASE=$base" --tag "$image" .
}

built() {
  buildah images --quiet "$image" 2>/dev/null | grep -q . || skip 'there is no image'
}

contents() {
  built
  container_of "$image"
  buildah inspect --type image "$image" >"$CI_WORK/image.json"
  node_modules/.bin/node test/container/inspect.ts "$CI_WORK/image.json" "$root"
  buildah rm "$container" >/dev/null
}

# Prints the items of the image's list at the path $1, one a line.
declared() {
  node -p "require(process.argv[1]).Docker.config.$1.join('\n')" "$CI_WORK/image.json"
}

# Tries a command every other second for $1 seconds.
within() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || { echo "in vain: $*"; return 1; }
    sleep 2
  done
}

# The last process of the line that starts with process $1.
last_of() {
  local process=$1 child
  while child=$(pgrep --parent "$process"); do process=$child; done
  echo "$process"
}

answers() {
  curl --silent --fail --max-time 2 --output /dev/null "$1"
}

runs() {
  built
  container_of "$image"
  buildah inspect --type image "$image" >"$CI_WORK/image.json"
  local command check ports port backend
  mapfile -t command < <(declared Cmd)
  mapfile -t check < <(declared 'Healthcheck.Test.slice(1)')
  # Two ports that are free now; the network is the host's.
  read -r port backend < <(node -e '
    const { createServer } = require("node:net")
    const servers = [createServer(), createServer()]
    for (const server of servers) server.listen(0)
    setImmediate(() => {
      console.log(servers.map((server) => server.address().port).join(" "))
      for (const server of servers) server.close()
    })')

  mkdir -p "$CI_WORK/tools"
  cat >"$CI_WORK/tools/mounted.js" <<'TOOL'
import { defineTool } from 'django-mcp-server'

export default defineTool({
  name: 'mounted',
  title: 'Mounted',
  description: 'Shows that tools can be mounted.',
  scopes: ['read'],
  annotations: { readOnlyHint: true },
  input: { type: 'object', properties: {} },
  handler: async () => 'mounted'
})
TOOL

  local settings=(
    --env "PORT=$port"
    --env "DJANGO_BASE_URL=http://127.0.0.1:$backend"
    --env DJANGO_API_KEY=prefix.key
    --env "JWT_SECRET=$(head -c 48 /dev/urandom | base64 -w 0)"
    --env TOOLS_DIR=/app/custom/tools
    --volume "$CI_WORK/tools:/app/custom/tools:ro"
  )
  buildah run "${settings[@]}" "$container" -- "${command[@]}" &
  running=$! stub=
  trap 'kill $(last_of "$running") $stub 2>/dev/null || true' EXIT
  within 30 answers "http://127.0.0.1:$port/live/"
  echo 'it is alive'

  local process
  process=$(last_of "$running")
  [[ $(tr '\0' ' ' <"/proc/$process/cmdline") == *node' --import '* ]]
  [[ $(awk '/^[UG]id:/ { print $2, $3, $4, $5 }' "/proc/$process/status" | sort -u) == '1000 1000 1000 1000' ]]
  echo 'it is node, as user and group 1000'

  curl --silent --fail "http://127.0.0.1:$port/metrics" | grep '^mcp_catalog_items{kind="tool"} 2$'
  echo 'it has its own tool and the mounted one'

  local health=(buildah run --env "PORT=$port" "$container" -- "${check[@]}") code=0
  "${health[@]}" || code=$?
  [[ $code == 1 ]]
  echo 'it is not healthy while Django does not answer'

  node -e 'require("node:http").createServer((_, response) => response.end("{}")).listen(process.argv[1], "127.0.0.1")' "$backend" &
  stub=$!
  within 45 "${health[@]}"
  echo 'it is healthy when Django answers'

  kill -TERM "$process"
  wait "$running"
  echo 'it stopped in order'
}

"$1"
