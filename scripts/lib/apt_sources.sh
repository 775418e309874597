# Where this machine's own apt gets its packages: the mirror and its keyring.
# shellcheck shell=bash

# The first value of a field (URIs, Signed-By) in the deb822 files, or nothing.
apt_field() { # apt_field FIELD
  local files=(/etc/apt/sources.list.d/*.sources)
  [ -e "${files[0]}" ] || return 0
  awk -v key="$1:" '$1 == key { print $2; exit }' "${files[@]}"
}

# The mirror, from either style of file; fails with a sentence where there is none.
apt_mirror() {
  local uri
  uri=$(apt_field URIs)
  [ -n "$uri" ] || uri=$(awk '$1 == "deb" { for (i = 2; i <= NF; i++) if ($i ~ /^[a-z]+:/) { print $i; exit } }' \
    /etc/apt/sources.list 2>/dev/null || true)
  [ -n "$uri" ] || die "no package mirror found in this machine's apt configuration"
  printf '%s\n' "$uri"
}
