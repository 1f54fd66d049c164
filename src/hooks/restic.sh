#!/bin/sh
# restic: puts the restore points that were just backed up into the queue. In the unit of systemd that runs "restic backup FOLDER":
#
#   ExecStartPost=/usr/share/snapproof/hooks/restic.sh /srv/images/db1
#
# systemd runs it only when ExecStart succeeded. By hand: restic backup /srv/images/db1 && restic.sh /srv/images/db1
# Before "restic forget" stands guard.sh.
HOOK=restic
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

if [ $# -eq 0 ]; then
  say 'usage: restic.sh PATH...'
  exit 2
fi
enqueue "$@"
