# How the sandbox image comes into a project's inner engine: it is there, or another engine has it, or it is built there.
# shellcheck shell=bash

INPUTS_LABEL=leadersboard.inputs

SANDBOX_FILES=(Dockerfile requirements.txt weights.txt weights.py)

sandbox_inputs() { { ( cd sandbox_image && cat "${SANDBOX_FILES[@]}" ); echo "$BASE_IMAGE"; } | sha256sum | cut -d' ' -f1; }

# An image with these inputs that this machine has already: "<container or -> <name>", or nothing.
find_sandbox_image() { # find_sandbox_image INPUTS
  local engine name list=(image ls --filter "label=$INPUTS_LABEL=$1" --format '{{.Repository}}:{{.Tag}}')
  name=$(docker "${list[@]}" | grep -v '<none>' | head -n 1 || true)
  if [ -n "$name" ]; then echo "- $name"; return 0; fi
  for engine in $(other_engines); do
    name=$(docker exec "$engine" docker "${list[@]}" 2>/dev/null | grep -v '<none>' | head -n 1 || true)
    if [ -n "$name" ]; then echo "$engine $name"; return 0; fi
  done
}

load_sandbox_image() { # load_sandbox_image SOURCE NAME
  local from=(docker)
  [ "$1" = - ] || from=(docker exec "$1" docker)
  "${from[@]}" save "$2" | inner load
  [ "$2" = "$SANDBOX_IMAGE" ] || inner tag "$2" "$SANDBOX_IMAGE"
}

hand_over_base_image() { docker save "$BASE_IMAGE" | inner load; }

# The secrets lie on the engine's tmpfs while the build lasts. The build shares the engine's own network, because the
# engine's name server (127.0.0.11) cannot be asked from a network inside it.
build_sandbox_image() { # build_sandbox_image INPUTS
  local proxy arguments=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
  for proxy in http_proxy https_proxy no_proxy; do
    [ -z "${!proxy:-}" ] || arguments+=(--build-arg "$proxy=${!proxy}")
  done
  trap 'compose exec -T engine rm -rf /run/build-secrets' EXIT
  compose exec -T engine install -d -m 0700 /run/build-secrets
  compose exec -T engine sh -c 'umask 077; cat > /run/build-secrets/ca' < "$BUILD_CA"
  compose exec -T engine sh -c 'umask 077; cat > /run/build-secrets/pip_conf' < "$BUILD_PIP_CONF"
  tar -C sandbox_image -c "${SANDBOX_FILES[@]}" | inner buildx build --progress plain --network host \
    --secret id=ca,src=/run/build-secrets/ca --secret id=pip_conf,src=/run/build-secrets/pip_conf \
    --label "$INPUTS_LABEL=$1" --tag "$SANDBOX_IMAGE" "${arguments[@]}" -
}

ensure_sandbox_image() {
  local inputs present source name
  inputs=$(sandbox_inputs)
  present=$(inner image inspect --format "{{index .Config.Labels \"$INPUTS_LABEL\"}}" "$SANDBOX_IMAGE" 2>/dev/null || true)
  if [ "$present" = "$inputs" ]; then say "  ✓ Sandbox image in place"; return 0; fi
  read -r source name <<<"$(find_sandbox_image "$inputs")"
  if [ -n "$name" ]; then
    step "$PROJECT-sandbox" "Copying the sandbox image (7 GB) from another engine of this machine" \
      "Is the disk full? \`docker system df\`, \`df -h\`." load_sandbox_image "$source" "$name"
    return 0
  fi
  step "$PROJECT-base" "Handing the base image to the inner engine" "Try \`scripts/setup\` again." hand_over_base_image
  step "$PROJECT-sandbox" "Building the sandbox image inside the inner engine (torch, anomalib: 3 GB to fetch)" \
    "Can this machine reach its Python package index, and is there 15 GB of disk?" build_sandbox_image "$inputs"
}
