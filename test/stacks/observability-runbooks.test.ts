import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { businessMetrics, metricNamespace } from '../../functions/kernel/metrics.ts';
import { configOf } from '../../lib/config.ts';
import { appOf, type Resource, resourcesOf } from './support/synthesis.ts';

const folder = join(import.meta.dirname, '../../docs/runbooks');
const dev = resourcesOf(appOf(configOf('dev')));
const isAlarm = ({ type }: Resource) => /^AWS::CloudWatch::(Composite)?Alarm$/.test(type);
const alarms = [...dev, ...resourcesOf(appOf(configOf('prod')))].filter(isAlarm);

/** A link as GitHub makes it of a heading: lower case, spaces to hyphens, no other marks. */
const linkOf = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');

function headingsOf(page: string): string[] {
  const text = readFileSync(join(folder, page), 'utf8').replace(/^```[\s\S]*?^```/gm, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => linkOf(heading!));
}

/** `page.md#heading` at the end of the alarm's description. */
function runbookOf({ properties }: Resource): string {
  return / Runbook: docs\/runbooks\/(\S+)$/.exec(properties.AlarmDescription ?? '')?.[1] ?? '';
}

describe.each(alarms.map((alarm) => [`${alarm.stack}/${alarm.id}`, alarm] as const))('%s', (_name, alarm) => {
  it('says what is wrong, and names a page and a heading that are there', () => {
    const [page = '', heading = ''] = runbookOf(alarm).split('#');
    expect(page).toMatch(/^[a-z-]+\.md$/);
    expect(existsSync(join(folder, page)), page).toBe(true);
    expect(headingsOf(page)).toContain(heading);
    expect(alarm.properties.AlarmDescription.length).toBeGreaterThan(runbookOf(alarm).length + 40);
  });
});

describe('the runbooks', () => {
  const named = [...new Set(alarms.map(runbookOf))].sort();
  const table = readFileSync(join(folder, 'README.md'), 'utf8');
  const listed = [...table.matchAll(/^\|.*\]\(([a-z-]+\.md#[^)]+)\) \|$/gm)].map(([, link]) => link!);

  it('are listed in the table, each once, and nothing else is', () => {
    expect(listed.toSorted()).toEqual(named);
  });

  it('name in the table the file that makes the alarm', () => {
    const makers = [...table.matchAll(/^\|[^|]+\| `(lib\/[^`]+)` \|/gm)].map(([, maker]) => maker!);
    expect(makers).toHaveLength(listed.length);
    for (const maker of makers) expect(existsSync(join(folder, '../..', maker)), maker).toBe(true);
  });

  it('are each for some alarm', () => {
    const pages = readdirSync(folder).filter((file) => file !== 'README.md');
    expect(pages.sort()).toEqual([...new Set(named.map((link) => link.split('#')[0]!))].sort());
  });

  it('link only to what is there', () => {
    for (const page of readdirSync(folder)) {
      const text = readFileSync(join(folder, page), 'utf8');
      for (const [, target = '', heading] of text.matchAll(/\]\(([\w./-]*)(?:#([^)]+))?\)/g)) {
        const file = target === '' ? page : target;
        expect(existsSync(join(folder, file)), `${page}: ${target}`).toBe(true);
        if (heading) expect(headingsOf(file), `${page}: ${target}#${heading}`).toContain(heading);
      }
    }
  });
});

describe('what must be zero', () => {
  it.each(Object.values(businessMetrics))(
    '%s has an alarm above zero that holds until told otherwise',
    (name) => {
      const own = alarms.filter(({ properties }) => properties.MetricName === name);
      expect(own).toHaveLength(2);
      for (const { stack, properties } of own) {
        expect(properties).toMatchObject({
          Namespace: metricNamespace(stack.split('-')[1]!),
          Threshold: 0,
          ComparisonOperator: 'GreaterThanThreshold',
          TreatMissingData: 'ignore',
        });
      }
    },
  );
});

describe('the dashboards', () => {
  const dashboards = dev.filter(({ type }) => type === 'AWS::CloudWatch::Dashboard');
  const bodyOf = ({ properties }: Resource) =>
    JSON.stringify(properties.DashboardBody).replaceAll('\\"', '"').replaceAll('\\\\', '\\');

  it('are one for each role', () => {
    expect(dashboards.map(({ properties }) => properties.DashboardName).sort()).toEqual([
      'Floodgate-dev-finance',
      'Floodgate-dev-operator',
      'Floodgate-dev-shopper',
    ]);
  });

  it('show an operator every number that must be zero', () => {
    const operator = dashboards.find(({ properties }) => /operator/.test(properties.DashboardName))!;
    for (const name of Object.values(businessMetrics)) expect(bodyOf(operator)).toContain(`"${name}"`);
  });

  it('read our own metrics in the stage’s own namespace alone', () => {
    for (const dashboard of dashboards) {
      const namespaces = bodyOf(dashboard).match(/Floodgate\/\w+/g) ?? [];
      expect(new Set(namespaces)).toEqual(new Set(['Floodgate/dev']));
    }
  });
});
