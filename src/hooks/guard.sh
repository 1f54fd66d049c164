#!/bin/sh
# Runs a command only when the gate is open: in front of anything that forgets, prunes or expires backups.
#
#   guard.sh TARGET... -- COMMAND [ARGUMENT...]
#   guard.sh db1 web1 -- restic forget --keep-daily 7 --prune
#
# TARGET is what "snapproof gate" takes: a machine, a path, a SHA-256. Exit code: that of the command; else that of the gate (1 not proven,
# 3 inconclusive, 5 ledger, ...), and the command was not run.
HOOK=guard
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

# The targets go to the end of the list one by one, until "--" is met; what follows it is the command.
count=0
for word in "$@"; do
  [ "$word" = -- ] && break
  count=$((count + 1))
done
if [ "$count" -ge $(($# - 1)) ]; then
  say 'usage: guard.sh TARGET... -- COMMAND [ARGUMENT...]'
  exit 2
fi
while [ "$count" -gt 0 ]; do
  gate "$1" || exit $?
  shift
  count=$((count - 1))
  asked=1
done
if [ "${asked:-0}" -eq 0 ]; then
  say 'no target was named, so the gate stays shut'
  exit 2
fi
shift
exec "$@"
