#!/bin/sh
# borgmatic: two command hooks. Until borgmatic 1.9 in the section "hooks":
#
#   after_backup:
#     - /usr/share/snapproof/hooks/borgmatic.sh enqueue /srv/images/db1
#   before_prune:
#     - /usr/share/snapproof/hooks/borgmatic.sh gate db1 web1
#
# From 2.0 as entries of "commands" (after: action, when: [create]; before: action, when: [prune]).
# A hook before an action that fails keeps borgmatic from that action and from those after it, and counts as an error of borgmatic.
HOOK=borgmatic
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

what=${1:-}
[ $# -gt 1 ] || what=
case $what in
enqueue)
  shift
  enqueue "$@"
  ;;
gate)
  shift
  gate "$@"
  answer=$?
  # borgmatic takes 75 as "no error, just leave the rest out", which would hide a shut gate.
  [ "$answer" -eq 75 ] && answer=1
  exit "$answer"
  ;;
*)
  say 'usage: borgmatic.sh enqueue PATH... | gate TARGET...'
  exit 2
  ;;
esac
