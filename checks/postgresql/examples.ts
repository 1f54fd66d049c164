/** A count, and the first few of what was counted: evidence stays small whatever was found. */

export interface Examples<T> {
  count: number;
  examples: T[];
}

const MAX_EXAMPLES = 10;

export function noExamples<T>(): Examples<T> {
  return { count: 0, examples: [] };
}

export function addExample<T>(list: Examples<T>, example: T): void {
  list.count++;
  if (list.examples.length < MAX_EXAMPLES) list.examples.push(example);
}
