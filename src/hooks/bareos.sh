#!/bin/sh
# Bareos: two RunScripts. Bareos starts them without a shell and replaces %e before.
#
#   RunScript {                                   # in the Job that backs the images up
#     RunsWhen = After
#     RunsOnClient = Yes                          # where the images lie
#     FailJobOnError = No
#     Command = "/usr/share/snapproof/hooks/bareos.sh enqueue '%e' /srv/images/db1"
#   }
#   RunScript {                                   # in the Job that prunes or consolidates
#     RunsWhen = Before
#     RunsOnClient = Yes
#     FailJobOnError = Yes
#     Command = "/usr/share/snapproof/hooks/bareos.sh gate db1"
#   }
HOOK=bareos
# shellcheck source=common.sh
. "$(dirname "$0")/common.sh"

what=${1:-}
[ $# -gt 1 ] && shift || what=
case $what in
enqueue)
  status=$1
  shift
  # What a job left that did not end well is no restore point.
  if [ "$status" != OK ]; then
    say "the job ended with \"$status\", so nothing is put into the queue"
    exit 0
  fi
  if [ $# -eq 0 ]; then
    say 'usage: bareos.sh enqueue STATUS PATH...'
    exit 2
  fi
  enqueue "$@"
  ;;
gate)
  gate "$@"
  ;;
*)
  say 'usage: bareos.sh enqueue STATUS PATH... | gate TARGET...'
  exit 2
  ;;
esac
