# What all hooks share; read by them with ".", not run. POSIX sh.
#
# SNAPPROOF         how snapproof is started (default: snapproof); words are split at blanks
# SNAPPROOF_STATE   folder of the ledger and the queue (default: the user's own)
# SNAPPROOF_GATE    what a proof must be: options of "snapproof gate", such as "--max-age 7d --depth recovery"
# SNAPPROOF_STRICT  1: a restore point that cannot be put into the queue fails the hook, and with most tools the backup

say() {
  printf 'snapproof hook %s: %s\n' "$HOOK" "$*" >&2
}

# snapproof VERB ARGUMENTS..., with the state folder where one is named.
snapproof_run() {
  verb=$1
  shift
  # The options of SNAPPROOF_STATE are one word each, those of SNAPPROOF are several.
  # shellcheck disable=SC2086
  ${SNAPPROOF:-snapproof} "$verb" ${SNAPPROOF_STATE:+--state "$SNAPPROOF_STATE"} "$@"
}

# Puts paths into the queue. A good backup must not fail because its verification could not be asked for, so trouble is only told.
enqueue() {
  if snapproof_run enqueue --by "$HOOK" -- "$@" >&2; then return 0; fi
  say "could not put into the queue: $*"
  [ "${SNAPPROOF_STRICT:-0}" = 1 ] && return 1
  return 0
}

# Whether all targets are proven. Anything but a clear yes is a no.
gate() {
  if [ $# -eq 0 ]; then
    say "the gate was asked about nothing, so it stays shut"
    return 2
  fi
  for target in "$@"; do
    # shellcheck disable=SC2086
    snapproof_run gate ${SNAPPROOF_GATE:-} -- "$target" >&2
    answer=$?
    if [ "$answer" -ne 0 ]; then
      say "the gate is shut for $target (exit code $answer)"
      return "$answer"
    fi
  done
  return 0
}
