import { defineConfig } from '@playwright/test';
import type { Options } from './support/test';

const chromium = process.env.MW_CHROMIUM ?? '/usr/bin/chromium';

/** Journeys that are whole without JavaScript: forms, mails, pages. */
const PLAIN = [
  'account.spec.ts', 'registration.spec.ts', 'dashboard.spec.ts', 'leaving.spec.ts', 'watching.spec.ts', 'my-data.spec.ts', 'times.spec.ts', 'mails.spec.ts',
];
/** Journeys about the plain pages themselves; running them with JavaScript on would prove less. */
const ONLY_PLAIN = ['registration.spec.ts'];

export default defineConfig<Options>({
  testDir: 'journeys',
  outputDir: 'test-results/artifacts',
  fullyParallel: false,
  workers: 2,
  // A test that passes on the second try hides a race; there is no second try.
  retries: 0,
  timeout: 90_000,
  expect: { timeout: 10_000 },
  reporter: [['list'], ['json', { outputFile: 'test-results/report.json' }], ['./support/last-words.ts']],
  use: {
    browserName: 'chromium',
    locale: 'en-GB',
    timezoneId: 'Europe/Paris',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      executablePath: chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'plain', use: { javaScriptEnabled: false }, testMatch: PLAIN.map((file) => `**/${file}`) },
    { name: 'hydrated', testMatch: '**/*.spec.ts', testIgnore: ONLY_PLAIN.map((file) => `**/${file}`) },
  ],
});
