#!/bin/sh
# Proxmox VE: a hook script of vzdump. In /etc/vzdump.conf:
#
#   script: /usr/share/snapproof/hooks/vzdump.sh
#
# vzdump calls it with PHASE, and in phases of one guest with MODE and VMID; in "backup-end" the environment has TARGET, the finished
# archive (nothing for a storage of Proxmox Backup Server). Whatever goes wrong here never fails the backup, unless SNAPPROOF_STRICT is 1.
HOOK=vzdump
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

phase=${1:-}
vmid=${3:-}
# Containers are no virtual machines.
[ "$phase" = backup-end ] && [ "${VMTYPE:-qemu}" = qemu ] || exit 0
case ${TARGET:-} in
/*) enqueue "$TARGET" ;;
*) say "guest $vmid lies in no file (storage ${STOREID:-unknown}), so it is not put into the queue" ;;
esac
