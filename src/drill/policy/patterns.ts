/** Names of machines in policies: `db-*`, `web?`. Matched in time that grows with the text only, whatever the pattern. */

export function isPattern(text: string): boolean {
  return /[*?]/.test(text);
}

export function fits(pattern: string, name: string): boolean {
  let [p, n, star, mark] = [0, 0, -1, 0];
  while (n < name.length) {
    if (pattern[p] === '*') {
      [star, mark] = [p, n];
      p++;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === name[n])) {
      p++;
      n++;
    } else if (star >= 0) {
      p = star + 1;
      n = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
