/**
 * Queries of the policy for a recovered database, as shell text, and what its client answered. The answer travels as base64, so that no
 * value of a guest can pass for anything else; how its rows are told apart is the engine's own affair, and must be as safe.
 */
import { randomBytes } from 'node:crypto';
import { shellQuote } from '../labs/lab.js';
import type { SqlAnswer, SqlQuestion } from '../types.js';

/** Read of an answer, to count its rows. */
const READ_BYTES = 4 * 1024 * 1024;
/** Of these, kept of all answers together: the appliance's own channel is narrow. */
const KEPT_BYTES = 400_000;
const MOST_KEPT_BYTES = 32_768;
const ERROR_BYTES = 1500;
const MAX_ROWS = 20;
/** A client that does not end by itself is ended so long after its time. */
export const GRACE_SECONDS = 15;

export interface Questions {
  list: SqlQuestion[];
  /** Nobody can guess it: for engines that put marks between values. */
  token: string;
}

/** The client of an engine. */
export interface AskingClient {
  /**
   * Body of a shell function that puts a query: $1 seconds, $2 the place, $3 the query; T holds the token. Its output is the answer, its
   * standard error what is wrong.
   */
  command: string;
  /** A shell word for `$2`: the database of the question, or what is asked when it names none. */
  place(database: string | null): string;
  /** In the output, a fixed text to be counted, as a shell word; T holds the token. */
  counted: string;
  rowCount(counted: number): number;
  /** @param cut the text may end inside a row. @throws RangeError for what is no answer of one statement */
  rows(text: string, token: string, cut: boolean): (string | null)[][];
  /** @param code exit code of the command. @param said on standard error. */
  errorOf(code: number, said: string, timeoutSeconds: number): SqlAnswer['error'];
}

export function questionsFor(instance: string, all: readonly SqlQuestion[]): Questions {
  return { list: all.filter((question) => question.instance === instance), token: `~${randomBytes(12).toString('hex')}~` };
}

/** How long they may take at most. */
export function questionsTimeoutMs({ list }: Questions): number {
  return list.reduce((sum, { timeoutSeconds }) => sum + timeoutSeconds + GRACE_SECONDS, 0) * 1000;
}

/** Text for the engine's script, behind its `preamble`. */
export function questionsScript({ list, token }: Questions, client: AskingClient): string {
  if (list.length === 0) return '';
  const keptBytes = Math.min(MOST_KEPT_BYTES, Math.floor(KEPT_BYTES / list.length));
  const calls = list.map(({ database, query, timeoutSeconds }, i) => `ask ${i} ${timeoutSeconds} ${client.place(database)} ${shellQuote(query)}`);
  return `
T=${shellQuote(token)}
put() {
${client.command}
}
ask() {
  begin=$(now)
  {
    put "$2" "$3" "$4" 2>$R/q.err </dev/null
    echo $? >$R/q.code
  } | head -c ${READ_BYTES} >$R/q.out
  rows=$(grep -aoF ${client.counted} $R/q.out | wc -l | number)
  echo "ask: $1 $(cat $R/q.code | number) $(( $(now) - begin )) $(wc -c <$R/q.out | number) \${rows:-0} $(head -c ${keptBytes} $R/q.out | base64 | tr -d '\\n')- $(head -c ${ERROR_BYTES} $R/q.err | base64 | tr -d '\\n')-"
}
${calls.join('\n')}`;
}

/** `ask: number code nanoseconds bytes counted output- errors-` */
const LINE = /^ask: (\d{1,3}) (\d{1,3}) (\d{1,18}) (\d{1,9}) (\d{1,9}) ([A-Za-z0-9+/=]*)- ([A-Za-z0-9+/=]*)-$/;

/** Answers by the question's id; what was not answered is not in it. Takes any text. */
export function parseAnswers(stdout: string, { list, token }: Questions, how: string, client: AskingClient): Record<string, SqlAnswer> {
  const answers: Record<string, SqlAnswer> = {};
  for (const line of stdout.split('\n')) {
    const [, index, ...parts] = LINE.exec(line) ?? [];
    const question = index === undefined ? undefined : list[Number(index)];
    if (question && !answers[question.id]) answers[question.id] = answerOf(parts, question.timeoutSeconds, { token, how, client });
  }
  return answers;
}

function answerOf(parts: string[], timeoutSeconds: number, { token, how, client }: { token: string; how: string; client: AskingClient }): SqlAnswer {
  const [code, nanoseconds, bytes, counted, output = '', errors = ''] = parts;
  const kept = Buffer.from(output, 'base64');
  const sizeBytes = Number(bytes);
  const tooLong = sizeBytes >= READ_BYTES;
  const rowCount = sizeBytes === 0 ? 0 : client.rowCount(Number(counted));
  const answer: SqlAnswer = {
    rows: [],
    rowCount,
    truncated: tooLong || (rowCount === 1 && kept.length < sizeBytes),
    error: tooLong ? null : client.errorOf(Number(code), Buffer.from(errors, 'base64').toString('utf8'), timeoutSeconds),
    seconds: Number(nanoseconds) / 1e9,
    how,
  };
  try {
    return { ...answer, rows: client.rows(kept.toString('utf8'), token, kept.length < sizeBytes).slice(0, MAX_ROWS) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { ...answer, error: answer.error ?? { kind: 'statement', text: error.message } };
  }
}
