/** Says at the very end, in a few lines each, what failed: of a long log often only the end is kept. */
import type { FullConfig, Reporter, Suite, TestCase, TestResult } from '@playwright/test/reporter';

const LINES = 14;
const COLOURS = /\u001b\[[0-9;]*m/g;

export default class LastWords implements Reporter {
  private readonly failed = new Map<TestCase, TestResult>();

  onBegin(_config: FullConfig, _suite: Suite): void {
    this.failed.clear();
  }

  onTestEnd(test: TestCase, result: TestResult): void {
    if (result.status !== test.expectedStatus && result.status !== 'skipped') this.failed.set(test, result);
  }

  onEnd(): void {
    for (const [test, result] of this.failed) {
      console.log(`\n${test.titlePath().filter(Boolean).join(' › ')} (${result.status} after ${result.duration} ms)`);
      for (const error of result.errors) {
        const said = (error.message ?? error.value ?? '').replace(COLOURS, '').split('\n').filter((line) => line.trim() !== '');
        for (const line of said.slice(0, LINES)) console.log(`  ${line}`);
        const where = error.location;
        if (where) console.log(`  at ${where.file.split('/').slice(-2).join('/')}:${where.line}`);
      }
    }
  }
}
