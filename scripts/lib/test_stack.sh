# The project leadersboard-test, started for tests and benchmarks, and what they are told of it.
# shellcheck shell=bash

# Chromium for the tests in tests/browser: the one that is there, else the distribution's when we may install it.
find_chromium() {
  local name
  for name in chromium chromium-browser google-chrome; do
    if command -v "$name"; then return 0; fi
  done
  return 1
}

install_chromium() { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium; }

ensure_chromium() {
  if find_chromium >/dev/null; then return 0; fi
  if [ "$(id -u)" = 0 ] && grep -qs '^ID=debian' /etc/os-release; then
    step chromium "Installing Chromium from the distribution's packages" "Install Chromium yourself, then try again." install_chromium
  else
    say "  – no Chromium found: the browser tests will be skipped"
  fi
}

# nginx for the test behind a TLS proxy; its service is not started.
find_nginx() { PATH=$PATH:/usr/sbin command -v nginx; }

# The package would start a server of its own; exit 101 forbids that while it is installed.
install_nginx() {
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
  fi
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends nginx-light
}

ensure_nginx() {
  if find_nginx >/dev/null; then return 0; fi
  if [ "$(id -u)" = 0 ] && grep -qs '^ID=debian' /etc/os-release; then
    step nginx "Installing nginx from the distribution's packages" "Install nginx yourself, then try again." install_nginx
  else
    say "  – no nginx found: the test behind a TLS proxy will be skipped"
  fi
}

# Who runs the tests must be able to use the inner engine's socket; root can anyway.
engine_group() { if [ "$(id -u)" = 0 ]; then echo 10001; else id -g; fi; }

tell_tests() {
  export COMPOSE_ENV_FILES=$ENV_FILE                                        # for a test that calls docker compose
  export LEADERSBOARD_TEST_PROJECT=$PROJECT
  export LEADERSBOARD_TEST_ROOT=$TEST_ROOT                                  # the engine sees it at the same path
  export LEADERSBOARD_TEST_ENGINE=unix://$TEST_ROOT/engine/docker.sock      # the inner engine
  LEADERSBOARD_TEST_REDIS_URL=redis://:$(setting REDIS_PASSWORD)@127.0.0.1:16379 # /0 is the stack's own: take /1 to /15
  export LEADERSBOARD_TEST_REDIS_URL
  export LEADERSBOARD_TEST_MLFLOW_URL=http://localhost:15011                # MLflow itself; published in this project alone
  export LEADERSBOARD_TEST_MLFLOW_DOOR_URL=http://localhost:15010           # its pages behind the sign-in
  export LEADERSBOARD_TEST_API_URL=http://localhost:18010
  export LEADERSBOARD_TEST_UI_URL=http://localhost:18501
  export LEADERSBOARD_TEST_SANDBOX_IMAGE=$SANDBOX_IMAGE
  LEADERSBOARD_TEST_ADMIN_TOKEN=$(token_of admin)
  LEADERSBOARD_TEST_TOKEN=$(token_of researcher)                            # user researcher
  LEADERSBOARD_TEST_OTHER_TOKEN=$(token_of other)                           # a second user, called other
  LEADERSBOARD_TEST_CHROMIUM=$(find_chromium || true)                       # empty: none on this machine
  LEADERSBOARD_TEST_NGINX=$(find_nginx || true)                             # the same
  export LEADERSBOARD_TEST_NGINX
  export LEADERSBOARD_TEST_ADMIN_TOKEN LEADERSBOARD_TEST_TOKEN LEADERSBOARD_TEST_OTHER_TOKEN LEADERSBOARD_TEST_CHROMIUM
}

stop_what_we_started() {
  if [ -n "$PURGE" ]; then
    step "$PROJECT-down" "Removing $PROJECT" "\`docker compose -p $PROJECT ps\` shows what is left." compose down --volumes --remove-orphans
  elif [ -z "$RAN_BEFORE" ]; then
    step "$PROJECT-stop" "Stopping $PROJECT (its images and data stay, for the next time)" \
      "\`docker compose -p $PROJECT ps\` shows what is left." compose stop
  fi
}

# Everything running and told; what was started here is stopped when the script ends.
start_test_stack() {
  choose_project leadersboard-test
  scripts/venv
  ensure_chromium
  ensure_nginx
  scripts/engine start
  write_settings "admin researcher other" GATEWAY_PORT=18010 UI_PORT=18501 MLFLOW_PORT=15010 \
    MLFLOW_URL=http://localhost:15010 API_PUBLIC_URL=http://localhost:18010
  RAN_BEFORE=$(compose ps --quiet --status running gateway 2>/dev/null || true)
  trap stop_what_we_started EXIT
  scripts/setup leadersboard-test
  step "$PROJECT-up" "Starting all services" "Does something else use port 15010, 15011, 16379, 18010 or 18501?" \
    compose up --detach --wait --no-build
  tell_tests
}
