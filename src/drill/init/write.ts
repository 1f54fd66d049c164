/** Writes a drill policy that works as it is, with comments that say what else there is. Pure. */
import type { FoundSource } from './look.js';

/** JSON strings are YAML strings. */
const quoted = (text: string): string => JSON.stringify(text);

/** @param machines names that were found, for the comments. */
export function policyText(sources: FoundSource[], machines: string[]): string {
  const example = machines[0] ?? 'db1';
  return `# A drill policy of snapproof. Try it with:   snapproof run --dry-run THIS-FILE
# Carry it out with:                           snapproof run THIS-FILE
# All fields: man snapproof-policy

# Where restore points are. In names, {machine} and {takenAt} say what is what; * stands for anything.
sources:
${sources.map(sourceText).join('\n')}

# What is asked of which machine: the first entry that fits counts. ${machines.length > 0 ? `Found: ${printable(machines.slice(0, 10).join(', '))}${machines.length > 10 ? ', ...' : ''}.` : ''}
machines:
  # - match: [${quoted(printable(example))}]
  #   depth: boot              # static, recovery, boot, resume or full
  #   rto: 2h                  # how long the way back may take
  #   rpo: 26h                 # how old the newest restore point may be
  #   tags: { owner: somebody, criticality: high }
  #   expect:                  # what must be true in the data
  #     - { engine: postgresql, query: "select count(*) from orders", atLeast: 1 }
  - match: "*"
    depth: recovery
    every: 7d                  # a machine that was not proven for so long is overdue, and the drill fails

# Which restore points: the latest of each machine; or { how: random, count: 10 }, { how: unverified, for: 7d }, { how: all }.
select: { how: latest }

# When it ends, whatever is left; what was not reached is listed, and is no pass.
# deadline: "06:00"

# Known-bad restore points run along, made by snapproof itself: a drill that does not reject them is void.
controls: true

# Who is told. Secrets come from the environment or a file, never from here.
# tell:
#   - ping: https://hc-ping.com/your-uuid
#   - webhook: https://chat.example.org/hook
#     headers: { Authorization: { env: HOOK_TOKEN } }
#     onlyChanges: true
#   - mail: { to: [you@example.org], from: drill@example.org, server: mail.example.org, user: drill, password: { file: /etc/snapproof/mail-password } }
`;
}

function sourceText({ kind, value, why }: FoundSource): string {
  const field = kind === 'paths' ? `paths: [${quoted(value)}]` : `${kind}: ${quoted(value)}`;
  return `  - ${field}   # ${printable(why)}`;
}

function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}
