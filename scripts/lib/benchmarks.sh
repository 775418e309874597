# How a benchmark's folder comes into the project's benchmark volume, data included, all or nothing. The labels of a
# verified one go into a volume of their own, which no run sees.
# shellcheck shell=bash

benchmark_inputs() { # benchmark_inputs FOLDER
  ( cd "$1" && find . -type f ! -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum ) | sha256sum | cut -d' ' -f1
}

is_verified() { grep -qE "^scoring:[[:space:]]*[\"']?verified" "$1/benchmark.yaml"; } # is_verified FOLDER

# Runs the folder's make.py in the sandbox image, without network; a tar stream of PART or more of what is WITHIN then.
made() { # made FOLDER WITHIN PART...
  local options=(--out public)
  if is_verified "$1"; then options+=(--labels labels); fi
  tar -C "$1" --exclude=__pycache__ -c . | inner run --rm --interactive --network none --read-only --tmpfs /tmp:exec \
    --user 60001:60001 --cap-drop ALL --security-opt no-new-privileges "$SANDBOX_IMAGE" \
    sh -euc 'within=$1; parts=$2; shift 2
      mkdir /tmp/made && cd /tmp/made && tar x && python make.py "$@" >&2 && cd "$within" && tar c $parts' \
    made "$2" "${*:3}" "${options[@]}"
}

# The folder as a tar stream. Where it has a make.py, that writes the data.
benchmark_archive() { # benchmark_archive FOLDER
  if [ -f "$1/make.py" ]; then made "$1" . benchmark.yaml public; else tar -C "$1" -c .; fi
}

# The labels as a tar stream; those that make.py writes where no folder is named.
labels_archive() { # labels_archive FOLDER LABELS
  if [ -n "$2" ]; then tar -C "$2" -c .; else made "$1" labels .; fi
}

in_volume() { # in_volume benchmarks|labels SCRIPT ARGUMENTS...
  docker run --rm --interactive --network none --user 10001:10001 --cap-drop ALL --read-only \
    --volume "$(volume_of "$1"):/shared/$1" --workdir "/shared/$1" --entrypoint sh \
    "$(service_image engine)" -euc "$2" install "${@:3}"
}

# Unpacks beside the old folder and later changes places: no job ever sees half of one. The old one stays until the next
# time, because a run may still read it.
receive() { # receive benchmarks|labels NAME [INPUTS]
  in_volume "$1" '
    mkdir -p .incoming .replaced
    [ ! -e ".incoming/$1" ] || { chmod -R u+rwX ".incoming/$1" && rm -rf ".incoming/$1"; }
    mkdir ".incoming/$1"
    tar -C ".incoming/$1" --no-same-owner --no-same-permissions -x
    chmod -R u+rwX,a+rX ".incoming/$1"
    [ -z "${2:-}" ] || echo "$2" > ".incoming/$1/.inputs"' "${@:2}"
}

place() { # place benchmarks|labels NAME
  in_volume "$1" '
    rm -rf ".replaced/$1"
    [ ! -e "$1" ] || mv "$1" ".replaced/$1"
    mv ".incoming/$1" "$1"' "$2" </dev/null
}

drop_received() { in_volume "$1" 'rm -rf ".incoming/$1"' "$2" </dev/null; } # drop_received benchmarks|labels NAME

# Looks at what was received as its readers will, and prints each fault with its path.
check_received() { # check_received NAME
  docker run --rm --network none --user 10001:10001 --cap-drop ALL --read-only --tmpfs /tmp \
    --volume "$(volume_of benchmarks):/shared/benchmarks:ro" --entrypoint python "$(service_image gateway)" \
    -m core.adapters.files.benchmark_report "/shared/benchmarks/.incoming/$1" >&2
}

# The setting is that name in capitals.
volume_of() { local own; own=$(setting "${1^^}"); echo "${own:-${PROJECT}_$1}"; } # volume_of benchmarks|labels
service_image() { compose config --images "$1" | grep -E "leadersboard-$1:" | head -n 1; }

# Asks the platform's own reader whether a site would list this benchmark; says on stderr which rules the file breaks.
check_benchmark() { # check_benchmark FOLDER NAME
  docker run --rm --interactive --network none --read-only --tmpfs /tmp --cap-drop ALL --entrypoint sh \
    "$(service_image gateway)" -euc 'mkdir "/tmp/$1" && cat > "/tmp/$1/benchmark.yaml" && cd /tmp &&
      exec python -m core.adapters.files.benchmark_report "/tmp/$1" --settings-only' check "$2" < "$1/benchmark.yaml" >&2
}

copy_benchmark() { benchmark_archive "$1" | receive benchmarks "$2" "$3"; } # copy_benchmark FOLDER NAME INPUTS
copy_labels() { labels_archive "$1" "$3" | receive labels "$2"; } # copy_labels FOLDER NAME LABELS

# Refuses what cannot be installed, before anything is copied.
check_before() { # check_before FOLDER NAME LABELS FORCE
  [ -f "$1/benchmark.yaml" ] || die "$1 has no benchmark.yaml: see benchmarks/synthetic for how one looks."
  check_benchmark "$1" "$2" || die "nothing was installed: correct $1/benchmark.yaml first (docs/benchmarks.md)."
  if ! is_verified "$1"; then
    [ -z "$3" ] || die "$1/benchmark.yaml does not say \`scoring: verified\`, so it has no labels: leave out --labels."
    return 0
  fi
  [ -n "$3" ] || [ -f "$1/make.py" ] || die "$2 is verified: name the folder of its labels with --labels (docs/scoring.md)."
  [ -n "$3" ] || return 0
  scripts/benchmark check "$1" --labels "$3" >&2 || [ -n "$4" ] ||
    die "nothing was installed: mend what is listed above (docs/scoring.md), or install it as it is with --force."
}

inputs_of() { # inputs_of FOLDER LABELS
  if [ -z "$2" ]; then benchmark_inputs "$1"; else echo "$(benchmark_inputs "$1")$(benchmark_inputs "$2")"; fi
}

is_in_place() { # is_in_place FOLDER NAME INPUTS
  local present
  present=$(compose exec -T engine cat "/shared/benchmarks/$2/.inputs" 2>/dev/null || true)
  [ "$present" = "$3" ] || return 1
  ! is_verified "$1" || in_volume labels '[ -d "$1" ]' "$2" </dev/null
}

install_benchmark() { # install_benchmark FOLDER [FORCE [LABELS]]
  local name inputs force=${2:-} labels=${3:-}
  name=$(basename "$(realpath "$1")")
  check_before "$1" "$name" "$labels" "$force"
  inputs=$(inputs_of "$1" "$labels")
  if is_in_place "$1" "$name" "$inputs"; then say "  ✓ Benchmark $name in place"; return 0; fi
  step "$PROJECT-benchmark-$name" "Copying benchmark $name" "Try again; nothing half-made stays." \
    copy_benchmark "$1" "$name" "$inputs"
  if ! check_received "$name"; then
    if [ -z "$force" ]; then
      drop_received benchmarks "$name"
      die "nothing was installed: mend what is listed above (docs/benchmarks.md), or install it as it is with --force."
    fi
    say "  – Benchmark $name has faults and is installed as it is, with --force"
  fi
  if is_verified "$1"; then  # labels first: no run is to end before they are there
    step "$PROJECT-labels-$name" "Copying the labels of $name" "Try again; nothing half-made stays." \
      copy_labels "$1" "$name" "$labels"
    place labels "$name"
  fi
  place benchmarks "$name"
  say "  ✓ Benchmark $name installed"
}
