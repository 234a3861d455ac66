import { run } from './program.ts';

/** `npm run payflow -- …`, or `payflow` where the package is linked. */
export const main = async (args: readonly string[]): Promise<void> => {
  process.exitCode = await run(args, {
    environment: process.env,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    watched: process.stdout.isTTY,
  });
};
