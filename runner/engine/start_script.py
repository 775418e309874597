"""The fixed script with which every run begins, inside its walls."""

from __future__ import annotations

START = """\
cp -R /submission/. /job || {
  echo "The files of the submission did not fit into /job ($1 bytes, $2 files). Use smaller or fewer files." >&2
  exit 73
}
shift 2
link() {
  into=$1; shift
  for each do shift; [ ! -e "$each" ] || set -- "$@" "${each%/hubconf.py}"; done
  [ "$#" = 0 ] || { mkdir -p "$into" && ln -s -t "$into" "$@" 2>/dev/null; }
}
link "$HF_HOME/hub" /weights/hub/models--* /opt/weights/hub/*
link "$TORCH_HOME/hub/checkpoints" /weights/hub/checkpoints/*
link "$TORCH_HOME/hub" /weights/hub/*/hubconf.py
link "$XDG_CACHE_HOME/anomalib/pre_trained" /weights/anomalib/*
exec python "$@"
"""
"""Copies the submission into /job, links the site's and the image's weights into the caches of the libraries that look
for them, and becomes the program. Runs inside the walls, as the run's own user. Of two of one name the first is linked.
Where nothing is to be linked no process is started.
"""
