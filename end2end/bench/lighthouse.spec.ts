/** Lighthouse's mobile audit (a slow phone on a slow network, simulated) of the pages people meet. */
import { execFile } from 'node:child_process';
import { cpus } from 'node:os';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { QUICK, limit } from './ledger';
import { median } from './measure';
import { PEERS } from './peers';
import { test } from './stage';

/** Single audits vary; Lighthouse's own advice is a median of several. */
const RUNS = QUICK ? 1 : 3;

const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo'] as const;
const METRICS = [
  { audit: 'largest-contentful-paint', name: 'LCP', unit: 's', factor: 1 / 1000, atMost: 1.55 },
  { audit: 'total-blocking-time', name: 'TBT', unit: 'ms', factor: 1, atMost: 66 },
  { audit: 'cumulative-layout-shift', name: 'CLS', unit: '', factor: 1, atMost: 0.04 },
] as const;

interface Report {
  categories: Record<string, { score: number; auditRefs: { id: string; weight: number }[] }>;
  audits: Record<string, { numericValue?: number; score: number | null; title: string }>;
  runtimeError?: { message: string };
  finalDisplayedUrl: string;
}

interface Subject {
  name: string;
  path: string;
  atLeast: number;
  /** Pages that ask search engines to stay away on purpose are not marked down for it. */
  isPrivate: boolean;
  cookie?: string;
}

async function audit(url: string, subject: Subject, output: string): Promise<Report> {
  const words = [
    join(PEERS, 'node_modules/lighthouse/cli/index.js'), url, '--quiet', '--output=json', `--output-path=${output}`,
    `--only-categories=${CATEGORIES.join(',')}`, '--chrome-flags=--headless=new --no-sandbox --disable-gpu',
    ...(subject.isPrivate ? ['--skip-audits=is-crawlable'] : []),
    ...(subject.cookie ? [`--extra-headers=${JSON.stringify({ Cookie: subject.cookie })}`] : []),
  ];
  // The simulation stretches what it observes: a browser squeezed onto the load's core would be blamed on the page.
  await promisify(execFile)('taskset', ['-c', `0-${cpus().length - 1}`, process.execPath, ...words], { env: { ...process.env, CHROME_PATH: process.env.MW_CHROMIUM ?? '/usr/bin/chromium' } });
  const report = JSON.parse(readFileSync(output, 'utf8')) as Report;
  if (report.runtimeError) throw new Error(`${url}: ${report.runtimeError.message}`);
  if (report.finalDisplayedUrl !== url) throw new Error(`${url} led to ${report.finalDisplayedUrl}`);
  return report;
}

/** What a page lost points for. */
function faults(report: Report): string[] {
  const ids = Object.values(report.categories).flatMap(({ auditRefs }) => auditRefs.filter(({ weight }) => weight > 0).map(({ id }) => id));
  return ids.filter((id) => (report.audits[id]?.score ?? 1) < 0.9).map((id) => report.audits[id]!.title);
}

test('Lighthouse, mobile', async ({ server, stage }) => {
  const subjects: Subject[] = [
    { name: 'registration page', path: `/w/${stage.webinar.slug}`, atLeast: 100, isPrivate: false },
    { name: 'room', path: stage.room, atLeast: 100, isPrivate: true },
    { name: 'dashboard', path: '/dashboard', atLeast: 95, isPrivate: true, cookie: stage.cookie },
  ];
  const reports = new Map<Subject, Report[]>(subjects.map((subject) => [subject, []]));
  for (let run = 0; run < RUNS; run += 1) {
    for (const [subject, seen] of reports) seen.push(await audit(server.url + subject.path, subject, join(stage.folder, 'lighthouse.json')));
  }
  for (const [{ name, atLeast }, seen] of reports) {
    for (const category of CATEGORIES) {
      const ours = median(seen.map((report) => report.categories[category]!.score * 100));
      limit({ what: `Lighthouse mobile, ${name}: ${category}`, unit: 'points', ours }, { atLeast });
    }
    for (const { audit: id, name: metric, unit, factor, atMost } of METRICS) {
      const ours = median(seen.map((report) => report.audits[id]!.numericValue! * factor));
      limit({ what: `Lighthouse mobile, ${name}: ${metric}`, unit, ours }, { atMost });
    }
    const found = [...new Set(seen.flatMap(faults))];
    if (found.length > 0) console.log(`${name} loses points for: ${found.join('; ')}`);
  }
});
