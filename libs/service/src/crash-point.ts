import { writeSync } from 'node:fs';

const STDERR = 2;

const registered = new Set<string>();
const hits = new Map<string, number>();

/** Every crash point the process has met so far, so that a drill can try each. */
export const crashPointsMet = (): readonly string[] => [...registered].sort();

/** `PAYFLOW_CRASH=name@n`: the process kills itself at the n-th pass (1 when left out) of the point with that name. */
const plan = ((): { readonly name: string; readonly pass: number } | undefined => {
  const [name, pass = '1'] = (process.env['PAYFLOW_CRASH'] ?? '').split('@');
  return name === undefined || name === '' ? undefined : { name, pass: Number(pass) };
})();

/**
 * A place where the process may die and nothing may be lost. It costs nothing unless the environment asks for the crash,
 * and then it is SIGKILL: no handler runs, no buffer is flushed.
 */
export const crashPoint = (name: string): void => {
  registered.add(name);
  if (plan?.name !== name) return;
  const pass = (hits.get(name) ?? 0) + 1;
  hits.set(name, pass);
  if (pass !== plan.pass) return;
  // At once, or it would be lost with the process: the drill tells by this line that it died here and not elsewhere.
  writeSync(STDERR, `crash point ${name} reached\n`);
  process.kill(process.pid, 'SIGKILL');
};
