# How weights come into the project's folder of weights, which every run finds at /weights.
# shellcheck shell=bash

weights_volume() { local own; own=$(setting WEIGHTS); echo "${own:-${PROJECT}_weights}"; }
gateway_image() { compose config --images gateway | grep -E 'leadersboard-gateway:' | head -n 1; }

# Runs beside the folder alone, as the user that owns it, without network.
in_weights() { # in_weights ARGUMENTS...
  docker run --rm --interactive --network none --user 10001:10001 --cap-drop ALL --read-only --tmpfs /tmp \
    --security-opt no-new-privileges --volume "$(weights_volume):/shared/weights" --entrypoint python "$(gateway_image)" \
    -m core.adapters.files.weights_command "$@"
}

# A file may be named by a link, as the hub's cache has them; links in a folder are looked at beside the folder.
add_weights() { # add_weights FILE|FOLDER [--repository ORGANISATION/NAME]
  local path=$1 name size hidden follow=()
  shift
  [ -e "$path" ] || die "there is no file or folder $path."
  if [ -f "$path" ]; then follow=(--dereference); elif [ ! -d "$path" ]; then die "$path is neither file nor folder."; fi
  if [ ! -f "$path" ] && [ -L "$path" ]; then die "$path is a link: name the folder itself."; fi
  hidden=$(find "$path" ! -type l ! -readable -print -quit)
  [ -z "$hidden" ] || die "$hidden cannot be read by you: change its mode, or use sudo."
  path=$(realpath --no-symlinks "$path")
  name=$(basename "$path")
  size=$(du --summarize --bytes --dereference-args "$path" | cut -f1)
  tar --create --hard-dereference "${follow[@]}" --directory "$(dirname "$path")" -- "$name" |
    in_weights add --size "$size" "$@" -- "$name"
}
