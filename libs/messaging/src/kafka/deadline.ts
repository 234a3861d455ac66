/** The other side did not answer in time. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/** No wait without an end: kafkajs has promises that never settle (tulios/kafkajs#967, #1168). */
export const withDeadline = async <Result>(work: Promise<Result>, timeoutMs: number, what: string): Promise<Result> => {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new DeadlineError(`${what} took longer than ${timeoutMs} ms`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
};
