import { defineConfig } from '@playwright/test';
import base from './playwright.config';

export default defineConfig({
  ...base,
  testDir: 'bench',
  outputDir: 'test-results/bench-artifacts',
  workers: 1,
  timeout: 300_000,
  reporter: [['list']],
  globalSetup: './bench/begin.ts',
  // Recording a trace costs the load's core what it should spend on load.
  use: { ...base.use, trace: 'off', screenshot: 'off' },
  projects: [{ name: 'bench' }],
});
