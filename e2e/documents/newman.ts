import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One request of a run: what was answered, and what its tests found wrong. */
export interface Execution {
  readonly name: string;
  readonly status: number | undefined;
  readonly failures: readonly string[];
}

interface Report {
  readonly run: {
    readonly executions: readonly {
      readonly item: { readonly name: string };
      readonly response?: { readonly code: number };
      readonly requestError?: { readonly message?: string };
      readonly assertions?: readonly { readonly assertion: string; readonly error?: { readonly message: string } }[];
    }[];
    readonly failures: readonly unknown[];
  };
}

const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/** Runs a collection as `newman run` does. */
export const runCollection = async (
  file: string,
  variables: Readonly<Record<string, string>>,
): Promise<{ readonly executions: readonly Execution[]; readonly failures: number }> => {
  const folder = await mkdtemp(join(tmpdir(), 'newman-'));
  try {
    const report = join(folder, 'report.json');
    const names = Object.entries(variables).flatMap(([name, value]) => ['--env-var', `${name}=${value}`]);
    const options = ['--reporters', 'json', '--reporter-json-export', report, '--timeout-request', '60000'];
    const newman = createRequire(import.meta.url).resolve('newman/bin/newman.js');
    await new Promise<void>((resolve) => {
      // It ends with 1 when a test failed: the report says which.
      execFile(process.execPath, [newman, 'run', file, ...names, ...options], { maxBuffer: OUTPUT_BYTES_MAX }, () => {
        resolve();
      });
    });
    const { run } = JSON.parse(await readFile(report, 'utf8')) as Report;
    return { executions: run.executions.map(executionOf), failures: run.failures.length };
  } finally {
    await rm(folder, { recursive: true });
  }
};

const executionOf = ({
  item,
  response,
  requestError,
  assertions = [],
}: Report['run']['executions'][number]): Execution => ({
  name: item.name,
  status: response?.code,
  failures: [
    ...(requestError === undefined ? [] : [requestError.message ?? 'no answer']),
    ...assertions.flatMap(({ assertion, error }) => (error === undefined ? [] : [`${assertion}: ${error.message}`])),
  ],
});
