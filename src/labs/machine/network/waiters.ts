/** Waiting for something that frames bring about. */

export class Waiters {
  private readonly checks = new Set<() => void>();

  /** Something has changed: who waits looks again. */
  announce(): void {
    for (const check of [...this.checks]) check();
  }

  /** Resolves when it holds, or when time is over. Null: no limit. Rejects with what `holds` throws. */
  until(holds: () => boolean, timeoutMs: number | null): Promise<void> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.checks.delete(check);
        settle();
      };
      const check = () => {
        try {
          if (holds()) end(resolve);
        } catch (error) {
          end(() => reject(error));
        }
      };
      this.checks.add(check);
      if (timeoutMs !== null) timer = setTimeout(() => end(resolve), Math.max(0, timeoutMs));
      check();
    });
  }
}
