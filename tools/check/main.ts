import { runChecks } from './checks.ts';

/** `npm run check` */
export const main = async (): Promise<void> => {
  const failures = await runChecks((line) => process.stdout.write(`${line}\n`));
  if (failures > 0) process.exitCode = 1;
};
