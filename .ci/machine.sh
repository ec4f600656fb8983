# Installs what the checks need and this machine lacks. Checks that miss something all the same say so themselves.
set -uo pipefail

packages=()

lacks() {
  command -v "$1" >/dev/null || packages+=("${2:-$1}")
}

lacks curl
lacks buildah
lacks mmdebstrap
lacks redis-server
lacks chromium
lacks chromedriver chromium-driver
python3 -c 'import ensurepip' 2>/dev/null || packages+=(python3-venv)
[[ ${#packages[@]} == 0 ]] && exit

if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
  echo "Not installed, for lack of root or apt: ${packages[*]}"
  exit
fi
echo "Installing ${packages[*]}"
log=$(mktemp)
{
  apt-get update && DEBIAN_FRONTEND=noninteractive timeout 600 apt-get install --yes --no-install-recommends "${packages[@]}"
} >"$log" 2>&1 || tail -n 20 "$log"
rm -f "$log"
