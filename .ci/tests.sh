# Runs a command of tap's and, where at most three files failed, those once more by themselves: tests.sh COMMAND…
# A file that fails twice fails. One that fails once is named: it is a defect of the test's or of the code's, to be
# found, but no reason to hold back everything else on a machine that others load too.
set -uo pipefail
list=$(mktemp -u)
trap 'rm -f "$list"' EXIT

"$@" "--save=$list" && exit 0
[[ -s $list && $(wc -l <"$list") -le 3 ]] || exit 1
mapfile -t files <"$list"
echo "failed, and run once more: ${files[*]}"
"$@" --disable-coverage "${files[@]}" || exit 1
echo "passed when run again: ${files[*]}"
