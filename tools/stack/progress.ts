import pc from 'picocolors';

/** Tells the person who waits what happens, one line for each step. */
export class Progress {
  private readonly write: (line: string) => void;

  constructor(write: (line: string) => void) {
    this.write = write;
  }

  note(text: string): void {
    this.write(`${pc.dim('•')} ${text}`);
  }

  warn(text: string): void {
    this.write(`${pc.yellow('!')} ${text}`);
  }

  /** Runs a step; `why` is shown at once, so that a long one is not silent. */
  async step<Result>(title: string, why: string, work: () => Promise<Result>): Promise<Result> {
    this.write(`${pc.dim('…')} ${title}${why === '' ? '' : pc.dim(` (${why})`)}`);
    const start = performance.now();
    const result = await work();
    this.write(`${pc.green('✓')} ${title} ${pc.dim(secondsSince(start))}`);
    return result;
  }
}

const secondsSince = (start: number): string => `${((performance.now() - start) / 1000).toFixed(1)} s`;
