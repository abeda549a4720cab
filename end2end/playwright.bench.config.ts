import { defineConfig } from '@playwright/test';
import base from './playwright.config';

export default defineConfig({
  ...base,
  testDir: 'bench',
  outputDir: 'test-results/bench-artifacts',
  workers: 1,
  reporter: [['list']],
  projects: [{ name: 'bench' }],
});
