# What image builds need of this machine and must not keep: its certificates, and which package index pip asks.
# shellcheck shell=bash

# The first CA bundle that the machine's settings or its distribution name.
ca_bundle() {
  local file
  for file in "${PIP_CERT:-}" "${SSL_CERT_FILE:-}" "${REQUESTS_CA_BUNDLE:-}" /etc/ssl/certs/ca-certificates.crt \
    /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
    if [ -s "$file" ]; then printf '%s\n' "$file"; return 0; fi
  done
}

# One pip setting: the environment's, else the configuration files'.
pip_setting() { # pip_setting index-url
  local variable=PIP_${1^^}
  variable=${variable//-/_}
  if [ -n "${!variable:-}" ]; then printf '%s\n' "${!variable}"; return 0; fi
  python3 -m pip config get "install.$1" 2>/dev/null || python3 -m pip config get "global.$1" 2>/dev/null || true
}

# Addresses that a build can reach too: a file: index is a folder of this machine.
only_http() { tr -s ' \n' '\n' | grep -E '^https?://' | tr '\n' ' ' || true; }

pip_configuration() {
  local value key
  echo "[global]"
  for key in index-url extra-index-url; do
    value=$(pip_setting "$key" | only_http)
    [ -z "$value" ] || echo "$key = ${value% }"
  done
  for key in trusted-host proxy timeout; do
    value=$(pip_setting "$key" | tr '\n' ' ')
    [ -z "${value% }" ] || echo "$key = ${value% }"
  done
}

# Sets BUILD_CA and BUILD_PIP_CONF to files that only their owner reads; the caller removes them with forget_build_secrets.
prepare_build_secrets() {
  BUILD_SECRETS=$(mktemp -d "${XDG_RUNTIME_DIR:-${TMPDIR:-/tmp}}/leadersboard-build.XXXXXX")
  BUILD_CA=$BUILD_SECRETS/ca BUILD_PIP_CONF=$BUILD_SECRETS/pip.conf
  export BUILD_CA BUILD_PIP_CONF
  local bundle
  bundle=$(ca_bundle)
  if [ -n "$bundle" ]; then cp -L "$bundle" "$BUILD_CA"; else : > "$BUILD_CA"; fi
  pip_configuration > "$BUILD_PIP_CONF"
}

forget_build_secrets() { [ -z "${BUILD_SECRETS:-}" ] || rm -rf "$BUILD_SECRETS"; }
