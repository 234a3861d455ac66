import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** Everything an installation keeps, in one directory. Two of them run side by side when their ports differ. */
export interface StackPaths {
  readonly home: string;
  readonly postgres: string;
  readonly kafka: string;
  readonly logs: string;
  /** What runs: process ids, ports. */
  readonly state: string;
  /** Passwords and keys, made once. */
  readonly secrets: string;
  /** For scripts: addresses and demo logins. */
  readonly demo: string;
  readonly kafkaJars: string;
}

export const stackPaths = (environment: NodeJS.ProcessEnv): StackPaths => {
  const wanted = environment['PAYFLOW_HOME'];
  const shared = join(REPOSITORY, '.payflow');
  const home = wanted === undefined || wanted === '' ? shared : resolve(wanted);
  return {
    home,
    postgres: join(home, 'postgres'),
    kafka: join(home, 'kafka'),
    logs: join(home, 'logs'),
    state: join(home, 'state.json'),
    secrets: join(home, 'secrets.json'),
    demo: join(home, 'demo.json'),
    kafkaJars: join(shared, 'kafka-jars'),
  };
};
