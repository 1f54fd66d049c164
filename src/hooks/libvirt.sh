#!/bin/sh
# libvirt and virtnbdbackup: puts folders with finished images into the queue.
#
#   virsh backup-begin db1 backup.xml && ... && libvirt.sh /srv/images/db1/2026-11-27
#   virtnbdrestore -i /srv/virtnbdbackup/db1 -o /srv/images/db1 && libvirt.sh /srv/images/db1
#
# virtnbdbackup writes streams of its own (*.data), which are no images: it is their restore that is put into the queue. A folder with a
# file that is still being written (*.partial) is not.
HOOK=libvirt
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

if [ $# -eq 0 ]; then
  say 'usage: libvirt.sh FOLDER...'
  exit 2
fi
worst=0
for folder in "$@"; do
  set -- "$folder"/*.partial
  if [ -e "$1" ]; then
    say "$1 is not finished, so $folder is not put into the queue"
    worst=1
    continue
  fi
  set -- "$folder"/*.data
  if [ -e "$1" ]; then
    say "$1 is a stream of virtnbdbackup and no image: restore it with virtnbdrestore, and name the folder of the restore"
    worst=1
    continue
  fi
  enqueue "$folder" || worst=1
done
exit "$worst"
