/** Something the person at the keyboard can put right. Its message is the whole story: it is shown without a stack. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
