# Runs checks one after another and counts them. To be sourced.

passed=0 failed=0 skipped=0

# Where checks keep what the next ones need, removed at the end.
export CI_WORK
CI_WORK=$(mktemp -d)
trap 'rm -rf "$CI_WORK"' EXIT

# The exit code by which a check says that this machine cannot run it; the last line it prints says why.
export CI_SKIP=77

# check NAME SECONDS COMMAND…: what the command prints goes to a file. A failure shows the end of it, and before that
# the tests that failed, which may stand far above. With show=N the last N lines are shown in any case.
check() {
  local name=$1 limit=$2 log="$CI_WORK/$((passed + failed + skipped)).log" start=$SECONDS code
  shift 2
  timeout --kill-after=30 "$limit" "$@" </dev/null >"$log" 2>&1
  code=$?
  local took="$((SECONDS - start)) s"
  case $code in
    0)
      passed=$((passed + 1))
      tail -n "${show:-0}" "$log" | cut -c -300
      echo "passed   $name ($took)"
      ;;
    "$CI_SKIP")
      skipped=$((skipped + 1))
      echo "skipped  $name: $(tail -n 1 "$log" | cut -c -300)"
      ;;
    *)
      failed=$((failed + 1))
      {
        grep -nE -A 16 '^ *not ok' "$log" | head -n 120 && echo '…'
        tail -n 60 "$log"
      } | cut -c -300 | sed 's/^/    /'
      [[ $code != 124 && $code != 137 ]] || took="ended after $limit s"
      echo "FAILED   $name (exit code $code, $took)"
      {
        echo "$name:"
        grep -E '^ *not ok' "$log" | head -n 12
      } | cut -c -200 >>"$CI_WORK/failures"
      ;;
  esac
}

# The closing line, and an exit code that is 0 only if nothing failed.
summary() {
  local skips=''
  # Once more, because the end is what people look at.
  [[ ! -s $CI_WORK/failures ]] || cat "$CI_WORK/failures"
  [[ $skipped == 0 ]] || skips=", $skipped skipped"
  echo "$passed passed, $failed failed$skips"
  [[ $failed == 0 ]]
}
