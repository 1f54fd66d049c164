#!/bin/sh
# Anything else (rsync, cp, a storage that replicates): puts every restore point below a folder into the queue whose manifest is new.
#
#   rsync -a host:/srv/images/ /srv/images/ && find.sh /srv/images
#
# Looks for restore-point.json files that came or changed here (change of the inode, because rsync keeps older times of modification) since the last call that worked; what was seen last is kept in FOLDER/.snapproof-seen, or
# in the file that SNAPPROOF_SEEN names. Write the manifest last, when the images beside it are complete.
HOOK=find
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

folder=${1:-}
if [ $# -ne 1 ] || [ ! -d "$folder" ]; then
  say 'usage: find.sh FOLDER'
  exit 2
fi
seen=${SNAPPROOF_SEEN:-$folder/.snapproof-seen}
# Made before the search, so that what comes while it runs is found the next time.
next=$seen.$$
: >"$next" || exit 1
trap 'rm -f "$next"' EXIT
newer=
[ -e "$seen" ] && newer=yes
export HOOK SNAPPROOF_STRICT=1
# One shell per batch: names with blanks and line feeds stay whole.
find "$folder" -type f -name restore-point.json ${newer:+-cnewer "$seen"} -exec sh -c '
  . "$1"
  shift
  for manifest in "$@"; do enqueue "$(dirname "$manifest")" || exit 1; done
' sh "$(dirname "$0")/common.sh" {} + || exit 1
mv "$next" "$seen"
