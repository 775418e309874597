# How scripts tell what they do: plain lines on stderr, long steps with the time so far and a log file each.
# shellcheck shell=bash
# To be sourced from the repository's root. Sets LOGS, the folder of the log files.

LOGS=.state/logs
SELF=${SELF:-scripts/${0##*/}}

say() { printf '%s\n' "$*" >&2; }
die() { say "$SELF: $*"; exit 1; }

# One more line every so often, until the script that asked ends or the step is over.
tick() { # tick WHAT STARTED
  local beat=15
  [ ! -t 2 ] || beat=1
  while sleep "$beat" && kill -0 "$$" 2>/dev/null; do
    if [ -t 2 ]; then printf '\r  … %s (%d s)\033[K' "$1" "$((SECONDS - $2))" >&2; else say "  … $1 ($((SECONDS - $2)) s so far)"; fi
  done
}

# Runs a command with its output in a log file. On failure: the log's last lines, the advice, exit 1.
# Not to be called in a condition: there the shell would go on after a failed line of a function.
step() { # step NAME WHAT ADVICE COMMAND...
  local log=$LOGS/$1.log what=$2 advice=$3 started=$SECONDS status ticker
  shift 3
  mkdir -p "$LOGS"
  tick "$what" "$started" & ticker=$!
  set +e
  ( set -e; "$@" ) >"$log" 2>&1 </dev/null
  status=$?
  set -e
  kill "$ticker" 2>/dev/null
  wait "$ticker" 2>/dev/null || true
  [ ! -t 2 ] || printf '\r\033[K' >&2
  [ "$status" = 0 ] || fail_step "$log" "$what" "$advice" "$status"
  say "  ✓ $what ($((SECONDS - started)) s)"
}

fail_step() { # fail_step LOG WHAT ADVICE STATUS
  say "  ✗ $2"
  tail -n 25 "$1" | sed 's/^/    | /' >&2
  say "$SELF: \"$2\" failed with exit code $4. $3"
  say "The whole output: $PWD/$1"
  exit 1
}
