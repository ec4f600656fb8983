# The tests of the Django project in demo/, and whether its OpenAPI document is sound.
set -euo pipefail

python=
for candidate in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do
  if "$candidate" -c 'import sys, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 15))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
if [[ -z $python ]]; then
  echo 'no Python from 3.10 to 3.14 with venv'
  exit "$CI_SKIP"
fi

"$python" -m venv "$CI_WORK/venv"
"$CI_WORK/venv/bin/pip" install --quiet --disable-pip-version-check --requirement demo/requirements.txt
cd demo
export DEMO_DATABASE="$CI_WORK/demo.sqlite3"
"$CI_WORK/venv/bin/python" manage.py spectacular --validate --fail-on-warn --file "$CI_WORK/openapi.yaml"
"$CI_WORK/venv/bin/python" manage.py test
