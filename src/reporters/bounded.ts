/** Strings of a guest may be as long as it likes; a report is not. */

/** Longer ones are cut, and say how much is missing. Never cuts a character in two. */
export function bounded(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = isHighSurrogate(text.charCodeAt(most - 1)) ? most - 1 : most;
  return `${text.slice(0, end)}… (${text.length - end} more characters in the record)`;
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}
