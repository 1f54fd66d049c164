/** Completion of verbs and options for bash and zsh, made from the program itself, so that it never lags behind. */
import type { Argument, Command, Option } from 'commander';
import { EXIT, type ExitCode } from '../errors.js';
import { print, type Streams } from './streams.js';

export const SHELLS = ['bash', 'zsh'] as const;
export type Shell = (typeof SHELLS)[number];

export async function completionCommand(program: Command, shell: Shell, streams: Streams): Promise<ExitCode> {
  await print(streams.stdout, shell === 'bash' ? bashCompletion(program) : zshCompletion(program));
  return EXIT.passed;
}

interface Verb {
  /** `ledger verify` */
  name: string;
  description: string;
  /** Verbs below it. */
  verbs: Verb[];
  options: readonly Option[];
  arguments: readonly Argument[];
}

/** What help shows, and nothing hidden. */
function verbOf(command: Command, above: string[]): Verb {
  const help = command.createHelp();
  const below = help.visibleCommands(command).filter((sub) => sub.name() !== 'help');
  const name = (sub: Command): string[] => [...above, sub.name()];
  return {
    name: above.join(' '),
    description: command.description(),
    verbs: below.map((sub) => verbOf(sub, name(sub))),
    options: help.visibleOptions(command),
    arguments: command.registeredArguments,
  };
}

function all(verb: Verb): Verb[] {
  return [verb, ...verb.verbs.flatMap(all)];
}

/** One table by verb; choices of an option stand under the verb and the option. */
export function bashCompletion(program: Command): string {
  const root = verbOf(program, []);
  const words = all(root).map((verb) => caseLine(verb.name, [...verb.verbs.map(({ name }) => lastWord(name)), ...choicesOf(verb.arguments), ...flags(verb)]));
  const choices = all(root).flatMap((verb) =>
    verb.options.flatMap((option) =>
      option.argChoices ? [option.short, option.long].flatMap((flag) => (flag ? [caseLine(`${verb.name} ${flag}`.trim(), option.argChoices ?? [])] : [])) : [],
    ),
  );
  const takesValue = all(root).flatMap((verb) => verb.options.filter(({ required, optional }) => required || optional).map(({ long }) => long ?? ''));
  return `# bash completion of snapproof:  source <(snapproof completion bash)
_snapproof_words() {
  case "$1" in
${words.join('\n')}
  esac
}
_snapproof_choices() {
  case "$1" in
${choices.join('\n')}
  *) return 1 ;;
  esac
}
_snapproof() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" verb="" word index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$word" in -*) continue ;; esac
    if [[ -n "$(_snapproof_words "\${verb:+$verb }$word")" ]]; then verb="\${verb:+$verb }$word"; fi
  done
  local found
  if found="$(_snapproof_choices "\${verb:+$verb }$previous")"; then
    COMPREPLY=($(compgen -W "$found" -- "$current"))
    return
  fi
  case " ${[...new Set(takesValue)].sort().join(' ')} " in
  *" $previous "*) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  COMPREPLY=($(compgen -W "$(_snapproof_words "$verb")" -- "$current") $(compgen -f -- "$current"))
}
complete -o filenames -F _snapproof snapproof
`;
}

function caseLine(key: string, words: readonly string[]): string {
  return `  ${quoted(key)}) printf '%s\\n' ${words.length > 0 ? words.map(quoted).join(' ') : "''"} ;;`;
}

/** zsh's own `_arguments`, with the descriptions that help shows. */
export function zshCompletion(program: Command): string {
  const root = verbOf(program, []);
  return `#compdef snapproof
# zsh completion of snapproof: save it as _snapproof in a folder of $fpath
${all(root).map(zshFunction).join('\n')}
_snapproof "$@"
`;
}

function zshFunction(verb: Verb): string {
  const name = functionName(verb.name);
  const specs = verb.options.flatMap((option) => [option.short, option.long].flatMap((flag) => (flag ? [zshOption(flag, option)] : [])));
  if (verb.verbs.length === 0) return `${name}() {\n  _arguments -S ${[...specs, ...verb.arguments.map(zshArgument)].map(quoted).join(' \\\n    ')}\n}`;
  const list = verb.verbs.map((sub) => quoted(`${lastWord(sub.name)}:${sub.description.replaceAll(':', '\\:')}`)).join(' ');
  const cases = verb.verbs.map((sub) => `      ${lastWord(sub.name)}) ${functionName(sub.name)} ;;`).join('\n');
  return `${name}() {
  local line state
  _arguments -C ${[...specs, '1: :->verb', '*::arg:->rest'].map(quoted).join(' \\\n    ')}
  case "$state" in
    verb) local -a verbs; verbs=(${list}); _describe verb verbs ;;
    rest) case "$line[1]" in
${cases}
    esac ;;
  esac
}`;
}

function zshOption(flag: string, option: Option): string {
  const description = option.description.replace(/[[\]:]/g, ' ');
  const value = option.required || option.optional ? `:value:${option.argChoices ? `(${option.argChoices.join(' ')})` : '_files'}` : '';
  return `*${flag}[${description}]${value}`;
}

function zshArgument(argument: Argument): string {
  const choices = choicesOf([argument]);
  return `${argument.variadic ? '*' : ''}:${argument.name()}:${choices.length > 0 ? `(${choices.join(' ')})` : '_files'}`;
}

function choicesOf(list: readonly Argument[]): string[] {
  return list.flatMap((argument) => argument.argChoices ?? []);
}

function flags({ options }: Verb): string[] {
  return options.flatMap(({ long, short }) => [...(long ? [long] : []), ...(short ? [short] : [])]);
}

function functionName(verb: string): string {
  return `_snapproof${verb === '' ? '' : `_${verb.replace(/[^A-Za-z0-9]/g, '_')}`}`;
}

function lastWord(name: string): string {
  return name.split(' ').at(-1) ?? name;
}

/** For a shell, in single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
