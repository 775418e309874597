# How a benchmark's folder comes into the project's benchmark volume, data included, all or nothing.
# shellcheck shell=bash

benchmark_inputs() { # benchmark_inputs FOLDER
  ( cd "$1" && find . -type f ! -path '*/__pycache__/*' -print0 | sort -z | xargs -0 sha256sum ) | sha256sum | cut -d' ' -f1
}

# The folder as a tar stream. Where it has a make.py, that writes the data: in the sandbox image, without network.
benchmark_archive() { # benchmark_archive FOLDER
  if [ ! -f "$1/make.py" ]; then tar -C "$1" -c .; return; fi
  tar -C "$1" --exclude=__pycache__ -c . | inner run --rm --interactive --network none --read-only --tmpfs /tmp:exec \
    --user 60001:60001 --cap-drop ALL --security-opt no-new-privileges "$SANDBOX_IMAGE" \
    sh -euc 'mkdir /tmp/made && cd /tmp/made && tar x && python make.py --out public >&2 && tar c benchmark.yaml public'
}

in_benchmarks() { # in_benchmarks SCRIPT ARGUMENTS...
  docker run --rm --interactive --network none --user 10001:10001 --cap-drop ALL --read-only \
    --volume "$(benchmark_volume):/shared/benchmarks" --workdir /shared/benchmarks --entrypoint sh \
    "$(service_image engine)" -euc "$1" benchmarks "${@:2}"
}

# Unpacks beside the old folder and later changes places: no job ever sees half of one. The old one stays until the next
# time, because a run may still read it.
receive_benchmark() { # receive_benchmark NAME INPUTS
  in_benchmarks '
    mkdir -p .incoming .replaced
    [ ! -e ".incoming/$1" ] || { chmod -R u+rwX ".incoming/$1" && rm -rf ".incoming/$1"; }
    mkdir ".incoming/$1"
    tar -C ".incoming/$1" --no-same-owner --no-same-permissions -x
    chmod -R u+rwX,a+rX ".incoming/$1" && echo "$2" > ".incoming/$1/.inputs"' "$1" "$2"
}

place_benchmark() { # place_benchmark NAME
  in_benchmarks '
    rm -rf ".replaced/$1"
    [ ! -e "$1" ] || mv "$1" ".replaced/$1"
    mv ".incoming/$1" "$1"' "$1" </dev/null
}

drop_received() { in_benchmarks 'rm -rf ".incoming/$1"' "$1" </dev/null; } # drop_received NAME

# Looks at what was received as its readers will, and prints each fault with its path.
check_received() { # check_received NAME
  docker run --rm --network none --user 10001:10001 --cap-drop ALL --read-only --tmpfs /tmp \
    --volume "$(benchmark_volume):/shared/benchmarks:ro" --entrypoint python "$(service_image gateway)" \
    -m core.adapters.files.benchmark_report "/shared/benchmarks/.incoming/$1" >&2
}

benchmark_volume() { local own; own=$(setting BENCHMARKS); echo "${own:-${PROJECT}_benchmarks}"; }
service_image() { compose config --images "$1" | grep -E "leadersboard-$1:" | head -n 1; }

# Asks the platform's own reader whether a site would list this benchmark; says on stderr which rules the file breaks.
check_benchmark() { # check_benchmark FOLDER NAME
  docker run --rm --interactive --network none --read-only --tmpfs /tmp --cap-drop ALL --entrypoint sh \
    "$(service_image gateway)" -euc 'mkdir "/tmp/$1" && cat > "/tmp/$1/benchmark.yaml" && cd /tmp &&
      exec python -m core.adapters.files.benchmark_report "/tmp/$1" --settings-only' check "$2" < "$1/benchmark.yaml" >&2
}

copy_benchmark() { benchmark_archive "$1" | receive_benchmark "$2" "$3"; } # copy_benchmark FOLDER NAME INPUTS

install_benchmark() { # install_benchmark FOLDER [--force]
  local name inputs present
  name=$(basename "$(realpath "$1")")
  [ -f "$1/benchmark.yaml" ] || die "$1 has no benchmark.yaml: see benchmarks/synthetic for how one looks."
  check_benchmark "$1" "$name" || die "nothing was installed: correct $1/benchmark.yaml first (docs/benchmarks.md)."
  inputs=$(benchmark_inputs "$1")
  present=$(compose exec -T engine cat "/shared/benchmarks/$name/.inputs" 2>/dev/null || true)
  if [ "$present" = "$inputs" ]; then say "  ✓ Benchmark $name in place"; return 0; fi
  step "$PROJECT-benchmark-$name" "Copying benchmark $name" "Try again; nothing half-made stays." \
    copy_benchmark "$1" "$name" "$inputs"
  if ! check_received "$name"; then
    if [ "${2:-}" != --force ]; then
      drop_received "$name"
      die "nothing was installed: mend what is listed above (docs/benchmarks.md), or install it as it is with --force."
    fi
    say "  – Benchmark $name has faults and is installed as it is, with --force"
  fi
  place_benchmark "$name"
  say "  ✓ Benchmark $name installed"
}
