import { writeFileSync } from 'node:fs';

/** Leaves the counts of a Jest run in the file that PAYFLOW_TEST_COUNTS names. A file that cannot even be loaded is one failure. */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    const counts = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(process.env.PAYFLOW_TEST_COUNTS, JSON.stringify(counts));
  }
}
