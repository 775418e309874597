# The compose projects of this checkout: `leadersboard`, and `leadersboard-test` beside it; and their inner engines.
# shellcheck shell=bash

# shellcheck source=scripts/lib/build_secrets.sh
. scripts/lib/build_secrets.sh

PROJECT=${PROJECT:-leadersboard}
export SANDBOX_IMAGE=leadersboard-sandbox:latest

# Settings of the test project stay out of .env: both can run at once.
choose_project() { # choose_project leadersboard|leadersboard-test
  PROJECT=$1
  ENV_FILE=$PWD/.env
  COMPOSE_OPTIONS=(--project-directory "$PWD")
  case "$PROJECT" in
    leadersboard) ;;
    leadersboard-test)
      TEST_ROOT=$PWD/.state/test
      ENV_FILE=$TEST_ROOT/env
      export TEST_ROOT
      COMPOSE_OPTIONS+=(--file compose.yml --file compose.test.yml)
      mkdir -p "$TEST_ROOT/engine" ;;
    *) die "unknown project $PROJECT: leadersboard or leadersboard-test" ;;
  esac
}

compose() {
  local options=("${COMPOSE_OPTIONS[@]}" --project-name "$PROJECT")
  [ ! -f "$ENV_FILE" ] || options+=(--env-file "$ENV_FILE")
  docker compose "${options[@]}" "$@"
}

# The client of the inner engine, run beside it: nothing outside reaches its socket.
inner() { compose exec -T engine docker "$@"; }

# Other running inner engines of ours on this machine, by container name.
other_engines() {
  docker ps --filter label=com.docker.compose.service=engine --filter name='^leadersboard' \
    --format '{{.Label "com.docker.compose.project"}} {{.Names}}' | awk -v own="$PROJECT" '$1 != own { print $2 }'
}

random_token() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# Which package index submissions' requirements come from: the one that this machine's pip asks.
package_index() {
  local url bundle
  url=$(pip_setting index-url | only_http)
  if [ -n "$url" ]; then
    echo "PIP_INDEX_URL=${url%% *}"
  else
    python3 -c 'from pip._internal.models.index import PyPI
print(f"PIP_INDEX_URL={PyPI.simple_url}\nPACKAGE_HOSTS={PyPI.file_storage_domain}")' 2>/dev/null || true
  fi
  bundle=$(ca_bundle)
  [ -z "$bundle" ] || echo "INDEX_CA=$bundle"
}

# A secret that a file from an older version lacks; everything else in it stays as it is.
ensure_secret() { # ensure_secret REDIS_PASSWORD
  [ -z "$(setting "$1")" ] || return 0
  [ -z "$(tail -c 1 "$ENV_FILE")" ] || echo >> "$ENV_FILE"
  echo "$1=$(random_token)" >> "$ENV_FILE"
  say "  ✓ ${ENV_FILE#"$PWD"/}: $1 added, with a random value"
}

# Writes the settings with fresh tokens for some users, once; a file that is there is a person's, and keeps its lines.
write_settings() { # write_settings "admin researcher" [LINE...]
  local user users=$1 tokens=()
  for user in $users; do tokens+=("$user:$(random_token)"); done
  shift
  if [ -f "$ENV_FILE" ]; then ensure_secret REDIS_PASSWORD; return 0; fi
  mkdir -p "$(dirname "$ENV_FILE")"
  ( umask 077
    { echo "# Written with random tokens. Every setting and its default: .env.example"
      ( IFS=,; echo "API_TOKENS=${tokens[*]}" )
      echo "ADMIN_USERS=admin"
      echo "UI_SECRET=$(random_token)"
      echo "REDIS_PASSWORD=$(random_token)"
      package_index
      [ "$#" = 0 ] || printf '%s\n' "$@"
    } > "$ENV_FILE.new"
    mv "$ENV_FILE.new" "$ENV_FILE" )
  say "  ✓ ${ENV_FILE#"$PWD"/} written, with a random token for each of: $users"
}

# One setting of the project's file, or nothing.
setting() { # setting API_TOKENS
  [ -f "$ENV_FILE" ] || return 0
  sed -n "s/^$1=//p" "$ENV_FILE" | tail -n 1
}

setting_or() { local value; value=$(setting "$1"); echo "${value:-$2}"; } # setting_or UI_PORT 8501

token_of() { # token_of researcher
  setting API_TOKENS | tr ',' '\n' | sed -n "s/^$1://p" | head -n 1
}

# An engine built here from packages below the floors takes jobs by a line in the settings, written once and said aloud;
# what a site brings itself (ENGINE_IMAGE), or has set, is the site's own matter.
allow_old_engine() {
  [ -z "$(setting ENGINE_IMAGE)$(setting ALLOW_OLD_ENGINE)" ] || return 0
  local old versions image=${IMAGE_PREFIX:-$(setting IMAGE_PREFIX)} tag
  tag=$(setting_or LEADERSBOARD_VERSION dev)
  versions=$(docker run --rm --network none --entrypoint sh "${image}leadersboard-engine:$tag" -c \
    'dockerd --version | sed -n "s/^Docker version \([^,]*\),.*/Engine=\1/p"; runc --version | sed -n "s/^runc version /runc=/p"')
  # shellcheck disable=SC2086  # one word for each part
  old=$(docker run --rm --network none --entrypoint python "${image}leadersboard-runner:$tag" -m runner.engine.advisories $versions) && return 0
  [ -n "$old" ] || die "the engine's versions could not be compared with the lowest safe ones (above)."
  printf 'ALLOW_OLD_ENGINE=true\n' >> "$ENV_FILE"
  say "  ! ${ENV_FILE#"$PWD"/}: ALLOW_OLD_ENGINE=true was added. The engine built from your distribution's packages is older"
  say "    than the lowest version with all fixes that the sandbox leans on, as far as its numbers tell:"
  printf '%s\n' "$old" | while read -r line; do say "    - $line"; done
  say "    With that line jobs are run all the same, and admins see it. Without it they wait. To bring a newer engine: ENGINE_IMAGE."
}
